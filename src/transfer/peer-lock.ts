/** Which address and port may speak in a transfer: its TID (RFC 1350 section 4). */

import { sameAddress } from '../protocol/address';

/** An address and port of UDP. */
export interface Peer {
  /** An IPv4 or IPv6 address. */
  readonly address: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** `candidate`: nobody is locked yet, so a valid first answer may lock its sender. */
export type Standing = 'peer' | 'candidate' | 'stranger';

/** How many strangers of one transfer are told that they are strangers. */
const MAX_STRANGERS = 8;

/** A server locks its client from the request; a client locks the first that gives a valid answer. */
export class PeerLock {
  #peer: Peer | undefined;
  readonly #strangers = new Set<string>();

  constructor(peer?: Peer) {
    this.#peer = peer;
  }

  get peer(): Peer | undefined {
    return this.#peer;
  }

  standing(from: Peer): Standing {
    if (this.#peer === undefined) return 'candidate';
    const same = this.#peer.port === from.port && sameAddress(this.#peer.address, from.address);
    return same ? 'peer' : 'stranger';
  }

  lock(peer: Peer): void {
    this.#peer = peer;
  }

  /** True if this stranger should get an ERROR 5: once each, and only the first few of a transfer. */
  shouldTell(stranger: Peer): boolean {
    const key = peerName(stranger);
    if (this.#strangers.has(key) || this.#strangers.size >= MAX_STRANGERS) return false;
    this.#strangers.add(key);
    return true;
  }
}

/** `192.0.2.1:69` or `[2001:db8::1]:69`. */
export function peerName(peer: Peer): string {
  const address = peer.address.includes(':') ? `[${peer.address}]` : peer.address;
  return `${address}:${peer.port}`;
}
