/**
 * Datagrams that are sent or received in one system call: arrays of `mmsghdr` of 64-bit Linux with all
 * that they point to. Each is built once, and used again and again.
 *
 * ```
 *   mmsghdr, 64 bytes:   0 address of the name      8 length of the name
 *                       16 address of the iovec    24 number of iovecs
 *                       32 address of the control message, 40 its length
 *                       48 flags, and at 56 bytes received: the system tells them
 *   iovec, 16 bytes:     0 address of the bytes     8 number of bytes
 *   control, 24 bytes:   0 length (18)  8 level (SOL_UDP)  12 type (UDP_SEGMENT)  16 bytes in a segment
 * ```
 *
 * The size of the segments goes with each message (udp(7), UDP_SEGMENT): a socket keeps no setting of
 * one transfer that could cut the datagrams of another.
 */

import type { Peer } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';
import { ADDRESS_LENGTH } from './socket-address';
import type { SocketAddress } from './socket-address';

const HEADER = 64;
const IOVEC = 16;
/** Bytes for an address, and for a control message. */
const SLOT = 32;
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const CONTROL_LENGTH = 24;
const ACK_LENGTH = 4;

/** Where things are in a header, in steps of four bytes. */
const NAME_LENGTH = 2;
const CONTROL_SIZE = 10;
const RECEIVED = 14;

/** Tells where bytes are in memory. Those of a `Buffer` do not move. */
export type AddressOf = (bytes: Uint8Array) => bigint;

/** Room for so many messages of so many bytes. */
abstract class Batch {
  /** How many messages there is room for. */
  readonly room: number;
  protected readonly slot: number;
  protected readonly headers: Buffer;
  protected readonly names: Buffer;
  protected readonly bytes: Buffer;
  /** The headers and the iovecs, four bytes at a time. */
  protected readonly words: Uint32Array;
  protected readonly lengths: Uint32Array;
  /** The iovecs, eight bytes at a time: the addresses. */
  protected readonly places: BigUint64Array;
  protected readonly slots: readonly bigint[];
  protected readonly controls: Buffer;
  readonly #iovecs: Buffer;

