/**
 * Room for several datagrams that are sent or received in one system call: an array of `mmsghdr` of
 * 64-bit Linux with all that it points to. It is built once, and used again and again.
 *
 * ```
 *   mmsghdr, 64 bytes:   0 address of the name     8 length of the name
 *                       16 address of the iovec   24 number of iovecs
 *                       32 control, its length, flags: zero
 *                       48 flags, and at 56 bytes received: the system tells them
 *   iovec, 16 bytes:     0 address of the bytes    8 number of bytes
 * ```
 */

import { ADDRESS_LENGTH } from './socket-address';
import type { SocketAddress } from './socket-address';

const HEADER_LENGTH = 64;
const IOVEC_LENGTH = 16;
const NAME_SLOT = 32;
const NAME_LENGTH = 8;
const FLAGS = 48;
const RECEIVED = 56;
const MSG_TRUNC = 0x20;
const ACK_LENGTH = 4;

export class MessageVector {
  /** How many datagrams there is room for. */
  readonly count: number;
  readonly #headers: Buffer;
  readonly #iovecs: Buffer;
  readonly #names: Buffer;
  readonly #bytes: Buffer;
  /** Views that are used again, as nearly all that a crowd sends are ACKs. */
  readonly #acks: readonly Uint8Array[];
  readonly #senders: readonly SocketAddress[];
  readonly #slot: number;

  /**
   * @param slot how long each of them can be, in bytes.
   * @param addressOf tells where bytes are in memory, which does not move.
   */
  constructor(count: number, slot: number, addressOf: (bytes: Uint8Array) => bigint) {
    this.count = count;
    this.#slot = slot;
    this.#headers = Buffer.alloc(count * HEADER_LENGTH);
    this.#iovecs = Buffer.alloc(count * IOVEC_LENGTH);
    this.#names = Buffer.alloc(count * NAME_SLOT);
    this.#bytes = Buffer.alloc(count * slot);
    this.#senders = Array.from({ length: count }, (_, i) =>
      this.#names.subarray(i * NAME_SLOT, i * NAME_SLOT + ADDRESS_LENGTH),
    );
    this.#acks = Array.from({ length: count }, (_, i) =>
      this.#bytes.subarray(i * slot, i * slot + ACK_LENGTH),
    );
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

  /** Makes room for what is received next. */
  clear(): void {
    for (let i = 0; i < this.count; i += 1) {
      this.#iovecs.writeUInt32LE(this.#slot, i * IOVEC_LENGTH + 8);
      this.#headers.writeUInt32LE(NAME_SLOT, i * HEADER_LENGTH + NAME_LENGTH);
    }
  }

  /** What was received in a place, as a view; undefined if there was more than fits. */
  datagram(index: number): Uint8Array | undefined {
    const header = index * HEADER_LENGTH;
    if ((this.#headers.readUInt32LE(header + FLAGS) & MSG_TRUNC) !== 0) return undefined;
    const length = this.#headers.readUInt32LE(header + RECEIVED);
    if (length === ACK_LENGTH) return this.#acks[index];
    return this.#bytes.subarray(index * this.#slot, index * this.#slot + length);
  }

  /** Who sent it, as a view. */
  sender(index: number): SocketAddress {
    return this.#senders[index]!;
  }

  /** What the system is given, from a place on. */
  headersFrom(index: number): Uint8Array {
    return index === 0 ? this.#headers : this.#headers.subarray(index * HEADER_LENGTH);
  }
}
