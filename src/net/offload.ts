/**
 * A socket that speaks to the kernel directly, beside `node:dgram`: a window leaves as one piece that
 * the kernel cuts into datagrams (UDP segmentation offload), and may arrive as one piece. What it
 * cannot do, the caller does through `node:dgram`, with the same bytes on the wire.
 */

import type { Peer } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';
import type { MessageVector } from './message-vector';
import { PeerBook } from './peer-book';
import { ReplyBatch } from './reply-batch';
import { blankAddress, socketAddress } from './socket-address';
import type { SocketAddress } from './socket-address';
import {
  COALESCE,
  ECONNREFUSED,
  IPV6_ONLY,
  REUSE_ADDRESS,
  SEGMENT_SIZE,
  refusesPieces,
  systemCalls,
} from './system-calls';
import type { Descriptor, SystemCalls } from './system-calls';

/** So many datagrams go out in one piece at most (`UDP_MAX_SEGMENTS` of Linux). */
const MAX_SEGMENTS = 64;
/** And so many bytes: with the headers of UDP and IP they fit 65,535. */
const MAX_PIECE = 65_000;

/** Hosts to which segments cannot be sent, as a network on the way there is too narrow or encrypts. */
const refusing = new Set<string>();
const MOST_REFUSING = 1000;

/** What was received last, of all sockets: it is handled before the next one is received. */
const received = new Uint8Array(64 * 1024);
const sender = blankAddress();

/** Views of the shortest datagrams: an ACK has four bytes, and there are more ACKs than anything else. */
const short = Array.from({ length: 8 }, (_, length) => received.subarray(0, length));

/** So many datagrams of so many bytes are received together at most. */
const MOST_TOGETHER = 64;
const LONGEST_TOGETHER = 2048;

/** The same for what may itself be several datagrams in one. */
const MOST_JOINED = 16;
const LONGEST_JOINED = 64 * 1024;

/** What was received together, by one socket at a time. */
let arrived: MessageVector | undefined;
let joined: MessageVector | undefined;

/** An open socket of the system. `node:dgram` owns and closes its descriptor. */
export class OffloadSocket {
  readonly descriptor: Descriptor;
  readonly #calls: SystemCalls;
  readonly #connectedTo: Peer | undefined;
  #segmentSize = 0;
  /** True since the last run, also where an ERROR has gone out whole. */
  #cuts = false;
  #coalesces = false;
  #error = 0;
  readonly #replies: ReplyBatch;
  #gathers = false;
  #refused: ((error: Error) => void) | undefined;
  readonly #book = new PeerBook();

  /**
   * Binds a socket, and connects it to a peer if one is given: then it hears that peer alone.
   *
   * @param joins the port is one that a socket of ours has already.
   * @returns undefined if that cannot be done in this way. `node:dgram` may do it, or tell why not.
   */
  static open(local: Peer, joins: boolean, peer?: Peer): OffloadSocket | undefined {
    const calls = systemCalls();
    const address = socketAddress(local);
    const to = peer && socketAddress(peer);
    if (calls === undefined || address === undefined || (peer && !to)) return undefined;
    const ipv6 = local.address.includes(':');
    const descriptor = calls.open(ipv6);
    if (descriptor < 0) return undefined;
    if (ipv6) calls.set(descriptor, IPV6_ONLY, 1);
    if (joins) calls.set(descriptor, REUSE_ADDRESS, 1);
    const bound = calls.bind(descriptor, address) === 0;
    if (bound && (!to || calls.connect(descriptor, to) === 0)) {
      return new OffloadSocket(calls, descriptor, peer);
    }
    calls.close(descriptor);
    return undefined;
  }

  private constructor(calls: SystemCalls, descriptor: Descriptor, peer: Peer | undefined) {
    this.#calls = calls;
    this.descriptor = descriptor;
    this.#connectedTo = peer;
    this.#replies = new ReplyBatch(calls, descriptor);
  }

  /** True if what arrives in one burst is handed out in one piece. */
  get coalesces(): boolean {
    return this.#coalesces;
  }

  /** True while datagrams leave or arrive several at a time. */
  get offloads(): boolean {
    return this.#cuts || this.#coalesces;
  }

  /** @param refused hears when the peer's host says that nothing listens there. Only for a connected socket. */
  onRefused(refused: (error: Error) => void): void {
    this.#refused = refused;
  }

  /** Frees the descriptor. Only for a socket that `node:dgram` did not take over. */
  abandon(): void {
    this.#calls.close(this.descriptor);
  }

  /** Whether more sockets may have this port from now on; `node:dgram` lets all share what it takes over. */
  share(may: boolean): void {
    this.#calls.set(this.descriptor, REUSE_ADDRESS, may ? 1 : 0);
  }

  /** Has what arrives in one burst handed out in one piece. False if the kernel cannot. */
  coalesce(): boolean {
    this.#coalesces = this.#calls.set(this.descriptor, COALESCE, 1) === 0;
    return this.#coalesces;
  }

