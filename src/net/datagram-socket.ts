/** One UDP socket: the only file that touches `node:dgram`. */

import dgram from 'node:dgram';
import { isIPv6 } from 'node:net';
import { LocalError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import { peerName } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';
import { bindError } from './bind-error';

/** Who hears of what happens at a socket. None of these may throw. */
export interface SocketListener {
  message(datagram: Uint8Array, from: Peer): void;
  /** The peer's host says that nothing listens at its port (ICMP port unreachable). */
  unreachable(): void;
  /** The socket cannot be used any more, or a datagram cannot be sent at all (too large, forbidden). */
  failed(error: LocalError): void;
}

/** What a transfer needs of a socket. */
export interface DatagramSocket {
  readonly local: Peer;
  /** Names the listener. Call once, before the first send. */
  listen(listener: SocketListener): void;
  /** Sends datagrams that lie end to end. A datagram that the system drops counts as lost on the way. */
  send(run: Transmit, to: Peer): void;
  /** Asks the system to tell when this peer is unreachable, where it can. Extra calls do nothing. */
  watch(peer: Peer): void;
  /** Lets the process end while the socket is open. */
  unref(): void;
  close(): void;
}

export type Sharing = 'alone' | 'first' | 'more';

/** Where to bind. */
export interface BindOptions {
  /** A literal address; it decides between IPv4 and IPv6. */
  readonly address: string;
  /** 0 for any. */
  readonly port: number;
  /** True if `watch` will be called: on Linux the port is then shared with a second socket of ours. */
  readonly watchable: boolean;
  /** Whose port it is: ours `alone`, ours and to be shared with more sockets of ours (the `first` of them), or one that we have (`more`). Sharing needs {@link CAN_SHARE_PORTS}. @default 'alone' */
  readonly sharing?: Sharing;
  /** Bytes that may arrive in a burst. */
  readonly receiveBuffer?: number;
  /** Called once, when the socket is closed. */
  readonly onClose?: () => void;
}

/** Only Linux hands datagrams to the most specific of several sockets at one port, which `watch` relies on. */
export const CAN_SHARE_PORTS = process.platform === 'linux';

/** How often a port that was free a moment ago is looked for anew. */
const BIND_TRIES = 5;

/** Sending fails for good with these; every other error is a lost datagram. */
const FATAL_SEND_ERRORS = new Set(['EMSGSIZE', 'EACCES', 'EPERM', 'EINVAL', 'EAFNOSUPPORT']);

/** A socket of `node:dgram`. */
export class UdpSocket implements DatagramSocket {
  readonly local: Peer;
  readonly #socket: dgram.Socket;
  #listener: SocketListener | undefined;
  #watcher: { readonly socket: dgram.Socket; readonly peer: string } | undefined;
  readonly #watchable: boolean;
  readonly #dualStack: boolean;
  readonly #receiveBuffer: number;
  readonly #onClose: (() => void) | undefined;
  #closed = false;

  /** @throws {LocalError} EADDRINUSE, EACCES or EADDRNOTAVAIL, saying what to change. */
  static async bind(options: BindOptions): Promise<UdpSocket> {
    const { address, port, sharing = 'alone' } = options;
    const watchable = options.watchable && CAN_SHARE_PORTS;
    for (let tries = 1; ; tries += 1) {
      try {
        const socket = await boundAs(watchable ? 'first' : sharing, address, port);
        return new UdpSocket(socket, watchable, options);
      } catch (error) {
        if (port !== 0 || tries === BIND_TRIES) throw bindError(codeOf(error), options, error);
      }
    }
  }

  /**
   * Takes over a socket that is bound already. One of IPv6 may hear IPv4 as well.
   *
   * @throws what `node:dgram` throws if the descriptor is no such socket.
   */
  static inherit(descriptor: number, ipv6: boolean, receiveBuffer: number): UdpSocket {
    const socket = dgram.createSocket({ type: ipv6 ? 'udp6' : 'udp4', lookup: literal });
    socket.bind({ fd: descriptor });
    return new UdpSocket(socket, false, { receiveBuffer, dualStack: ipv6 });
  }

  private constructor(
    socket: dgram.Socket,
    watchable: boolean,
    options: Pick<BindOptions, 'receiveBuffer' | 'onClose'> & { dualStack?: boolean },
  ) {
    this.#socket = socket;
    this.#watchable = watchable;
    this.#dualStack = options.dualStack ?? false;
    const { address, port } = socket.address();
    this.local = { address: unmapped(address), port };
    this.#receiveBuffer = options.receiveBuffer ?? 0;
    this.#onClose = options.onClose;
    this.#hear(socket);
    socket.on('error', (error) => this.#failed(sendError(error)));
  }

  listen(listener: SocketListener): void {
    this.#listener = listener;
  }

  /** @param failed hears if this run cannot be sent at all. @default the listener */
  send(
    { datagrams, segmentSize }: Transmit,
    to: Peer,
    failed: SocketListener['failed'] = this.#failed,
  ): void {
    if (this.#closed) return;
    const sent = (error: Error | null): void => {
      if (error !== null && FATAL_SEND_ERRORS.has(codeOf(error))) failed(sendError(error));
    };
    const address = this.#dualStack ? mapped(to.address) : to.address;
    for (let at = 0; at < datagrams.length; at += segmentSize) {
      const length = Math.min(segmentSize, datagrams.length - at);
      this.#socket.send(datagrams, at, length, to.port, address, sent);
    }
  }

  /**
   * The system reports an unreachable port only to a connected socket, and a connected socket cannot
   * hear strangers. So a second socket at the same port is connected to the peer; what the peer sends
   * from now on arrives there.
   */
  watch(peer: Peer): void {
    const name = peerName(peer);
    if (!this.#watchable || this.#closed || this.#watcher?.peer === name) return;
    this.#watcher?.socket.close();
    const socket = createSocket(this.local.address, true);
    this.#watcher = { socket, peer: name };
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') this.#listener?.unreachable();
    });
    socket.bind(this.local.port, this.local.address, () => {
      this.#hear(socket);
      socket.connect(peer.port, peer.address);
    });
  }

  unref(): void {
    this.#socket.unref();
    this.#watcher?.socket.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener = undefined;
    this.#socket.close();
    this.#watcher?.socket.close();
    this.#onClose?.();
  }

  #hear(socket: dgram.Socket): void {
    enlarge(socket, this.#receiveBuffer);
    socket.on('message', (datagram, from) => {
      const { address, port } = from;
      const peer = this.#dualStack ? { address: unmapped(address), port } : from;
      this.#listener?.message(datagram, peer);
    });
  }

  readonly #failed: SocketListener['failed'] = (error) => this.#listener?.failed(error);
}

function sendError(error: Error): LocalError {
  const hint = codeOf(error) === 'EMSGSIZE' ? ': the block size is too large for this network' : '';
  return new LocalError('EIO', `Sending failed with ${codeOf(error)}${hint}`, { cause: error });
}

/** An IPv4 address as a socket for both families writes it (RFC 4291 section 2.5.5.2). */
function mapped(address: string): string {
  return isIPv6(address) ? address : `::ffff:${address}`;
}

function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** Addresses are literal here, so they need no resolver, and sending happens at once. */
function literal(
  address: string,
  _family: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, address, isIPv6(address) ? 6 : 4);
}

function createSocket(address: string, reuseAddr: boolean): dgram.Socket {
  if (isIPv6(address)) {
    return dgram.createSocket({ type: 'udp6', ipv6Only: true, reuseAddr, lookup: literal });
  }
  return dgram.createSocket({ type: 'udp4', reuseAddr, lookup: literal });
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
async function boundAs(sharing: Sharing, address: string, port: number): Promise<dgram.Socket> {
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

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'an unknown error';
}
