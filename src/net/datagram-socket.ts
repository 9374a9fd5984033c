/** One UDP socket, as transfers and servers see it. */

import { LocalError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';
import { bindError, systemCodeOf } from './bind-error';
import { isIPv6 } from './ip-version';
import { PeerPort } from './peer-port';
import { adoptPort, bindPort } from './port';
import type { Port, Sharing } from './port';

/** Who hears of what happens at a socket. None of these may throw. */
export interface SocketListener {
  /** @param datagram several that lie end to end, if they are coalesced. Its memory may be used again as soon as this returns. */
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
  /** True while datagrams leave or arrive several at a time. */
  readonly offload: boolean;
  /**
   * Asks the system to tell when this peer is unreachable, where it can. Extra calls do nothing.
   *
   * @param expected how many bytes will move about: for many the fastest way is prepared. @default 0
   */
  watch(peer: Peer, expected?: number): void;
  /** Has datagrams that arrive in a burst handed out end to end. False if the system cannot. */
  coalesce(): boolean;
  /** Lets the process end while the socket is open. */
  unref(): void;
  close(): void;
}

/** Where to bind. */
export interface BindOptions {
  /** A literal address; it decides between IPv4 and IPv6. */
  readonly address: string;
  /** 0 for any. */
  readonly port: number;
  /** True if `watch` will be called: on Linux the port is then shared with a second socket of ours. */
  readonly watchable: boolean;
  /** Sharing needs {@link CAN_SHARE_PORTS}. @default 'alone' */
  readonly sharing?: Sharing;
  /** Bytes that may arrive in a burst. */
  readonly receiveBuffer?: number;
  /** Speak to the kernel directly, if that is possible: worth its start where many transfers follow. @default false */
  readonly offload?: boolean;
  /** Called once, when the socket is closed. */
  readonly onClose?: () => void;
}

/** Only Linux hands datagrams to the most specific of several sockets at one port, which `watch` relies on. */
export const CAN_SHARE_PORTS = process.platform === 'linux';

/** How often a port that was free a moment ago is looked for anew. */
const BIND_TRIES = 5;

/** Sending fails for good with these; every other error is a lost datagram. */
const FATAL_SEND_ERRORS = new Set(['EMSGSIZE', 'EACCES', 'EPERM', 'EINVAL', 'EAFNOSUPPORT']);

/** So many bytes pay for what it takes to speak to the kernel directly. */
export const WORTH_OFFLOAD = 256 * 1024;

/** A socket of this machine. */
export class UdpSocket implements DatagramSocket {
  readonly local: Peer;
  readonly #port: Port;
  #listener: SocketListener | undefined;
  #watcher: PeerPort | undefined;
  #coalesces = false;
  readonly #watchable: boolean;
  readonly #dualStack: boolean;
  readonly #receiveBuffer: number;
  readonly #onClose: (() => void) | undefined;
  #closed = false;

  /** @throws {LocalError} EADDRINUSE, EACCES or EADDRNOTAVAIL, saying what to change. */
  static async bind(options: BindOptions): Promise<UdpSocket> {
    const { address, port, sharing = 'alone' } = options;
    const watchable = options.watchable && CAN_SHARE_PORTS;
    const wanted = watchable ? 'first' : sharing;
    for (let tries = 1; ; tries += 1) {
      try {
        const bound = await bindPort({ address, port }, wanted, options.offload ?? false);
        return new UdpSocket(bound, watchable, options);
      } catch (error) {
        if (port !== 0 || tries === BIND_TRIES)
          throw bindError(systemCodeOf(error), options, error);
      }
    }
  }

  /**
   * Takes over a socket that is bound already. One of IPv6 may hear IPv4 as well.
   *
   * @throws what `node:dgram` throws if the descriptor is no such socket.
   */
  static inherit(descriptor: number, ipv6: boolean, receiveBuffer: number): UdpSocket {
    return new UdpSocket(adoptPort(descriptor, ipv6), false, { receiveBuffer, dualStack: ipv6 });
  }

  private constructor(
    port: Port,
    watchable: boolean,
    options: Pick<BindOptions, 'receiveBuffer' | 'onClose'> & { dualStack?: boolean },
  ) {
    this.#port = port;
    this.#watchable = watchable;
    this.#dualStack = options.dualStack ?? false;
    this.local = { ...port.local, address: unmapped(port.local.address) };
    this.#receiveBuffer = options.receiveBuffer ?? 0;
    this.#onClose = options.onClose;
    this.#hear(port);
    port.onError((error) => this.#failed(sendError(error)));
  }

  get offload(): boolean {
    return this.#port.offloads || this.#watcher?.offloads === true;
  }

  /** True while many peers speak with this socket: then the answers to what comes at once leave together. */
  set crowded(crowded: boolean) {
    this.#port.crowded = crowded;
  }

  listen(listener: SocketListener): void {
    this.#listener = listener;
  }

  /** @param failed hears if this run cannot be sent at all. @default the listener */
  send(run: Transmit, to: Peer, failed: SocketListener['failed'] = this.#failed): void {
    if (this.#closed) return;
    const left = this.#watcher ? this.#watcher.send(run, to) : run;
    const rest = left && this.#port.sendDirectly(left, to);
    if (rest === undefined) return;
    const address = this.#dualStack ? mapped(to.address) : to.address;
    this.#port.sendEach(rest, { address, port: to.port }, (error) => {
      if (FATAL_SEND_ERRORS.has(systemCodeOf(error))) failed(sendError(error));
    });
  }

  watch(peer: Peer, expected = 0): void {
    if (!this.#watchable || this.#closed) return;
    const pays = expected >= WORTH_OFFLOAD;
    const known = this.#watcher;
    if (known?.isFor(peer) && (known.isDirect || !pays)) return;
    known?.close();
    this.#watcher = new PeerPort(this.local, peer, pays, this.#receiveBuffer, {
      message: (datagram, from) => this.#listener?.message(datagram, from),
      unreachable: () => this.#listener?.unreachable(),
    });
    if (this.#coalesces) this.#watcher.coalesce();
  }

  coalesce(): boolean {
    const ports = [this.#port, this.#watcher];
    this.#coalesces = ports.filter((port) => port?.coalesce()).length > 0;
    return this.#coalesces;
  }

  unref(): void {
    this.#port.unref();
    this.#watcher?.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener = undefined;
    this.#port.close();
    this.#watcher?.close();
    this.#onClose?.();
  }

  #hear(port: Port): void {
    port.hear(this.#receiveBuffer, (datagram, from) => {
      const peer = this.#dualStack ? { ...from, address: unmapped(from.address) } : from;
      this.#listener?.message(datagram, peer);
    });
  }

  readonly #failed: SocketListener['failed'] = (error) => this.#listener?.failed(error);
}

function sendError(error: Error): LocalError {
  const hint =
    systemCodeOf(error) === 'EMSGSIZE' ? ': the block size is too large for this network' : '';
  return new LocalError('EIO', `Sending failed with ${systemCodeOf(error)}${hint}`, {
    cause: error,
  });
}

/** An IPv4 address as a socket for both families writes it (RFC 4291 section 2.5.5.2). */
function mapped(address: string): string {
  return isIPv6(address) ? address : `::ffff:${address}`;
}

function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}
