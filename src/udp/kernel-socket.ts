/**
 * A socket that speaks to the kernel directly, beside `node:dgram`: many datagrams leave in one system
 * call, those of a window in one piece that the kernel cuts (UDP segmentation offload), and they may
 * arrive so. What it cannot do, the caller does through `node:dgram`, with the same bytes on the wire.
 */

import type { Peer } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';
import { AddressCache } from './address-cache';
import type { ErrorMessage, Message, ReceiveBatch, SendBatch } from './batches';
import { isIPv6 } from './ip-version';
import { socketAddress } from './socket-address';
import {
  COALESCE,
  EAGAIN,
  ECONNREFUSED,
  EINVAL,
  EIO,
  EMSGSIZE,
  ENOBUFS,
  IPV6_ONLY,
  REPORT_ERRORS,
  REPORT_ERRORS_IPV6,
  REUSE_ADDRESS,
  systemCalls,
} from './system-calls';
import type { Descriptor, SystemCalls } from './system-calls';

/** So many datagrams go out in one piece at most (`UDP_MAX_SEGMENTS` of Linux). */
const MAX_SEGMENTS = 64;
/** And so many bytes: with the headers of UDP and IP they fit 65,535. */
const MAX_PIECE = 65_000;

/** What a network says to a piece that it takes datagram by datagram only: it is too narrow for it, or encrypts it. */
const REFUSALS = [EIO, EINVAL, EMSGSIZE];
/** Hosts to which pieces cannot be sent, and how many of them are remembered. */
const refusing = new Set<string>();
const MOST_REFUSING = 1000;

/** So many messages are sent or received together at most. */
const MOST_TOGETHER = 64;
/** Longer ones are sent from where they are. */
const LONGEST_COPIED = 2048;
/**
 * Room for the longest datagram, and for many that the kernel has joined. The system gives memory to what
 * is used of it. It is no power of two, so that the beginnings do not compete for one place in the cache.
 */
const LONGEST_RECEIVED = 64 * 1024 + 192;

/** The memory of all sockets: what is in it is sent or handed out before another socket has its turn. */
interface Batches {
  /** What is sent at once. */
  readonly sending: SendBatch;
  /** What waits while one socket answers many datagrams, see `gather`. */
  readonly gathering: SendBatch;
  readonly receiving: ReceiveBatch;
  readonly error: ErrorMessage;
}
let batches: Batches | undefined;

/** Who hears of what happens at the socket. None of these may throw. */
export interface KernelSocketListener {
  /** @param datagram its memory is used again as soon as this returns. */
  message(datagram: Uint8Array, from: Peer): void;
  /** The kernel did not take this: it is to be sent datagram by datagram. */
  unsent(message: Message): void;
  /** The host of this peer reports that nothing listens at its port. Comes in the middle of other calls. */
  refused(peer: Peer): void;
}

/** An open socket of the system. `node:dgram` owns and closes its descriptor. */
export class KernelSocket {
  readonly descriptor: Descriptor;
  readonly #calls: SystemCalls;
  readonly #batches: Batches;
  readonly #addresses = new AddressCache();
  #listener: KernelSocketListener | undefined;
  #coalesces = false;
  #gathers = false;
  #closed = false;

  /**
   * Binds a socket.
   *
   * @param joins the port is one that a socket of ours has already.
   * @returns undefined if that cannot be done in this way. `node:dgram` may do it, or tell why not.
   */
  static open(local: Peer, joins: boolean): KernelSocket | undefined {
    const calls = systemCalls();
    const address = socketAddress(local);
    if (calls === undefined || address === undefined) return undefined;
    const ipv6 = isIPv6(local.address);
    const descriptor = calls.open(ipv6);
    if (descriptor < 0) return undefined;
    if (ipv6) calls.set(descriptor, IPV6_ONLY, 1);
    if (joins) calls.set(descriptor, REUSE_ADDRESS, 1);
    calls.set(descriptor, ipv6 ? REPORT_ERRORS_IPV6 : REPORT_ERRORS, 1);
    if (calls.bind(descriptor, address) === 0) return new KernelSocket(calls, descriptor);
    calls.close(descriptor);
    return undefined;
  }

