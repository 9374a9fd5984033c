/** The content of a stream, or of anything that can be iterated. */

import { LocalError, isTftpError } from '../protocol/errors';
import type { DataSource } from './storage';

/** What a stream may be made of: bytes, or text that is sent as UTF-8. */
export type Chunks = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/**
 * Reads from a Node `Readable`, a generator or any other iterable, at the pace of the transfer.
 * Closing the source ends the iterator and destroys the stream.
 *
 * @param size The length in bytes, if it is known; it is not checked.
 */
export function streamSource(chunks: Chunks, size?: number): DataSource {
  return new StreamSource(chunks, size);
}

/** The parts of a Node stream that are needed here, whichever package it comes from. */
interface StreamLike {
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

class StreamSource implements DataSource {
  readonly size: number | undefined;
  readonly #stream: StreamLike | undefined;
  readonly #iterator: AsyncIterator<Uint8Array | string> | Iterator<Uint8Array | string>;
  #reading = false;

  constructor(chunks: Chunks, size: number | undefined) {
    this.size = size;
    this.#stream = isStream(chunks) ? chunks : undefined;
    // The iterator tells of an error too, but only once it is asked: until then nobody would listen.
    this.#stream?.on('error', () => undefined);
    this.#iterator =
      Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  }

  async read(): Promise<Uint8Array | undefined> {
    this.#reading = true;
    try {
      return await this.#nextBytes();
    } catch (cause) {
      throw isTftpError(cause) ? cause : sourceError('The source of the content failed', cause);
    } finally {
      this.#reading = false;
    }
  }

  async close(): Promise<void> {
    this.#stream?.destroy();
    const ended = this.#endIterator();
    // A generator that waits for data ends only when that has come, which may be never.
    if (!this.#reading) await ended;
  }

  async #nextBytes(): Promise<Uint8Array | undefined> {
    for (;;) {
      const { done, value } = await this.#iterator.next();
      if (done === true) return undefined;
      const bytes = toBytes(value);
      if (bytes.length > 0) return bytes;
    }
  }

  async #endIterator(): Promise<void> {
    try {
      await this.#iterator.return?.();
    } catch {
      // The transfer is over; there is nobody left to be told.
    }
  }
}

function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (chunk instanceof Uint8Array) return chunk;
  throw sourceError(`The source gave a chunk of type ${typeof chunk}: it must be bytes or text`);
}

function sourceError(text: string, cause?: unknown): LocalError {
  return new LocalError('EIO', text, { cause });
}

function isStream(value: unknown): value is StreamLike {
  if (typeof value !== 'object' || value === null) return false;
  if (!('on' in value && 'destroy' in value)) return false;
  return typeof value.on === 'function' && typeof value.destroy === 'function';
}
