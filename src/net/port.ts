/**
 * A bound socket of the system: the only file that touches `node:dgram`. Where the system calls can be
 * had, its descriptor is known as well, and most datagrams take the short way.
 */

import dgram from 'node:dgram';
import type { Peer } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';
import { isIPv6 } from './ip-version';
import { OffloadSocket } from './offload';

/** Whose port it is: ours `alone`, ours and to be shared with more sockets of ours (the `first` of them), or one that we have (`more`). */
export type Sharing = 'alone' | 'first' | 'more';

/** How many datagrams are taken in one go before others have their turn. */
const MAX_BURST = 128;
/** The same for a port that many peers speak with. */
const MAX_CROWD_BURST = 256;
/** The longest pause, in turns, of asking for another datagram where there has been none. */
const MAX_PAUSE = 63;

type Heard = (datagram: Uint8Array, from: Peer) => void;

/** A bound socket. It may be connected to one peer, and then hears no other. */
export class Port {
  readonly #socket: dgram.Socket;
  readonly #direct: OffloadSocket | undefined;
  #closed = false;
  /** True while many peers speak with this port: then answers are gathered, and leave together. */
  crowded = false;

  constructor(socket: dgram.Socket, direct?: OffloadSocket) {
    this.#socket = socket;
    this.#direct = direct;
  }

  get local(): Peer {
    const { address, port } = this.#socket.address();
    return { address, port };
  }

  /** True if datagrams can take the short way. */
  get isDirect(): boolean {
    return this.#direct !== undefined;
  }

  /** True while datagrams leave or arrive several at a time. */
  get offloads(): boolean {
    return this.#direct?.offloads ?? false;
  }

  /** @param failed hears of each error of the socket. */
  onError(failed: (error: Error) => void): void {
    this.#socket.on('error', failed);
    this.#direct?.onRefused(failed);
  }

  /**
   * Hands out what comes.
   *
   * @param receiveBuffer bytes that may arrive in a burst.
   */
  hear(receiveBuffer: number, heard: Heard): void {
    enlarge(this.#socket, receiveBuffer);
    const direct = this.#direct;
    let pause = 0;
    let turns = 0;
    this.#socket.on('message', (datagram, from) => {
      const mayHearMore = direct !== undefined && !from.address.includes('%');
      if (mayHearMore && this.crowded) return this.#hearCrowd(direct, heard, datagram, from);
      heard(datagram, from);
      if (!mayHearMore) return;
      if (turns > 0) return void (turns -= 1);
      pause = this.#hearMore(direct, heard) ? 0 : Math.min(2 * pause + 1, MAX_PAUSE);
      turns = pause;
    });
  }

  /** Sends by the short way what can be sent at once, and returns the rest, if there is one. */
  sendDirectly(run: Transmit, to: Peer): Transmit | undefined {
    const { datagrams, segmentSize } = run;
    const sent = this.#direct?.send(run, to) ?? 0;
    if (sent === datagrams.length) return undefined;
    return sent === 0 ? run : { datagrams: datagrams.subarray(sent), segmentSize };
  }

  /** Sends one datagram after the other. */
  sendEach({ datagrams, segmentSize }: Transmit, to: Peer, failed: (error: Error) => void): void {
    const sent = (error: Error | null): void => {
      if (error !== null) failed(error);
    };
    for (let at = 0; at < datagrams.length; at += segmentSize) {
      const length = Math.min(segmentSize, datagrams.length - at);
      this.#socket.send(datagrams, at, length, to.port, to.address, sent);
    }
  }

  /** Has what arrives in one burst handed out in one piece. False if the system cannot. */
  coalesce(): boolean {
    return this.#direct?.coalesce() ?? false;
  }

  /** Lets the process end while the socket is open. */
  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    this.#closed = true;
    this.#socket.close();
  }

  /**
   * A peer on the same core has answered before our `send` returned. Taking its answer here costs far
   * less than another round of the event loop. True if there was one.
   */
  #hearMore(direct: OffloadSocket, heard: Heard): boolean {
    for (let taken = 0; taken < MAX_BURST && !this.#closed;) {
      const count = direct.coalesces ? direct.receiveMany(heard) : direct.receive(heard);
      if (count === 0) return taken > 0;
      taken += count;
    }
    return true;
  }

  /** Takes all that has come, then sends the answers, which is when peers on the same core have their turn; and so on. */
  #hearCrowd(direct: OffloadSocket, heard: Heard, datagram: Uint8Array, from: Peer): void {
    direct.startGathering();
    heard(datagram, from);
    for (let taken = 0; taken < MAX_CROWD_BURST && !this.#closed;) {
      const count = direct.receiveMany(heard);
      if (this.#closed || (count === 0 && !direct.flush())) break;
      taken += count;
      direct.flush();
    }
    if (!this.#closed) direct.stopGathering();
  }
}

/**
 * Binds a socket.
 *
 * @param offload try the short way.
 * @throws what `node:dgram` throws.
 */
export async function bindPort(local: Peer, sharing: Sharing, offload: boolean): Promise<Port> {
  const direct = offload ? directPort(local, sharing) : undefined;
  return direct ?? new Port(await boundAs(sharing, local));
}

/** A socket at a port of ours that hears one peer alone. Errors come as events. */
export function connectPort(local: Peer, peer: Peer, offload: boolean): Port {
  const direct = offload ? directPort(local, 'more', peer) : undefined;
  if (direct) return direct;
  const socket = createSocket(local.address, true);
  socket.bind(local.port, local.address, () => socket.connect(peer.port, peer.address));
  return new Port(socket);
}

/**
 * Takes over a socket that somebody else has bound.
 *
 * @throws what `node:dgram` throws if the descriptor is no such socket.
 */
export function adoptPort(descriptor: number, ipv6: boolean): Port {
  return new Port(adopt(descriptor, ipv6));
}

/** A socket whose descriptor is known; undefined if there is none to be had in this way. */
function directPort(local: Peer, sharing: Sharing, peer?: Peer): Port | undefined {
  const direct = OffloadSocket.open(local, sharing === 'more', peer);
  if (direct === undefined) return undefined;
  try {
    const socket = adopt(direct.descriptor, isIPv6(local.address));
    direct.share(sharing !== 'alone');
    return new Port(socket, direct);
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

function createSocket(address: string, reuseAddr: boolean): dgram.Socket {
  if (isIPv6(address)) return dgram.createSocket({ ...UDP6, ipv6Only: true, reuseAddr });
  return dgram.createSocket({ ...UDP4, reuseAddr });
}

function bound(address: string, port: number, reuseAddr: boolean): Promise<dgram.Socket> {
  const socket = createSocket(address, reuseAddr);
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
