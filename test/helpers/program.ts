/** Runs programs: to their end, or in the background until a test is over. */

import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import path from 'node:path';

/** The repository's root, seen from the compiled form of this file. */
export const ROOT = path.resolve(__dirname, '..', '..', '..');

/** The command `red-tftp` as it was built. */
export const RED_TFTP = path.join(ROOT, 'dist', 'bin', 'red-tftp.js');

/** How a program ended. */
export interface Outcome {
  /** The exit code; -1 if it was killed, or could not be started. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Where a program runs. */
export interface Surroundings {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** A program that takes longer is killed. */
const LIMIT = 100_000;

/** Runs a program to its end. Never rejects: the outcome tells. */
export function run(
  program: string,
  args: readonly string[],
  surroundings: Surroundings = {},
): Promise<Outcome> {
  const options = { ...surroundings, timeout: LIMIT, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(program, args, { ...options, encoding: 'buffer' }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr: stderr.toString() || (error?.message ?? '') });
    });
  });
}

/** Runs `red-tftp` to its end. */
export function redTftp(args: readonly string[], surroundings?: Surroundings): Promise<Outcome> {
  return run(process.execPath, [RED_TFTP, ...args], surroundings);
}

/** Throws what a program said unless it ended well. */
export function succeeded(outcome: Outcome): Outcome {
  if (outcome.code === 0) return outcome;
  throw new Error(`Exit code ${outcome.code}: ${outcome.stderr}${outcome.stdout.toString()}`);
}

/** A program that runs in the background. */
export class BackgroundProgram {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #news = new EventEmitter();
  #output = '';

  constructor(program: string, args: readonly string[], surroundings: Surroundings = {}) {
    this.#child = spawn(program, args, { ...surroundings, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', (error) => {
        this.#print(String(error));
        resolve();
      });
    });
    this.#child.stdout!.on('data', (chunk: Buffer) => this.#print(chunk.toString()));
    this.#child.stderr!.on('data', (chunk: Buffer) => this.#print(chunk.toString()));
  }

  /** All that it has printed. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    const { pid, exitCode, signalCode } = this.#child;
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  /** Waits until it has printed the pattern. Rejects, with what it said, if it ends before. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    await this.saysSo(() => pattern.test(this.#output), String(pattern));
    return pattern.exec(this.#output)!;
  }

  /** Waits until what it has printed fits. Rejects, with what it said, if it ends before. */
  async saysSo(fits: () => boolean, what: string): Promise<void> {
    while (!fits()) {
      if (!this.running) {
        throw new Error(`The program ended before it said ${what}: ${this.#output}`);
      }
      await Promise.race([once(this.#news, 'output'), this.#ended]);
    }
  }

  /** Kills it, without a chance to tidy up. Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.running) this.#child.kill('SIGKILL');
    await this.#ended;
  }

  /** Waits until it ends by itself. Resolves with its exit code; null: a signal killed it. */
  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }

  /** Ends it if it still runs. Resolves with its exit code when it is gone; null: a signal killed it. */
  async stop(): Promise<number | null> {
    if (this.running) this.#child.kill();
    return this.ended();
  }

  #print(text: string): void {
    this.#output += text;
    this.#news.emit('output');
  }
}
