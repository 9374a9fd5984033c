/** One UDP socket for a server and its transfers: a firewall then needs one open port. */

import type { SocketListener, DatagramSocket, UdpSocket } from './datagram-socket';
import type { Peer } from '../transfer/peer-lock';
import { peerName } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';

/**
 * Hands each datagram to whom it is for. What the peer of a share sends goes to that share, unless it
 * is a request: requests, and what strangers send, go to the listener of the whole.
 */
export class SharedSocket {
  readonly #socket: UdpSocket;
  readonly #shares = new Map<string, Share>();
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

  send(run: Transmit, to: Peer): void {
    this.#socket.send(run, to);
  }

  /** A socket for what one peer sends. A newer share for the same peer takes its place. */
  share(peer: Peer): DatagramSocket {
    const name = peerName(peer);
    const share = new Share(this.#socket, () => {
      if (this.#shares.get(name) === share) this.#shares.delete(name);
    });
    this.#shares.set(name, share);
    return share;
  }

  /** Closes the socket under all shares. Extra calls do nothing. */
  close(): void {
    this.#listener = undefined;
    this.#socket.close();
  }

  #message(datagram: Uint8Array, from: Peer): void {
    const share = isRequest(datagram) ? undefined : this.#shares.get(peerName(from));
    (share?.listener ?? this.#listener)?.message(datagram, from);
  }
}

/** A transfer's part of a shared socket. */
class Share implements DatagramSocket {
  readonly #socket: UdpSocket;
  readonly #onClose: () => void;
  #closed = false;
  listener: SocketListener | undefined;

  constructor(socket: UdpSocket, onClose: () => void) {
    this.#socket = socket;
    this.#onClose = onClose;
  }

  get local(): Peer {
    return this.#socket.local;
  }

  listen(listener: SocketListener): void {
    this.listener = listener;
  }

  get offload(): boolean {
    return this.#socket.offload;
  }

  send(run: Transmit, to: Peer): void {
    if (!this.#closed) this.#socket.send(run, to, this.#failed);
  }

  /** The socket cannot be connected to one peer, so nobody tells when this one is gone. */
  watch(): void {}

  /** What is for one share is not to be joined with what is for another. */
  coalesce(): boolean {
    return false;
  }

  /** The process lives as long as the server listens. */
  unref(): void {}

  close(): void {
    this.#closed = true;
    this.listener = undefined;
    this.#onClose();
  }

  /** What cannot be sent ends this transfer, and is no problem of the server. */
  readonly #failed: SocketListener['failed'] = (error) => this.listener?.failed(error);
}

/** RRQ and WRQ have the opcodes 1 and 2 (RFC 1350 section 5). */
function isRequest(datagram: Uint8Array): boolean {
  return datagram[0] === 0 && (datagram[1] === 1 || datagram[1] === 2);
}
