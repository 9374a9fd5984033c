/**
 * A second socket at a port of ours that is connected to one peer. The system reports an unreachable
 * port only to a connected socket, and a connected socket cannot hear strangers: so there are two, and
 * what the peer sends arrives at this one. Only on Linux, which hands datagrams to the most specific of
 * several sockets at one port.
 */

import { systemCodeOf } from './bind-error';
import { connectPort } from './port';
import type { Port } from './port';
import type { Peer } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';

/** What a peer's port tells. */
export interface PeerListener {
  message(datagram: Uint8Array, from: Peer): void;
  unreachable(): void;
}

export class PeerPort {
  readonly #peer: Peer;
  readonly #port: Port;
  /** How often the system said that nothing listens at the peer's port. */
  #refusals = 0;

  /**
   * @param local the port of ours, which has to be one that can be shared.
   * @param offload take the short way to the kernel, if it can be had.
   * @param receiveBuffer bytes that may arrive in a burst.
   */
  constructor(
    local: Peer,
    peer: Peer,
    offload: boolean,
    receiveBuffer: number,
    listener: PeerListener,
  ) {
    this.#peer = peer;
    this.#port = connectPort(local, peer, offload);
    this.#port.onError((error) => {
      if (systemCodeOf(error) === 'ECONNREFUSED') this.#refused(() => listener.unreachable());
    });
    this.#port.hear(receiveBuffer, (datagram, from) => listener.message(datagram, from));
  }

  /** True if datagrams can take the short way. */
  get isDirect(): boolean {
    return this.#port.isDirect;
  }

  /** True while datagrams leave or arrive several at a time. */
  get offloads(): boolean {
    return this.#port.offloads;
  }

  /** True if this is its peer. */
  isFor(peer: Peer): boolean {
    const mine = this.#peer;
    return mine === peer || (mine.port === peer.port && mine.address === peer.address);
  }

  /** Sends by the short way, if it is to its peer, and returns the rest, if there is one. */
  send(run: Transmit, to: Peer): Transmit | undefined {
    return this.isFor(to) ? this.#port.sendDirectly(run, to) : run;
  }

  /** Has what arrives in one burst handed out in one piece. False if the system cannot. */
  coalesce(): boolean {
    return this.#port.coalesce();
  }

  /** Lets the process end while the socket is open. */
  unref(): void {
    this.#port.unref();
  }

  close(): void {
    this.#port.close();
  }

  /**
   * The system tells an error before the datagrams that came earlier, and one of them may be the ERROR
   * that says why the peer has gone. They are handed out first. A poll that ends with another error,
   * for another datagram of ours, has handed out none.
   */
  #refused(tell: () => void): void {
    this.#refusals += 1;
    const count = this.#refusals;
    const tellIfLast = (): void => {
      if (count === this.#refusals) tell();
    };
    setImmediate(() => setImmediate(tellIfLast));
  }
}
