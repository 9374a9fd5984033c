/** Content that is collected in memory. */

import { constants } from 'node:buffer';
import { LocalError } from '../protocol/errors';
import type { DataSink } from './storage';

const EMPTY = Buffer.alloc(0);

/**
 * Collects everything in one Buffer. Its size has no other limit than Node's own (about 4 GiB):
 * bound it with `maxSize`.
 */
export class BufferSink implements DataSink {
  #chunks: Buffer[] = [];
  #length = 0;
  #data: Buffer = EMPTY;

  /** Everything, after `commit`; empty before. Exactly as large, and its memory belongs to nobody else. */
  get data(): Buffer {
    return this.#data;
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#length + chunk.length > constants.MAX_LENGTH) {
      throw new LocalError('ETOOLARGE', 'The content does not fit into memory');
    }
    this.#chunks.push(Buffer.from(chunk));
    this.#length += chunk.length;
  }

  async commit(): Promise<void> {
    const data = Buffer.allocUnsafeSlow(this.#length);
    let position = 0;
    for (const chunk of this.#chunks) {
      data.set(chunk, position);
      position += chunk.length;
    }
    this.#chunks = [];
    this.#data = data;
  }

  async discard(): Promise<void> {
    this.#chunks = [];
    this.#length = 0;
  }
}
