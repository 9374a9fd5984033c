/** Whether a server could listen at a port: what the dialog of a server says while it is typed in. */

import { createSocket } from 'node:dgram';
import { bindError, systemCodeOf } from '../udp/bind-error';
import { isIPv6 } from '../udp/ip-version';
import { isWildcard } from '../server/listeners';
import type { AddressFamily } from '../server/server-options';

/** Where a server listens, or is to listen. */
export interface Place {
  readonly port: number;
  /** Blank: all addresses of the families. */
  readonly address: string;
  readonly family: AddressFamily;
}

/** A server node of the running flows. */
export interface KnownServer {
  /** What the editor calls it: of a node in a subflow the one in the template. */
  readonly id: string;
  /** Blank if it has none. */
  readonly name: string;
  readonly server: {
    readonly place: Place;
    /** The code of the error for which it does not listen; undefined while it does, and before it has tried. */
    readonly failure: string | undefined;
  };
}

/**
 * What stands in the way of a server: nothing, another server node, another program, a port below
 * 1024 without a right, or an address that is none of this machine.
 */
export type PortState = 'free' | 'node' | 'program' | 'permission' | 'address';

/** The answer to a question for a place. */
export interface PortAnswer {
  readonly state: PortState;
  /** The other server node. */
  readonly node?: { readonly id: string; readonly name: string };
}

/** What stands in the way, by the code of the error. */
const STATES: Readonly<Record<string, PortState>> = {
  EADDRINUSE: 'program',
  ENOPERM: 'permission',
  EADDRNOTAVAIL: 'address',
};

/** The places of all server nodes of the running flows. */
export class ServerPlaces {
  readonly #servers = new Set<KnownServer>();

  /** To be called when a server node is made. Returns what to call when it is closed. */
  add(server: KnownServer): () => void {
    this.#servers.add(server);
    return () => void this.#servers.delete(server);
  }

  /**
   * Asks for a place. Where a server node listens nothing is tried: the node has it. Any other place
   * is bound and let go, also one at which a node tries in vain: what its dialog asks for may differ
   * in the address that stands in the way.
   *
   * @param asking the id of the node whose dialog asks: its own place is free for it.
   */
  async check(place: Place, asking: string): Promise<PortAnswer> {
    const holders = [...this.#servers].filter(({ server }) => overlap(server.place, place));
    const other = holders.find(({ id }) => id !== asking);
    if (other !== undefined) return { state: 'node', node: { id: other.id, name: other.name } };
    const isOwn = holders.some(({ server }) => server.failure === undefined);
    return { state: isOwn ? 'free' : await probe(place) };
  }
}

/** True if two servers cannot listen at both places. */
function overlap(one: Place, other: Place): boolean {
  if (one.port !== other.port) return false;
  if (!isEverywhere(one) && !isEverywhere(other)) return one.address === other.address;
  return familiesOf(one).some((family) => familiesOf(other).includes(family));
}

/** True for all addresses of a family, or of both. */
function isEverywhere({ address }: Place): boolean {
  return address === '' || isWildcard(address);
}

function familiesOf({ address, family }: Place): ('ipv4' | 'ipv6')[] {
  if (address !== '') return [isIPv6(address) ? 'ipv6' : 'ipv4'];
  return family === 'both' ? ['ipv4', 'ipv6'] : [family];
}

async function probe(place: Place): Promise<PortState> {
  const states = await Promise.all(familiesOf(place).map((family) => probeFamily(place, family)));
  return states.find((state) => state !== 'free') ?? 'free';
}

async function probeFamily({ port, address }: Place, family: 'ipv4' | 'ipv6'): Promise<PortState> {
  const any = family === 'ipv6' ? '::' : '0.0.0.0';
  const code = await bindOnce(port, address || any, family);
  if (code === undefined) return 'free';
  const state = STATES[bindError(code, { address, port }, undefined).code] ?? 'free';
  // A machine without one of the families serves the other one.
  return state === 'address' && address === '' ? 'free' : state;
}

/**
 * Binds a socket and closes it within one turn of the event loop: it takes no packet away from anybody,
 * and a server would have to start at the same instant in its thread to find the port taken. Resolves
 * with the system's code if it cannot.
 */
function bindOnce(
  port: number,
  address: string,
  family: 'ipv4' | 'ipv6',
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const isV6 = family === 'ipv6';
    const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4', ipv6Only: isV6 });
    socket.once('error', (error) => {
      socket.close();
      resolve(systemCodeOf(error));
    });
    socket.once('listening', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address, exclusive: true });
  });
}
