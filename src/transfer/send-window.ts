/**
 * The blocks that are sent and not yet acknowledged, and those that are ready to be sent, encoded as
 * the datagrams they will be. Consecutive blocks lie end to end, so that a run of them needs no
 * copying on its way to the kernel.
 */

import { toWire } from '../protocol/block-number';
import type { Rollover } from '../protocol/block-number';
import { DATA_HEADER, Opcode } from '../protocol/constants';
import { writeHeader } from '../protocol/encode';
import type { Transmit } from './transfer';

/** Datagrams of consecutive blocks. All but the last of the file are `stride` long. */
interface Slab {
  /** The position of the first block. */
  readonly first: number;
  readonly datagrams: Uint8Array;
  /** Bytes of payload in it. */
  filled: number;
}

/** A run of blocks that can go out. */
export interface BlockRun extends Transmit {
  readonly count: number;
}

/** Positions count from 1. Invariant: every slab but the last is full. */
export class SendWindow {
  readonly #blksize: number;
  readonly #stride: number;
  readonly #rollover: Rollover;
  readonly #slabs: Slab[] = [];
  /** The position of the next slab's first block. */
  #nextFirst = 1;
  #pushed = 0;
  #ended = false;

  constructor(blksize: number, rollover: Rollover) {
    this.#blksize = blksize;
    this.#stride = blksize + DATA_HEADER;
    this.#rollover = rollover;
  }

  /** The position of the file's last block, known once it has ended. The last block is shorter than the others, and may be empty. */
  get last(): number | undefined {
    return this.#ended ? Math.floor(this.#pushed / this.#blksize) + 1 : undefined;
  }

  /** The position of the last block that can be sent already; 0 if there is none. */
  get available(): number {
    return this.last ?? Math.floor(this.#pushed / this.#blksize);
  }

  /** Takes the next bytes of the file. They are copied. */
  push(chunk: Uint8Array): void {
    let rest = this.#fill(chunk);
    if (rest.length > 0) {
      this.#slabs.push(this.#newSlab(Math.ceil(rest.length / this.#blksize)));
      rest = this.#fill(rest);
    }
    this.#pushed += chunk.length;
  }

  /** The file has no more bytes. */
  end(): void {
    if (this.#pushed % this.#blksize === 0) this.#slabs.push(this.#newSlab(1));
    this.#ended = true;
  }

  /** The longest run from `position` on that lies end to end, at most `count` blocks; undefined if that block is not there yet. */
  run(position: number, count: number): BlockRun | undefined {
    const slab = this.#slabOf(position);
    if (slab === undefined || position > this.available) return undefined;
    const inSlab = slab.datagrams.length / this.#stride - (position - slab.first);
    const length = Math.min(count, inSlab, this.available - position + 1);
    const start = (position - slab.first) * this.#stride;
    const end = start + this.#bytesOf(position, length);
    return {
      datagrams: slab.datagrams.subarray(start, end),
      segmentSize: Math.min(this.#stride, end - start),
      count: length,
    };
  }

  /** Forgets the blocks up to `position`. */
  release(position: number): void {
    while (this.#slabs.length > 0) {
      const slab = this.#slabs[0]!;
      const lastOfSlab = slab.first + slab.datagrams.length / this.#stride - 1;
      if (lastOfSlab > position) return;
      this.#slabs.shift();
    }
  }

  /** Bytes of payload in the blocks up to `position`. */
  bytesUpTo(position: number): number {
    return Math.min(position * this.#blksize, this.#pushed);
  }

  /** There are two or three of them, and the first is mostly the one. */
  #slabOf(position: number): Slab | undefined {
    let found: Slab | undefined;
    for (const slab of this.#slabs) {
      if (slab.first > position) return found;
      found = slab;
    }
    return found;
  }

  /** Bytes of `count` datagrams from `position` on. */
  #bytesOf(position: number, count: number): number {
    const payload = this.bytesUpTo(position + count - 1) - this.bytesUpTo(position - 1);
    return payload + count * DATA_HEADER;
  }

  /** Puts bytes into the free room of the last slab, and returns what did not fit. */
  #fill(chunk: Uint8Array): Uint8Array {
    const slab = this.#slabs.at(-1);
    if (slab === undefined) return chunk;
    const room = (slab.datagrams.length / this.#stride) * this.#blksize - slab.filled;
    const fitting = Math.min(room, chunk.length);
    let at = 0;
    while (at < fitting) {
      const index = Math.floor(slab.filled / this.#blksize);
      const inBlock = slab.filled % this.#blksize;
      const part = chunk.subarray(at, Math.min(at + this.#blksize - inBlock, fitting));
      slab.datagrams.set(part, index * this.#stride + DATA_HEADER + inBlock);
      slab.filled += part.length;
      at += part.length;
    }
    return chunk.subarray(fitting);
  }

  #newSlab(blocks: number): Slab {
    const datagrams = new Uint8Array(blocks * this.#stride);
    for (let i = 0; i < blocks; i += 1) {
      const wire = toWire(this.#nextFirst + i, this.#rollover);
      writeHeader(datagrams, i * this.#stride, Opcode.DATA, wire);
    }
    const slab = { first: this.#nextFirst, datagrams, filled: 0 };
    this.#nextFirst += blocks;
    return slab;
  }
}
