/** What the command has to do with the world: replaced as a whole in tests. */

import { isatty } from 'node:tty';
import type { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** Streams, terminal and signals of a process. */
export interface CommandIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** stderr is a terminal, so that somebody watches: progress and a closing line are shown. */
  readonly isTTY: boolean;
  /** Characters in a line of that terminal. */
  readonly columns: number;
  /** Emits SIGINT, SIGTERM and SIGHUP. */
  readonly signals: Pick<EventEmitter, 'on' | 'off'>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** For terminals that do not tell. */
const DEFAULT_COLUMNS = 80;

/** The running process. Its streams are opened when they are first used. */
export const processIo: CommandIo = {
  get stdin() {
    return process.stdin;
  },
  get stdout() {
    return process.stdout;
  },
  get stderr() {
    return process.stderr;
  },
  get isTTY() {
    return isatty(2);
  },
  get columns() {
    return process.stderr.columns || DEFAULT_COLUMNS;
  },
  signals: process,
  env: process.env,
};

/** Writes a line. If nobody reads any more it is lost: `run` listens for the error. */
export function printLine(stream: Writable, line: string): void {
  stream.write(`${line}\n`);
}

/**
 * Text from elsewhere as a part of one line: without control and formatting characters, which could
 * move the cursor of a terminal, or forge a second line.
 */
export function cleanText(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}
