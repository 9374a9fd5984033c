/** A sink whose bytes an async iteration takes out again: back-pressure from the reader to the network. */

import type { DataSink } from '../storage/storage';

/** Holds one chunk at a time; `write` settles when the reader has taken it. */
export class ChannelSink implements DataSink, AsyncIterable<Buffer> {
  #chunk: { readonly bytes: Uint8Array; readonly taken: () => void } | undefined;
  #ended = false;
  #left = false;
  #error: unknown;
  #wakeReader: (() => void) | undefined;

  write(bytes: Uint8Array): Promise<void> {
    if (this.#left) return Promise.resolve();
    return new Promise((taken) => {
      this.#chunk = { bytes, taken };
      this.#wake();
    });
  }

  commit(): Promise<void> {
    this.#ended = true;
    this.#wake();
    return Promise.resolve();
  }

  /** Why the transfer failed is told by `fail`. */
  discard(): Promise<void> {
    return Promise.resolve();
  }

  /** The reader has left: what is written from now on goes nowhere. */
  leave(): void {
    this.#left = true;
    this.#chunk?.taken();
    this.#chunk = undefined;
  }

  /** The transfer failed: the reader gets this error. */
  fail(error: unknown): void {
    this.#error = error;
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      if (this.#chunk !== undefined) {
        const { bytes, taken } = this.#chunk;
        yield Buffer.from(bytes);
        this.#chunk = undefined;
        taken();
      } else if (this.#ended) {
        if (this.#error !== undefined) throw this.#error;
        return;
      } else {
        await new Promise<void>((wake) => (this.#wakeReader = wake));
      }
    }
  }

  #wake(): void {
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }
}