  private constructor(calls: SystemCalls, descriptor: Descriptor) {
    this.#calls = calls;
    this.descriptor = descriptor;
    this.#batches = batches ??= {
      sending: calls.sendBatch(MOST_TOGETHER, LONGEST_COPIED),
      gathering: calls.sendBatch(MOST_TOGETHER, LONGEST_COPIED),
      receiving: calls.receiveBatch(MOST_TOGETHER, LONGEST_RECEIVED),
      error: calls.errorMessage(),
    };
  }

  subscribe(listener: KernelSocketListener): void {
    this.#listener = listener;
  }

  /** True if what arrives in one burst is handed out in one piece. */
  get coalesces(): boolean {
    return this.#coalesces;
  }

  /** Frees the descriptor. Only for a socket that `node:dgram` did not take over. */
  abandon(): void {
    this.#calls.close(this.descriptor);
  }

  /** The descriptor is about to be closed: from now on it may be somebody else's, and all calls do nothing. */
  release(): void {
    if (this.#gathers) this.#batches.gathering.clear();
    this.#closed = true;
  }

  /** Whether more sockets may have this port from now on; `node:dgram` lets all share what it takes over. */
  share(may: boolean): void {
    this.#calls.set(this.descriptor, REUSE_ADDRESS, may ? 1 : 0);
  }

  /** Has what arrives in one burst handed out in one piece. False if the kernel cannot. */
  coalesce(): boolean {
    if (this.#closed) return false;
    this.#coalesces = this.#calls.set(this.descriptor, COALESCE, 1) === 0;
    return this.#coalesces;
  }

  /**
   * Sends what can be sent at once. The listener gets the rest.
   *
   * @returns how it went: `whole` as datagrams of their own, `cut` in pieces that the kernel cuts;
   *   undefined if this peer cannot be reached in this way, and nothing was sent.
   */
  send(message: Message): 'whole' | 'cut' | undefined {
    const { run, peer } = message;
    const to = this.#addresses.addressOf(peer);
    if (to === undefined || this.#closed) return undefined;
    const { datagrams, segmentSize } = run;
    const piece = pieceSize(run, peer);
    const batch = this.#gathers ? this.#batches.gathering : this.#batches.sending;
    for (let at = 0; at < datagrams.length; at += piece) {
      if (batch.isFull) this.#flush(batch);
      batch.add(datagrams.length <= piece ? message : partOf(message, at, piece), to);
    }
    if (!this.#gathers) this.#flush(batch);
    return piece > segmentSize ? 'cut' : 'whole';
  }

  /** Runs an action during which what is sent waits, then sends it in one system call. */
  gather(action: () => void): void {
    this.#gathers = true;
    try {
      action();
    } finally {
      this.#gathers = false;
      this.flush();
    }
  }

  /** Sends what has been gathered up to now. False if nothing was. */
  flush(): boolean {
    const { gathering } = this.#batches;
    if (gathering.count === 0 || this.#closed) return false;
    this.#flush(gathering);
    return true;
  }

  /** Hands out the next datagrams, as many as have come, and gives their number. */
  receive(): number {
    if (this.#closed) return 0;
    const batch = this.#batches.receiving;
    const count = this.#calls.receive(this.descriptor, batch);
    // The call may end with an error that is waiting, whatever has come.
    if (count < 0) return count !== -EAGAIN && this.takeErrors() ? this.receive() : 0;
    for (let i = 0; i < count && !this.#closed; i += 1) {
      const from = this.#addresses.senderOf(batch.sender(i));
      this.#listener?.message(batch.datagram(i), from);
    }
    return count;
  }

  /**
   * Reads the reports of other hosts. The system ends any call at this socket with such an error, once,
   * for whichever datagram, so whoever meets an error calls this before he believes it.
   *
   * @returns false if there was none.
   */
  takeErrors(): boolean {
    if (this.#closed) return false;
    const { error } = this.#batches;
    let count = 0;
    while (this.#calls.receiveError(this.descriptor, error) >= 0) {
      count += 1;
      if (error.reported === ECONNREFUSED) {
        this.#listener?.refused(this.#addresses.senderOf(error.destination));
      }
    }
    return count > 0;
  }

  #flush(batch: SendBatch): void {
    let retried = -1;
    for (let at = 0; at < batch.count;) {
      const sent = this.#calls.send(this.descriptor, batch, at);
      if (sent > 0) {
        at += sent;
      } else if (retried !== at && sent !== -EAGAIN && this.takeErrors()) {
        retried = at;
      } else {
        this.#failed(batch.message(at), -sent);
        at += 1;
      }
    }
    batch.clear();
  }

  #failed(message: Message, error: number): void {
    // What is dropped on its way out is lost like any other datagram, and comes again.
    if (error === ENOBUFS) return;
    const { run, peer } = message;
    const wasCut = run.datagrams.length > run.segmentSize;
    if (wasCut && REFUSALS.includes(error)) remember(peer.address);
    this.#listener?.unsent(message);
  }
}

function partOf({ run, peer, failed }: Message, at: number, length: number): Message {
  const datagrams = run.datagrams.subarray(at, at + length);
  return { run: { datagrams, segmentSize: run.segmentSize }, peer, failed };
}

function remember(host: string): void {
  if (refusing.size >= MOST_REFUSING) refusing.clear();
  refusing.add(host);
}

/** How many bytes of a run are one message: a datagram, or as many as the kernel cuts. */
function pieceSize({ datagrams, segmentSize }: Transmit, { address }: Peer): number {
  if (datagrams.length <= segmentSize || refusing.has(address)) return segmentSize;
  const most = Math.min(MAX_SEGMENTS, Math.floor(MAX_PIECE / segmentSize));
  return most < 2 ? segmentSize : most * segmentSize;
}
