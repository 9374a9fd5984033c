/**
 * The ports from which a server sends files. Transfers with one client that run at the same time share a
 * port, which takes less memory and fewer system calls. Different clients never do: whoever knows the
 * port of a transfer can acknowledge blocks in the name of its client, and draw the file to it; so the
 * system chooses each port at random (RFC 1350 section 4), and only the client learns it.
 *
 * A port never serves the same address and port of a client twice, so that packets of a transfer that
 * has ended cannot disturb a later one.
 */

import { decodeTransferPacket } from '../protocol/decode';
import { encode } from '../protocol/encode';
import { peerName } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import type { BindOptions, Endpoint } from './endpoint';
import type { Flow } from './flow';

/** So many transfers share a port before another one is opened. */
const MOST_SHARING = 64;
/** So many transfers a port serves in its life. */
const MOST_SERVED = 4096;
/** Room for the ACKs of so many transfers, in bytes. */
const RECEIVE_BUFFER = 1024 * 1024;

/** A port of ours for one client. */
interface Member {
  readonly endpoint: Endpoint;
  /** The ports of the client that were served, and the strangers that were told that they are. */
  readonly met: Set<string>;
  /** Flows that are open. */
  active: number;
}

export class ClientEndpoints {
  readonly #bind: (at: Omit<BindOptions, 'port'>) => Promise<Endpoint>;
  /** By our own address and the client's. */
  readonly #members = new Map<string, Member[]>();
  /** The ports that are being opened. */
  readonly #opening = new Map<string, Promise<void>>();

  /** @param bind opens an endpoint at a free port. */
  constructor(bind: (at: Omit<BindOptions, 'port'>) => Promise<Endpoint>) {
    this.#bind = bind;
  }

  /**
   * A flow for one transfer.
   *
   * @param address a literal one of this machine, from which to send.
   * @throws what `Endpoint.bind` throws.
   */
  async open(address: string, peer: Peer): Promise<Flow> {
    const key = `${address} ${peer.address}`;
    const name = peerName(peer);
    const member = await this.#memberFor(key, address, name);
    member.active += 1;
    member.met.add(name);
    return member.endpoint.flow(peer, () => this.#left(key, member));
  }

  /** Transfers that come at once wait for one new port. */
  async #memberFor(key: string, address: string, name: string): Promise<Member> {
    for (;;) {
      const member = this.#members.get(key)?.find((one) => hasRoom(one, name));
      if (member) return member;
      const opening = this.#opening.get(key) ?? this.#newMember(key, address);
      this.#opening.set(key, opening);
      await opening.finally(() => this.#opened(key, opening));
    }
  }

  #opened(key: string, opening: Promise<void>): void {
    if (this.#opening.get(key) === opening) this.#opening.delete(key);
  }

  async #newMember(key: string, address: string): Promise<void> {
    const endpoint = await this.#bind({ address, receiveBuffer: RECEIVE_BUFFER });
    // A server lives by its listening socket, and a transfer by its timer.
    endpoint.unref();
    const member: Member = { endpoint, met: new Set(), active: 0 };
    endpoint.subscribe({
      message: (datagram, from) => tellStranger(member, datagram, from),
      failed: () => this.#forget(key, member),
    });
    this.#members.set(key, [...(this.#members.get(key) ?? []), member]);
    // Whoever wanted it may have given up meanwhile.
    setImmediate(() => this.#closeIfUnused(key, member));
  }

  #left(key: string, member: Member): void {
    member.active -= 1;
    this.#closeIfUnused(key, member);
  }

  #closeIfUnused(key: string, member: Member): void {
    if (member.active > 0) return;
    this.#forget(key, member);
    member.endpoint.close();
  }

  #forget(key: string, member: Member): void {
    const others = (this.#members.get(key) ?? []).filter((one) => one !== member);
    if (others.length > 0) this.#members.set(key, others);
    else this.#members.delete(key);
  }
}

function hasRoom({ active, met }: Member, name: string): boolean {
  return active < MOST_SHARING && met.size < MOST_SERVED && !met.has(name);
}

/**
 * A packet of no transfer gets ERROR 5 (RFC 1350 section 4), once for each sender. Whoever was served
 * here knows how its transfer has ended. An ERROR is never answered, and neither is a request.
 */
function tellStranger({ endpoint, met }: Member, datagram: Uint8Array, from: Peer): void {
  const packet = decodeTransferPacket(datagram);
  const name = peerName(from);
  if (packet === undefined || packet.type === 'ERROR') return;
  if (met.has(name) || met.size >= MOST_SERVED) return;
  met.add(name);
  const datagrams = encode({ type: 'ERROR', code: 5, message: 'Unknown transfer ID' });
  endpoint.send({ datagrams, segmentSize: datagrams.length }, from, () => undefined);
}
