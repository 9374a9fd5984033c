/**
 * A socket for each address of this machine, beside the wildcard sockets at the same port. Node.js
 * does not tell which address a datagram came to; but Linux hands it to the socket of that address,
 * if there is one. So answers leave from the address that was asked, and clients that insist on it,
 * as most do, are served on a machine with several addresses.
 */

import { nearestAddress } from '../udp/local-addresses';
import type { Timer } from '../net/clock';
import type { Endpoint } from '../udp/endpoint';
import type { LocalAddress } from '../udp/local-addresses';
import type { Peer } from '../transfer/peer-lock';
import type { ServerSystem } from './server-system';

/** Milliseconds until the addresses are looked at again: interfaces come and go. */
const SCAN_INTERVAL = 10_000;
/** The same where a datagram came to an address that is not known. */
const LOOK_INTERVAL = 250;

/** What the sockets need. */
export interface AddressListenersSetup {
  /** The addresses that are wanted now. */
  readonly wanted: () => readonly LocalAddress[];
  /** Opens a socket at an address. May fail: an IPv6 address is not usable at once. */
  readonly bind: (address: string) => Promise<Endpoint>;
  /** Is told of each new socket. */
  readonly attend: (socket: Endpoint) => void;
  readonly clock: ServerSystem['clock'];
}

export class AddressListeners {
  readonly #setup: AddressListenersSetup;
  readonly #sockets = new Map<string, Endpoint>();
  #known: readonly LocalAddress[] = [];
  #updatedAt = -Infinity;
  #updating = 0;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(setup: AddressListenersSetup) {
    this.#setup = setup;
  }

  get sockets(): Iterable<Endpoint> {
    return this.#sockets.values();
  }

  /** Opens sockets at new addresses, and closes those at vanished ones; then again every ten seconds. Never rejects. */
  async scan(): Promise<void> {
    await this.#update(this.#setup.wanted());
    if (this.#stopped) return;
    this.#timer = this.#setup.clock.after(SCAN_INTERVAL, () => void this.scan());
    this.#timer.unref();
  }

  /**
   * Looks for new addresses, and opens sockets there. To be called when something came to no address
   * that is known; not more than some times a second it takes a look at the interfaces.
   *
   * @returns true if there are new ones, or sockets are being opened.
   */
  findNew(): boolean {
    const now = this.#setup.clock.now();
    if (this.#updating > 0) return true;
    if (this.#stopped || now - this.#updatedAt < LOOK_INTERVAL) return false;
    const known = new Set(this.#known.map(({ address }) => address));
    this.#updatedAt = now;
    const wanted = this.#setup.wanted();
    if (wanted.every(({ address }) => known.has(address))) return false;
    void this.#update(wanted);
    return true;
  }

  async #update(known: readonly LocalAddress[]): Promise<void> {
    this.#updatedAt = this.#setup.clock.now();
    this.#known = known;
    const wanted = new Set(known.map(({ address }) => address));
    for (const [address, socket] of this.#sockets) {
      // An address may come back while a transfer still waits for it.
      if (wanted.has(address) || socket.flows > 0) continue;
      this.#sockets.delete(address);
      socket.close();
    }
    const missing = [...wanted].filter((address) => !this.#sockets.has(address));
    this.#updating += 1;
    await Promise.all(missing.map((address) => this.#open(address)));
    this.#updating -= 1;
  }

  /** The socket at the address nearest to a client whose request came to none of them: a broadcast. */
  nearest({ address }: Peer): Endpoint | undefined {
    const open = this.#known.filter((known) => this.#sockets.has(known.address));
    const nearest = nearestAddress(address, open);
    return nearest && this.#sockets.get(nearest.address);
  }

  /** Looks at the addresses no more. The sockets stay open. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #open(address: string): Promise<void> {
    // Whoever asks an address that cannot be bound is heard by the wildcard socket.
    const socket = await this.#setup.bind(address).catch(() => undefined);
    if (socket === undefined) return;
    if (this.#stopped || this.#sockets.has(address)) return socket.close();
    this.#sockets.set(address, socket);
    this.#setup.attend(socket);
  }
}
