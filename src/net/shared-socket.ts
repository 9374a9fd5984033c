/** One UDP socket for several transfers, or for a server and all of its transfers. */

import { WORTH_OFFLOAD } from './datagram-socket';
import type { SocketListener, DatagramSocket, UdpSocket } from './datagram-socket';
import { PeerPort } from './peer-port';
import type { Peer } from '../transfer/peer-lock';
import { peerName } from '../transfer/peer-lock';
import type { LocalError } from '../protocol/errors';
import type { Transmit } from '../transfer/transfer';

/** Up to so many shares, one that lasts is worth a socket of its peer's own; with more, it is faster to share. */
const FEW = 4;

/**
 * Hands each datagram to whom it is for. What the peer of a share sends goes to that share, unless it
 * is a request: requests, and what strangers send, go to the listener of the whole.
 */
export class SharedSocket {
  readonly #socket: UdpSocket;
  readonly #shares = new Map<string, Share>();
  /** Those of senders that were met before: the system's part gives the same object for the same sender. */
  readonly #met = new WeakMap<Peer, Share>();
  #listener: SocketListener | undefined;

  constructor(socket: UdpSocket) {
    this.#socket = socket;
    socket.listen({
      message: (datagram, from) => this.#message(datagram, from),
      unreachable: () => undefined,
      failed: (error) => this.#listener?.failed(error),
    });
  }

  get local(): Peer {
    return this.#socket.local;
  }

  /** True while a transfer speaks through this socket. */
  get busy(): boolean {
    return this.#shares.size > 0;
  }

  /** Names the listener of the whole; undefined for none, which leaves the shares alone. */
  listen(listener: SocketListener | undefined): void {
    this.#listener = listener;
  }

  /** @param failed hears if this run cannot be sent at all. @default the listener of the whole */
  send(run: Transmit, to: Peer, failed?: SocketListener['failed']): void {
    this.#socket.send(run, to, failed);
  }

  /** The socket cannot be used any more: ends all that speak through it. */
  fail(error: LocalError): void {
    for (const share of this.#shares.values()) share.listener?.failed(error);
  }

  /**
   * A socket for what one peer sends. A newer share for the same peer takes its place.
   *
   * @param watchable whether more sockets may have the port, so that the peer can have one of its own.
   * @param onClose is called once, when the share is closed.
   */
  share(peer: Peer, watchable = false, onClose?: () => void): DatagramSocket {
    const name = peerName(peer);
    const mayWatch = (expected: number): boolean =>
      watchable && (expected === 0 || this.#shares.size <= FEW);
    const share = new Share(this.#socket, mayWatch, () => {
      if (this.#shares.get(name) === share) this.#shares.delete(name);
      this.#socket.crowded = this.#shares.size > 1;
      onClose?.();
    });
    this.#shares.set(name, share);
    this.#socket.crowded = this.#shares.size > 1;
    return share;
  }

  /** Closes the socket under all shares. Extra calls do nothing. */
  close(): void {
    this.#listener = undefined;
    this.#socket.close();
  }

  #message(datagram: Uint8Array, from: Peer): void {
    const share = isRequest(datagram) ? undefined : this.#shareOf(from);
    (share?.listener ?? this.#listener)?.message(datagram, from);
  }

  #shareOf(from: Peer): Share | undefined {
    const known = this.#met.get(from);
    if (known?.listener) return known;
    const share = this.#shares.get(peerName(from));
    if (share) this.#met.set(from, share);
    return share;
  }
}

/** A transfer's part of a shared socket. */
class Share implements DatagramSocket {
  readonly #socket: UdpSocket;
  readonly #mayWatch: (expected: number) => boolean;
  readonly #onClose: () => void;
  #watcher: PeerPort | undefined;
  #closed = false;
  listener: SocketListener | undefined;

  constructor(socket: UdpSocket, mayWatch: (expected: number) => boolean, onClose: () => void) {
    this.#socket = socket;
    this.#mayWatch = mayWatch;
    this.#onClose = onClose;
  }

  get local(): Peer {
    return this.#socket.local;
  }

  listen(listener: SocketListener): void {
    this.listener = listener;
  }

  get offload(): boolean {
    return this.#socket.offload || this.#watcher?.offloads === true;
  }

  send(run: Transmit, to: Peer): void {
    if (this.#closed) return;
    const rest = this.#watcher ? this.#watcher.send(run, to) : run;
    if (rest) this.#socket.send(rest, to, this.#failed);
  }

  /** Without a port that can be shared nobody tells when the peer is gone. */
  watch(peer: Peer, expected = 0): void {
    if (this.#closed || this.#watcher || !this.#mayWatch(expected)) return;
    const direct = expected >= WORTH_OFFLOAD;
    this.#watcher = new PeerPort(this.#socket.local, peer, direct, 0, {
      message: (datagram, from) => this.listener?.message(datagram, from),
      unreachable: () => this.listener?.unreachable(),
    });
  }

  /** What is for one share is not to be joined with what is for another. */
  coalesce(): boolean {
    return false;
  }

  /** The process lives as long as the server listens. */
  unref(): void {}

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.listener = undefined;
    this.#watcher?.close();
    this.#onClose();
  }

  /** What cannot be sent ends this transfer, and is no problem of the server. */
  readonly #failed: SocketListener['failed'] = (error) => this.listener?.failed(error);
}

/** RRQ and WRQ have the opcodes 1 and 2 (RFC 1350 section 5). */
function isRequest(datagram: Uint8Array): boolean {
  return datagram[0] === 0 && (datagram[1] === 1 || datagram[1] === 2);
}
