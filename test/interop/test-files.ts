/** The files that are sent to and fro. */

import { setTimeout } from 'node:timers/promises';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { seededBytes } from '../helpers/random';

/** No block, an almost full one, full ones, and one byte more. */
export const SHORT_LENGTHS: readonly number[] = [0, 1, 511, 512, 513, 1024];

/** Around the edge of a window. */
export function windowEdge(blksize: number, windowsize: number): readonly number[] {
  const edge = blksize * windowsize;
  return [edge - 1, edge, edge + 1];
}

/** 65,539 blocks of 512 bytes and a short one: block numbers roll over. */
export const ROLLOVER_LENGTH = 65_539 * 512 + 7;

/** Every kind of line end, and a CR as the last byte: what netascii has to keep apart. */
export const TEXT = Buffer.from('unix\ndos\r\nmac\rempty\n\n\nlast\r');

/** The same as it travels in netascii (RFC 764): LF as CR LF, CR as CR NUL. */
export const NETASCII_TEXT = Buffer.from('unix\r\ndos\r\0\r\nmac\r\0empty\r\n\r\n\r\nlast\r\0');

/** The folder that a server serves and the folder of a client, as long as a group of tests runs. */
export class TestFolders {
  readonly #base = mkdtempSync(path.join(tmpdir(), 'red-tftp-test-'));
  readonly server = path.join(this.#base, 'server');
  readonly client = path.join(this.#base, 'client');

  constructor() {
    mkdirSync(this.server);
    mkdirSync(this.client);
    // Some servers give up their rights and still have to get in and write.
    chmodSync(this.#base, 0o755);
    chmodSync(this.server, 0o777);
  }

  /** Writes a file of the server. */
  serve(name: string, bytes: Uint8Array): string {
    return write(path.join(this.server, name), bytes);
  }

  /** Writes a file of the client, and tells its path. */
  keep(name: string, bytes: Uint8Array): string {
    return write(path.join(this.client, name), bytes);
  }

  remove(): void {
    rmSync(this.#base, { recursive: true, force: true });
  }
}

/** The bytes of a test file, the same in each run. */
export function content(length: number): Buffer {
  return seededBytes(length, length);
}

/** Throws unless a file holds exactly these bytes. It does not print them: they may be many. */
export function mustHold(file: string, expected: Uint8Array): void {
  const found = readFileSync(file);
  if (found.equals(expected)) return;
  const different = expected.findIndex((byte, i) => byte !== found[i]);
  const where = different < 0 ? 'it is longer' : `the first difference is at ${different}`;
  throw new Error(`${file} has ${found.length} of ${expected.length} bytes, ${where}`);
}

/**
 * The same for a file that another program has just received: atftpd acknowledges the last block
 * before it has written it, and nothing tells when it has.
 */
export async function willHold(file: string, expected: Uint8Array): Promise<void> {
  const until = performance.now() + 5000;
  while (performance.now() < until && !readFileSync(file).equals(expected)) await setTimeout(10);
  mustHold(file, expected);
}

function write(file: string, bytes: Uint8Array): string {
  writeFileSync(file, bytes);
  chmodSync(file, 0o666);
  return file;
}
