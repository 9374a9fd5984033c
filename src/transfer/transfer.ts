/**
 * The contract of the two machines, `Sender` and `Receiver`. They know no socket, no clock, no file
 * and no platform: packets and `now` come in; datagrams, events and one deadline go out.
 */

import type { TftpError } from '../protocol/errors';
import type { NegotiatedOptions } from '../protocol/options';
import type { TransferPacket } from '../protocol/packet';

/**
 * One transfer as a machine. `now` is any clock that only goes forward, in milliseconds.
 *
 * After each call of `start`, `handlePacket`, `handleTimeout`, `repeatLast`, `abort` and of a
 * machine's own data methods, drain `pollTransmit` and `pollEvent` and read `nextTimeout` again.
 */
export interface Transfer {
  /** Sends the opening. Call once, first. */
  start(now: number): void;
  /** Takes a packet of the peer. What does not belong is ignored; nothing a peer sends makes it throw. */
  handlePacket(packet: TransferPacket, now: number): void;
  /** Call when `nextTimeout` has come. Early and extra calls do nothing. */
  handleTimeout(now: number): void;
  /** The peer repeated its request: our last packet got lost, so it goes out again. Extra calls are bounded like retransmissions. */
  repeatLast(now: number): void;
  /** Tells the peer with an ERROR and ends. After the end it does nothing. */
  abort(error: TftpError, now: number): void;
  /** The peer cannot be reached any more: its port is closed. Nothing is sent to it. */
  handleUnreachable(error: TftpError, now: number): void;
  /** When to call `handleTimeout`; undefined if nothing is waited for. */
  nextTimeout(): number | undefined;
  /** What to send next, until undefined. */
  pollTransmit(): Transmit | undefined;
  /** What happened next, until undefined. */
  pollEvent(): TransferEvent | undefined;
  /** True once nothing more will be sent or awaited: the socket can be closed when the transmits are drained. */
  readonly finished: boolean;
  readonly stats: Readonly<TransferStats>;
}

/**
 * Datagrams to send to the peer, in order, laid end to end. Each is `segmentSize` bytes long, the
 * last may be shorter. A run of consecutive DATA blocks is one transmit, so that a driver can hand it
 * to the kernel at once. The bytes stay unchanged until the blocks are acknowledged.
 */
export interface Transmit {
  readonly datagrams: Uint8Array;
  readonly segmentSize: number;
}

/** What a machine tells its driver. */
export type TransferEvent =
  /** The peer has answered and the options are settled. Once, before any data. */
  | { readonly type: 'negotiated'; readonly options: NegotiatedOptions }
  /** Sender: answer with one `push` of about so many bytes, or with `end`. */
  | { readonly type: 'need-data'; readonly bytes: number }
  /** Receiver: the next bytes of the file. Answer with `consumed` when they are off the heap. */
  | { readonly type: 'data'; readonly payload: Uint8Array }
  /** Receiver: that was all. Answer with `committed` once it is safe; only then is the last block acknowledged. */
  | { readonly type: 'end' }
  /** A timeout without progress passed, and something was repeated. */
  | { readonly type: 'retry'; readonly attempt: number; readonly retries: number }
  /** The file is across. `finalAck` is false if a client acknowledged all of its read but the last block, which was sent. */
  | { readonly type: 'done'; readonly finalAck: boolean }
  | { readonly type: 'failed'; readonly error: TftpError };

/** What a machine counts. */
export interface TransferStats {
  /** Bytes of payload acknowledged by the peer, or received in order. */
  bytes: number;
  /** Packets sent again: DATA blocks, and openings or ACKs after a timeout. */
  retransmits: number;
  /** Packets of the peer that told nothing new. */
  duplicates: number;
  /**
   * How often it stood still in the middle of the file: for a sender, until a timeout; for a receiver,
   * until a timeout, or until what it had already came again with nothing new behind it. A block that
   * is missed because the next one comes is no stall.
   */
  stalls: number;
}
