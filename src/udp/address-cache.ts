/** Peers, and their addresses as the system has them. */

import type { Peer } from '../transfer/peer-lock';
import { AF_INET, peerOf, socketAddress } from './socket-address';
import type { SocketAddress } from './socket-address';

/** So many senders are remembered. */
const MOST_SENDERS = 1000;

/** Keeps what it has worked out once: the same peers send again and again. */
export class AddressCache {
  readonly #addresses = new WeakMap<Peer, { readonly bytes: SocketAddress | undefined }>();
  readonly #senders = new Map<number | string, Peer>();

  /** Undefined if the system cannot be told of this peer: see `socketAddress`. */
  addressOf(peer: Peer): SocketAddress | undefined {
    const known = this.#addresses.get(peer);
    if (known) return known.bytes;
    const bytes = socketAddress(peer);
    this.#addresses.set(peer, { bytes });
    return bytes;
  }

  /** The same object for the same sender, as long as there are not too many. */
  senderOf(address: SocketAddress): Peer {
    const key = address[0] === AF_INET ? keyOf(address) : address.toString('latin1');
    const known = this.#senders.get(key);
    if (known) return known;
    const peer = peerOf(address);
    if (this.#senders.size >= MOST_SENDERS) this.#senders.clear();
    this.#senders.set(key, peer);
    return peer;
  }
}

/** Port and address of IPv4 in one number. */
function keyOf(address: SocketAddress): number {
  return address.readUInt16BE(2) * 2 ** 32 + address.readUInt32BE(4);
}
