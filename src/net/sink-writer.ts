/** Gathers received blocks into large writes, one at a time, and ends with the sink's `commit` or `discard`. */

import { GatherBuffer } from './gather-buffer';
import { LocalError, isTftpError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { DataSink } from '../storage/storage';

/** What the writer tells. None of these may throw. */
export interface SinkWriterListener {
  /** So many bytes have left memory. */
  written(bytes: number): void;
  /** All is safe. */
  committed(): void;
  /** The sink refused; nothing more will be written. */
  failed(error: TftpError): void;
}

/** A write is worth a system call at this size, in bytes, and for a file that turns out to be large at a larger one. */
const WORTH_WRITING = 64 * 1024;
const WORTH_WRITING_LARGE = 256 * 1024;
const LARGE_FILE = 1024 * 1024;

export class SinkWriter {
  readonly #sink: DataSink;
  readonly #listener: SinkWriterListener;
  readonly #pending = new GatherBuffer();
  #worthWriting = WORTH_WRITING;
  #written = 0;
  #state: 'open' | 'ending' | 'committing' | 'committed' | 'failed' | 'discarded' = 'open';
  #busy = false;
  #running: Promise<void> | undefined;

  constructor(sink: DataSink, listener: SinkWriterListener) {
    this.#sink = sink;
    this.#listener = listener;
  }

  /** Takes bytes. They are copied. */
  push(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    if (this.#pending.length >= this.#worthWriting) this.#run();
  }

  /** Nothing follows: write the rest and commit. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ending';
    this.#run();
  }

  /**
   * Forgets the file, also while a write runs: a reader that has stalled must not hold up the end. A
   * commit that runs is waited for, and its file stays.
   */
  async discard(): Promise<void> {
    if (this.#state === 'committing') await this.#running;
    if (this.#state === 'committed' || this.#state === 'discarded') return;
    this.#state = 'discarded';
    await this.#sink.discard();
  }

  #run(): void {
    if (this.#busy) return;
    this.#busy = true;
    this.#running = this.#work();
  }

  async #work(): Promise<void> {
    try {
      while (this.#state === 'ending' ? this.#pending.length > 0 : this.#isWorthWriting) {
        await this.#writePending();
      }
      if (this.#state !== 'ending') return;
      this.#state = 'committing';
      await this.#sink.commit();
      this.#state = 'committed';
      this.#listener.committed();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#busy = false;
    }
  }

  /** What a write says after it was discarded is of no interest. */
  #fail(error: unknown): void {
    if (this.#state === 'discarded') return;
    this.#state = 'failed';
    this.#listener.failed(
      isTftpError(error) ? error : new LocalError('EIO', 'Writing failed', { cause: error }),
    );
  }

  get #isWorthWriting(): boolean {
    return this.#state === 'open' && this.#pending.length >= this.#worthWriting;
  }

  async #writePending(): Promise<void> {
    const chunk = this.#pending.take();
    await this.#sink.write(chunk);
    this.#written += chunk.length;
    if (this.#written >= LARGE_FILE) this.#worthWriting = WORTH_WRITING_LARGE;
    this.#listener.written(chunk.length);
  }
}
