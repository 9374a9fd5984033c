/**
 * A bound socket of the system: the only file that touches `node:dgram`. Where the system calls can be
 * had, its descriptor is known as well, and most datagrams go directly.
 */

import dgram from 'node:dgram';
import type { Peer } from '../transfer/peer-lock';
import type { Message } from './batches';
import { isIPv6 } from './ip-version';
import { KernelSocket } from './kernel-socket';

/** Whose port it is: ours `alone`, ours and to be shared with more sockets of ours (the `first` of them), or one that we have (`more`). */
export type Sharing = 'alone' | 'first' | 'more';

/** How many datagrams are taken in one go before others have their turn. */
const MAX_BURST = 256;
/** The longest pause, in turns, of asking for another datagram where there has been none. */
const MAX_PAUSE = 63;
/** So many datagrams wait for room in the socket at most; more are lost, and come again. */
const MOST_WAITING = 1024;

/** Who hears of what happens at a socket. None of these may throw. */
export interface UdpHandleListener {
  /** @param datagram its memory may be used again as soon as this returns. */
  message(datagram: Uint8Array, from: Peer): void;
  /** The host of this peer reports that nothing listens at its port (ICMP). What came from the peer before was told before. */
  refused(peer: Peer): void;
  /** The socket cannot be used any more. */
  failed(error: Error): void;
}

/** Those of this thread that are open. */
const open = new Set<UdpHandle>();

/**
 * Closes every socket of this thread. A thread that ends must do so first: Node.js ends the whole
 * process when a datagram arrives in a thread that is ending (`v8::FromJust Maybe value is Nothing`).
 */
export function closeAllHandles(): void {
  for (const handle of open) handle.close();
}

export class UdpHandle {
  readonly #socket: dgram.Socket;
  readonly #direct: KernelSocket | undefined;
  #listener: UdpHandleListener | undefined;
  /** Datagrams that `node:dgram` has not told the end of. */
  #handed = 0;
  readonly #refused = new Set<Peer>();
  #pause = 0;
  #turns = 0;
  #closed = false;
  /** True while many peers speak with this socket: then the answers to what comes at once leave together. */
  crowded = false;

  constructor(socket: dgram.Socket, direct?: KernelSocket) {
    this.#socket = socket;
    this.#direct = direct;
    open.add(this);
  }

  get local(): Peer {
    const { address, port } = this.#socket.address();
    return { address, port };
  }

  /** @param receiveBuffer bytes that may arrive in a burst. */
  subscribe(receiveBuffer: number, listener: UdpHandleListener): void {
    this.#listener = listener;
    enlarge(this.#socket, receiveBuffer);
    this.#socket.on('message', (datagram, from) => this.#message(datagram, from));
    this.#socket.on('error', (error) => {
      if (this.#direct?.takeErrors() !== true) listener.failed(error);
    });
    this.#direct?.subscribe({
      message: (datagram, from) => listener.message(datagram, from),
      unsent: (message) => this.#sendEach(message),
      refused: (peer) => this.#noteRefused(peer),
    });
  }

  /**
   * Sends datagrams that lie end to end. What the system drops is lost, and comes again.
   *
   * @returns true if they left in pieces that the kernel cuts.
   */
  send(message: Message): boolean {
    // Nothing overtakes what waits in `node:dgram` for room in the socket.
    const sent = this.#waiting === 0 ? this.#direct?.send(message) : undefined;
    if (sent === undefined) this.#sendEach(message);
    return sent === 'cut';
  }

  /** Has what arrives in one burst handed out in one piece. False if the system cannot. */
  coalesce(): boolean {
    return this.#direct?.coalesce() ?? false;
  }

  /** True if what arrives in one burst is handed out in one piece. */
  get coalesces(): boolean {
    return this.#direct?.coalesces ?? false;
  }

  /** Lets the process end while the socket is open. */
  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    open.delete(this);
    this.#direct?.release();
    this.#socket.close();
  }

  /** How many datagrams wait in `node:dgram` for room in the socket. */
  get #waiting(): number {
    return this.#handed === 0 ? 0 : this.#socket.getSendQueueCount();
  }

  /** Sends one datagram after the other. */
  #sendEach({ run: { datagrams, segmentSize }, peer, failed }: Message): void {
    for (let at = 0; at < datagrams.length; at += segmentSize) {
      if (this.#closed || this.#waiting >= MOST_WAITING) return;
      const length = Math.min(segmentSize, datagrams.length - at);
      this.#handed += 1;
      this.#socket.send(datagrams, at, length, peer.port, peer.address, (error) => {
        this.#handed -= 1;
        if (error !== null && this.#direct?.takeErrors() !== true) failed(error);
      });
    }
  }

  #message(datagram: Uint8Array, from: Peer): void {
    const direct = this.#direct;
    if (direct !== undefined && this.crowded) return this.#answerCrowd(direct, datagram, from);
    this.#listener!.message(datagram, from);
    if (direct !== undefined) this.#receiveMore(direct);
  }

  /**
   * A peer on the same core has answered before our `send` returned. Taking its answer here costs far
   * less than another round of the event loop. Where there is none, it is not asked for each time.
   */
  #receiveMore(direct: KernelSocket): void {
    if (this.#turns > 0) return void (this.#turns -= 1);
    let taken = 0;
    for (let count = -1; count !== 0 && taken < MAX_BURST; taken += count) count = direct.receive();
    this.#pause = taken > 0 ? 0 : Math.min(2 * this.#pause + 1, MAX_PAUSE);
    this.#turns = this.#pause;
  }

  /** Takes all that has come, then sends the answers, which is when peers on the same core have their turn; and so on. */
  #answerCrowd(direct: KernelSocket, datagram: Uint8Array, from: Peer): void {
    direct.gather(() => {
      this.#listener!.message(datagram, from);
      for (let taken = 0; taken < MAX_BURST;) {
        const count = direct.receive();
        if (!direct.flush() && count === 0) return;
        taken += count;
      }
    });
  }

  #noteRefused(peer: Peer): void {
    if (this.#refused.size === 0) setImmediate(() => this.#tellRefused());
    this.#refused.add(peer);
  }

  /** One of the datagrams that came before may be the ERROR that says why the peer has gone: they are handed out first. */
  #tellRefused(): void {
    const refused = [...this.#refused];
    this.#refused.clear();
    for (let taken = 0, count = -1; count !== 0 && taken < MAX_BURST; taken += count) {
      count = this.#direct?.receive() ?? 0;
    }
    for (const peer of refused) if (!this.#closed) this.#listener!.refused(peer);
  }
}

