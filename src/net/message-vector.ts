/**
 * Room for several datagrams that are sent in one system call: an array of `mmsghdr` of
 * 64-bit Linux with all that it points to. It is built once, and used again and again.
 *
 * ```
 *   mmsghdr, 64 bytes:   0 address of the name     8 length of the name
 *                       16 address of the iovec   24 number of iovecs
 *                       32 control, its length, flags: zero
 *                       56 what the system tells
 *   iovec, 16 bytes:     0 address of the bytes    8 number of bytes
 * ```
 */

import type { SocketAddress } from './socket-address';

const HEADER_LENGTH = 64;
const IOVEC_LENGTH = 16;
const NAME_SLOT = 32;
const NAME_LENGTH = 8;

export class MessageVector {
  readonly #headers: Buffer;
  readonly #iovecs: Buffer;
  readonly #names: Buffer;
  readonly #bytes: Buffer;
  readonly #slot: number;

  /**
   * @param count how many datagrams there is room for.
   * @param slot how long each of them can be, in bytes.
   * @param addressOf tells where bytes are in memory, which does not move.
   */
  constructor(count: number, slot: number, addressOf: (bytes: Uint8Array) => bigint) {
    this.#slot = slot;
    this.#headers = Buffer.alloc(count * HEADER_LENGTH);
    this.#iovecs = Buffer.alloc(count * IOVEC_LENGTH);
    this.#names = Buffer.alloc(count * NAME_SLOT);
    this.#bytes = Buffer.alloc(count * slot);
    const [names, iovecs, bytes] = [this.#names, this.#iovecs, this.#bytes].map(addressOf);
    for (let i = 0; i < count; i += 1) {
      const header = i * HEADER_LENGTH;
      this.#headers.writeBigUInt64LE(names! + BigInt(i * NAME_SLOT), header);
      this.#headers.writeBigUInt64LE(iovecs! + BigInt(i * IOVEC_LENGTH), header + 16);
      this.#headers.writeBigUInt64LE(1n, header + 24);
      this.#iovecs.writeBigUInt64LE(bytes! + BigInt(i * slot), i * IOVEC_LENGTH);
    }
  }

  /** Puts a datagram in a place. It has to fit. */
  put(index: number, datagram: Uint8Array, to: SocketAddress): void {
    this.#bytes.set(datagram, index * this.#slot);
    this.#iovecs.writeUInt32LE(datagram.length, index * IOVEC_LENGTH + 8);
    this.#names.set(to, index * NAME_SLOT);
    this.#headers.writeUInt32LE(to.length, index * HEADER_LENGTH + NAME_LENGTH);
  }

  /** What the system is given, from a place on. */
  headersFrom(index: number): Uint8Array {
    return index === 0 ? this.#headers : this.#headers.subarray(index * HEADER_LENGTH);
  }
}