  constructor(room: number, slot: number, addressOf: AddressOf) {
    this.room = room;
    this.slot = slot;
    this.headers = Buffer.alloc(room * HEADER);
    this.#iovecs = Buffer.alloc(room * IOVEC);
    this.names = Buffer.alloc(room * SLOT);
    this.controls = Buffer.alloc(room * SLOT);
    this.bytes = Buffer.alloc(room * slot);
    this.words = new Uint32Array(this.headers.buffer, this.headers.byteOffset, room * 16);
    this.lengths = new Uint32Array(this.#iovecs.buffer, this.#iovecs.byteOffset, room * 4);
    this.places = new BigUint64Array(this.#iovecs.buffer, this.#iovecs.byteOffset, room * 2);
    const [names, iovecs, controls, bytes] = [
      this.names,
      this.#iovecs,
      this.controls,
      this.bytes,
    ].map(addressOf);
    this.slots = Array.from({ length: room }, (_, i) => bytes! + BigInt(i * slot));
    for (let i = 0; i < room; i += 1) {
      const at = i * HEADER;
      this.headers.writeBigUInt64LE(names! + BigInt(i * SLOT), at);
      this.headers.writeBigUInt64LE(iovecs! + BigInt(i * IOVEC), at + 16);
      this.headers.writeBigUInt64LE(1n, at + 24);
      this.headers.writeBigUInt64LE(controls! + BigInt(i * SLOT), at + 32);
      this.places[2 * i] = this.slots[i]!;
    }
  }

  /** What the system is given, from this message on. */
  headersFrom(index: number): Uint8Array {
    return index === 0 ? this.headers : this.headers.subarray(index * HEADER);
  }
}

/** A message that waits in a batch to be sent. */
export interface Message {
  /** One datagram, or several end to end. */
  readonly run: Transmit;
  readonly peer: Peer;
  /** Hears why a datagram cannot be sent at all. */
  readonly failed: (error: Error) => void;
}

/** Messages to be sent together. */
export class SendBatch extends Batch {
  readonly #addressOf: AddressOf;
  readonly #messages: Message[] = [];

  constructor(room: number, slot: number, addressOf: AddressOf) {
    super(room, slot, addressOf);
    this.#addressOf = addressOf;
    for (let i = 0; i < room; i += 1) {
      const at = i * SLOT;
      this.controls.writeBigUInt64LE(18n, at);
      this.controls.writeInt32LE(SOL_UDP, at + 8);
      this.controls.writeInt32LE(UDP_SEGMENT, at + 12);
    }
  }

  /** How many messages wait. */
  get count(): number {
    return this.#messages.length;
  }

  get isFull(): boolean {
    return this.#messages.length === this.room;
  }

  message(index: number): Message {
    return this.#messages[index]!;
  }

  /**
   * Adds a message; there must be room. Short ones are copied; the memory of long ones stays as it
   * is until the batch is cleared.
   */
  add(message: Message, to: SocketAddress): void {
    const index = this.#messages.length;
    const { datagrams, segmentSize } = message.run;
    this.#messages.push(message);
    if (datagrams.length <= this.slot) {
      this.bytes.set(datagrams, index * this.slot);
      this.places[2 * index] = this.slots[index]!;
    } else {
      this.places[2 * index] = this.#addressOf(datagrams);
    }
    this.lengths[4 * index + 2] = datagrams.length;
    this.names.set(to, index * SLOT);
    this.words[16 * index + NAME_LENGTH] = to.length;
    const isCut = datagrams.length > segmentSize;
    this.words[16 * index + CONTROL_SIZE] = isCut ? CONTROL_LENGTH : 0;
    if (isCut) this.controls.writeUInt16LE(segmentSize, index * SLOT + 16);
  }

  clear(): void {
    this.#messages.length = 0;
  }
}

/** Messages that were received together. */
export class ReceiveBatch extends Batch {
  /** Views that are used again: nearly all that readers send are ACKs. */
  readonly #acks: readonly Uint8Array[];
  readonly #senders: readonly SocketAddress[];
  /** How many of the messages the system has written to. */
  #used: number;

  constructor(room: number, slot: number, addressOf: AddressOf) {
    super(room, slot, addressOf);
    this.#used = room;
    this.#senders = Array.from({ length: room }, (_, i) =>
      this.names.subarray(i * SLOT, i * SLOT + ADDRESS_LENGTH),
    );
    this.#acks = Array.from({ length: room }, (_, i) =>
      this.bytes.subarray(i * slot, i * slot + ACK_LENGTH),
    );
  }

  /** Makes room for what is received next. */
  prepare(): void {
    for (let i = 0; i < this.#used; i += 1) {
      this.lengths[4 * i + 2] = this.slot;
      this.words[16 * i + NAME_LENGTH] = SLOT;
      this.words[16 * i + CONTROL_SIZE] = 0;
    }
    this.#used = 0;
  }

  /** So many messages were received. */
  received(count: number): void {
    this.#used = count;
  }

  /** The bytes of a message, as a view. */
  datagram(index: number): Uint8Array {
    const length = this.words[16 * index + RECEIVED]!;
    if (length === ACK_LENGTH) return this.#acks[index]!;
    return this.bytes.subarray(index * this.slot, index * this.slot + length);
  }

  /** Who sent it, as a view. */
  sender(index: number): SocketAddress {
    return this.#senders[index]!;
  }
}

/**
 * An error that the system reports of a datagram that was sent (ip(7), IP_RECVERR): a message that is
 * received with room for a control message.
 *
 * ```
 *   control:  0 length  8 level  12 type  16 sock_extended_err:
 *             16 error number  20 origin (2 ICMP, 3 ICMPv6)  21 type  22 code
 * ```
 */
export class ErrorMessage extends Batch {
  constructor(addressOf: AddressOf) {
    super(1, 512, addressOf);
    // One address is of no use here, and 512 bytes hold every control message.
    this.headers.writeBigUInt64LE(this.slots[0]!, 32);
    this.headers.writeBigUInt64LE(0n, 24);
  }

  prepare(): void {
    this.words[NAME_LENGTH] = SLOT;
    this.words[CONTROL_SIZE] = this.slot;
  }

  /** The number of the error that another host has reported by ICMP; undefined for any other. */
  get reported(): number | undefined {
    const origin = this.bytes[20];
    return origin === 2 || origin === 3 ? this.bytes.readUInt32LE(16) : undefined;
  }

  /** Where the datagram was to go, as a view. */
  get destination(): SocketAddress {
    return this.names.subarray(0, ADDRESS_LENGTH);
  }
}