  /** Sends what can be sent at once, and returns how many bytes that were. */
  send({ datagrams, segmentSize }: Transmit, peer: Peer): number {
    const to = this.#connectedTo ? undefined : this.#book.addressOf(peer);
    if (to === undefined && !this.#connectedTo) return 0;
    if (datagrams.length <= segmentSize) {
      this.#leaveWhole(datagrams.length);
      if (this.#gathers && to && this.#replies.add(datagrams, to)) return datagrams.length;
    }
    // What was gathered came first, and may be the beginning of this window.
    this.flush();
    if (datagrams.length <= segmentSize) return this.#sendEach(datagrams, segmentSize, to);
    const most = Math.min(MAX_SEGMENTS, Math.floor(MAX_PIECE / segmentSize));
    if (most < 2) this.#leaveWhole(segmentSize);
    if (most < 2 || !this.#cutInto(segmentSize, peer)) {
      return this.#sendEach(datagrams, segmentSize, to);
    }
    const sent = this.#sendEach(datagrams, most * segmentSize, to);
    if (sent < datagrams.length && refusesPieces(this.#error)) this.#stopCutting(peer);
    return sent;
  }

  /** Short datagrams wait for `flush` from now on, and then leave in one system call. */
  startGathering(): void {
    this.#gathers = true;
  }

  /** Sends what was gathered, and gathers no more. */
  stopGathering(): void {
    this.#gathers = false;
    this.flush();
  }

  /** Sends what was gathered. False if nothing was. */
  flush(): boolean {
    return this.#replies.flush();
  }

  /** Hands out the next datagram. 0 if there is none, else 1. */
  receive(heard: (datagram: Uint8Array, from: Peer) => void): number {
    const peer = this.#connectedTo;
    const length = this.#calls.receive(this.descriptor, received, peer ? undefined : sender);
    if (length < 0) {
      this.#failed(-length);
      return 0;
    }
    heard(short[length] ?? received.subarray(0, length), peer ?? this.#book.senderOf(sender));
    return 1;
  }

  /** Hands out the next datagrams, as many as have come, and gives their number. Those that are too long for here are lost. */
  receiveMany(heard: (datagram: Uint8Array, from: Peer) => void): number {
    const vector = this.#coalesces
      ? (joined ??= this.#calls.vector(MOST_JOINED, LONGEST_JOINED))
      : (arrived ??= this.#calls.vector(MOST_TOGETHER, LONGEST_TOGETHER));
    vector.clear();
    const count = this.#calls.receiveMany(this.descriptor, vector);
    if (count < 0) this.#failed(-count);
    for (let i = 0; i < count; i += 1) {
      const datagram = vector.datagram(i);
      if (datagram) heard(datagram, this.#connectedTo ?? this.#book.senderOf(vector.sender(i)));
    }
    return Math.max(0, count);
  }

  #sendEach(bytes: Uint8Array, size: number, to: SocketAddress | undefined): number {
    let at = 0;
    while (at < bytes.length) {
      const piece = bytes.length <= size ? bytes : bytes.subarray(at, at + size);
      const sent = this.#calls.send(this.descriptor, piece, to);
      if (sent < 0) {
        this.#failed(-sent);
        return at;
      }
      at += piece.length;
    }
    return at;
  }

  /** The system tells such an error once, so whoever meets it passes it on. */
  #failed(error: number): void {
    this.#error = error;
    if (error !== ECONNREFUSED) return;
    const refusal = Object.assign(new Error('Connection refused'), { code: 'ECONNREFUSED' });
    this.#refused?.(refusal);
  }

  /** True if the kernel cuts what we send into datagrams of this size. */
  #cutInto(segmentSize: number, { address }: Peer): boolean {
    if (refusing.has(address)) {
      this.#leaveWhole(segmentSize);
      return false;
    }
    if (this.#segmentSize === segmentSize) return true;
    this.flush();
    const done = this.#calls.set(this.descriptor, SEGMENT_SIZE, segmentSize) === 0;
    if (done) this.#segmentSize = segmentSize;
    else this.#leaveWhole(segmentSize);
    this.#cuts = done;
    return done;
  }

  /** Sees to it that a datagram of so many bytes is not cut. */
  #leaveWhole(size: number): void {
    if (size <= this.#segmentSize || this.#segmentSize === 0) return;
    this.flush();
    this.#calls.set(this.descriptor, SEGMENT_SIZE, 0);
    this.#segmentSize = 0;
  }

  /** The path is too narrow for such datagrams in one piece, or something on it encrypts them. */
  #stopCutting({ address }: Peer): void {
    this.#leaveWhole(Infinity);
    this.#cuts = false;
    if (refusing.size >= MOST_REFUSING) refusing.clear();
    refusing.add(address);
  }
}
