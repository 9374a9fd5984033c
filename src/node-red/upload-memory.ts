/** What uploads into messages hold in memory until they are whole: all servers of this process together. */

import { threadId } from 'node:worker_threads';
import { LocalError } from '../protocol/errors';

/** What it takes to count the same memory in another thread. */
export interface UploadMemoryData {
  readonly limit: number;
  readonly all: SharedArrayBuffer;
  readonly own: SharedArrayBuffer;
}

/** Bytes of all servers. */
const ALL = new SharedArrayBuffer(8);

/** The share of one server. Each server has its own limit for what all of them hold. */
export class UploadMemory {
  readonly #limit: number;
  readonly #all: BigInt64Array<SharedArrayBuffer>;
  /** Bytes of this server, and the worker thread that holds them. */
  readonly #own: BigInt64Array<SharedArrayBuffer>;

  /** @param limit bytes. */
  constructor(limit: number, all = ALL, own = new SharedArrayBuffer(16)) {
    this.#limit = limit;
    this.#all = new BigInt64Array(all);
    this.#own = new BigInt64Array(own);
  }

  /** The same memory, counted in a worker thread. What a thread before this one held is gone with it. */
  static inThread({ limit, all, own }: UploadMemoryData): UploadMemory {
    const memory = new UploadMemory(limit, all, own);
    const before = Atomics.exchange(memory.#own, 1, BigInt(threadId));
    if (before !== BigInt(threadId)) memory.clear();
    return memory;
  }

  get data(): UploadMemoryData {
    return { limit: this.#limit, all: this.#all.buffer, own: this.#own.buffer };
  }

  /** Bytes that all servers hold. */
  get held(): number {
    return Number(Atomics.load(this.#all, 0));
  }

  /** @throws {LocalError} ENOSPC, which names the setting, if so many bytes more would be too many. */
  check(bytes: number): void {
    if (this.held + bytes > this.#limit) throw noRoom(this.#limit);
  }

  /** Counts bytes that are about to be held. @throws {LocalError} as `check`; then nothing is counted. */
  take(bytes: number): void {
    const before = Number(Atomics.add(this.#all, 0, BigInt(bytes)));
    if (before + bytes > this.#limit) {
      Atomics.sub(this.#all, 0, BigInt(bytes));
      throw noRoom(this.#limit);
    }
    Atomics.add(this.#own, 0, BigInt(bytes));
  }

  /** Counts bytes that are held no longer. */
  give(bytes: number): void {
    Atomics.sub(this.#own, 0, BigInt(bytes));
    Atomics.sub(this.#all, 0, BigInt(bytes));
  }

  /** The server has no uploads any more. */
  clear(): void {
    Atomics.sub(this.#all, 0, Atomics.exchange(this.#own, 0, 0n));
  }
}

function noRoom(limit: number): LocalError {
  const message = `Unfinished uploads would hold more than ${limit} bytes of memory: increase "Upload memory", or save uploads in a folder only`;
  return new LocalError('ENOSPC', message, {
    peerMessage: 'No memory left for uploads, try again later',
  });
}