/**
 * Binds a socket.
 *
 * @throws what `node:dgram` throws.
 */
export async function bindHandle(local: Peer, sharing: Sharing): Promise<UdpHandle> {
  return directHandle(local, sharing) ?? new UdpHandle(await boundAs(sharing, local));
}

/**
 * Takes over a socket that somebody else has bound.
 *
 * @throws what `node:dgram` throws if the descriptor is no such socket.
 */
export function adoptHandle(descriptor: number, ipv6: boolean): UdpHandle {
  return new UdpHandle(adopt(descriptor, ipv6));
}

/** A socket whose descriptor is known; undefined if there is none to be had in this way. */
function directHandle(local: Peer, sharing: Sharing): UdpHandle | undefined {
  const direct = KernelSocket.open(local, sharing === 'more');
  if (direct === undefined) return undefined;
  try {
    const socket = adopt(direct.descriptor, isIPv6(local.address));
    direct.share(sharing !== 'alone');
    return new UdpHandle(socket, direct);
  } catch {
    direct.abandon();
    return undefined;
  }
}

/** A socket of `node:dgram` for a descriptor. */
function adopt(descriptor: number, ipv6: boolean): dgram.Socket {
  const socket = dgram.createSocket(ipv6 ? UDP6 : UDP4);
  socket.bind({ fd: descriptor, exclusive: true });
  return socket;
}

type LookupDone = (error: null, address: string, family: number) => void;

/** Addresses are literal here, so they need no resolver, and sending happens at once. */
function literal(family: 4 | 6) {
  return (address: string, _options: unknown, done: LookupDone): void =>
    done(null, address, family);
}

const UDP4 = { type: 'udp4', lookup: literal(4) } as const;
const UDP6 = { type: 'udp6', lookup: literal(6) } as const;

function bound(address: string, port: number, reuseAddr: boolean): Promise<dgram.Socket> {
  const socket = isIPv6(address)
    ? dgram.createSocket({ ...UDP6, ipv6Only: true, reuseAddr })
    : dgram.createSocket({ ...UDP4, reuseAddr });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ port, address, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/**
 * A shared port could be one that shared sockets of somebody else have already. So an exclusive
 * socket takes it first, which fails if anybody has it. The shared one follows at once, so that
 * nobody gets in between.
 */
async function boundAs(sharing: Sharing, { address, port }: Peer): Promise<dgram.Socket> {
  if (sharing !== 'first') return bound(address, port, sharing === 'more');
  const probe = await bound(address, port, false);
  const free = probe.address().port;
  probe.close();
  return bound(address, free, true);
}

/** The system may grant less, which only costs speed. */
function enlarge(socket: dgram.Socket, bytes: number): void {
  try {
    if (socket.getRecvBufferSize() < bytes) socket.setRecvBufferSize(bytes);
  } catch {
    // A smaller buffer loses datagrams under load, and lost datagrams come again.
  }
}
