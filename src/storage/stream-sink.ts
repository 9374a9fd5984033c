/** A Node stream that takes the content. */

import type { Writable } from 'node:stream';
import { LocalError, type TftpError } from '../protocol/errors';
import { fileError } from './file-error';
import type { DataSink } from './storage';

/**
 * Writes to a stream, no faster than it takes the data. `commit` ends the stream and waits until it
 * has finished, `discard` destroys it. When the stream fails, the next call rejects.
 */
export function streamSink(writable: Writable): DataSink {
  return new StreamSink(writable);
}

class StreamSink implements DataSink {
  readonly #writable: Writable;
  #failure: TftpError | undefined;
  #finished = false;
  /** Ends the wait for the stream, if there is one. */
  #wake: () => void = () => undefined;

  constructor(writable: Writable) {
    this.#writable = writable;
    // These listeners stay for good: a stream may fail even after its end, and nobody else listens.
    writable.on('error', (cause) => this.#fail(streamError(cause)));
    writable.on('close', () => this.#closed());
    writable.on('finish', () => this.#finish());
    writable.on('drain', () => this.#wake());
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#check();
    // A stream may keep what it was given for as long as it likes, the caller's memory may change.
    if (this.#writable.write(privateCopy(chunk))) return;
    if (!this.#writable.destroyed) await this.#nextEvent();
    this.#check();
  }

  async commit(): Promise<void> {
    this.#check();
    if (this.#finished) return;
    const event = this.#nextEvent();
    this.#writable.end();
    await event;
    this.#check();
  }

  async discard(): Promise<void> {
    if (this.#finished) return;
    this.#fail(new LocalError('ECANCELED', 'The content was discarded'));
    this.#writable.destroy();
  }

  /** The next of drain, finish, error and close: whichever is awaited, the others end the wait too. */
  #nextEvent(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #finish(): void {
    this.#finished = true;
    this.#wake();
  }

  #closed(): void {
    if (this.#finished) return;
    const cause = this.#writable.errored;
    if (cause !== null) this.#fail(streamError(cause));
    else this.#fail(new LocalError('EIO', 'The stream was closed before its end'));
  }

  #fail(error: TftpError): void {
    this.#failure ??= error;
    this.#wake();
  }

  #check(): void {
    if (this.#writable.destroyed) this.#closed();
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/** A copy in memory that nothing else uses: small Buffers otherwise share a pool. */
export function privateCopy(chunk: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(chunk.length);
  copy.set(chunk);
  return copy;
}

/** A full disk is worth telling the peer; everything else is our stream's own affair. */
function streamError(cause: unknown): TftpError {
  const { code, message } = fileError(cause);
  if (code === 'ENOSPC') return new LocalError('EDISKFULL', message, { cause });
  return new LocalError('EIO', 'The stream that takes the content failed', { cause });
}
