/** The addresses and interfaces of this machine, and which address is nearest to somebody. */

import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { NetworkInterfaceInfo } from 'node:os';

/** An address of this machine with its subnet. */
export interface LocalAddress {
  /** With the zone, if it is link-local: `fe80::1%eth0`. */
  readonly address: string;
  /** Bits of the subnet. */
  readonly prefix: number;
}

/** What the interfaces have now; nothing, if the system does not tell. */
export function localAddresses(): LocalAddress[] {
  return interfaces().map(([name, info]) => localAddress(name, info));
}

/** The address whose subnet holds `other`, the smallest subnet first. */
export function nearestAddress(
  other: string,
  candidates: readonly LocalAddress[],
): LocalAddress | undefined {
  const around = candidates.filter((candidate) => isAround(candidate, other));
  return around.sort((one, two) => two.prefix - one.prefix)[0];
}

/** Milliseconds for which the numbers of the interfaces are not asked for again. */
const ZONES_HOLD = 1000;

let zones: ReadonlyMap<string, number> = new Map<string, number>();
let zonesReadAt = -Infinity;

/** The number of an interface (RFC 4007 section 11), by its name or its number in digits; undefined if there is none of this name. */
export function zoneNumber(zone: string): number | undefined {
  if (/^\d{1,9}$/.test(zone)) return Number(zone);
  return zones.get(zone) ?? readZones().get(zone);
}

/** The name of the interface with this number; the number itself if it has none. */
export function zoneName(number: number): string {
  return nameIn(zones, number) ?? nameIn(readZones(), number) ?? String(number);
}

function nameIn(known: ReadonlyMap<string, number>, number: number): string | undefined {
  for (const [name, candidate] of known) if (candidate === number) return name;
  return undefined;
}

/** Interfaces come and go: they are read again where one is not known, but not for every datagram. */
function readZones(): ReadonlyMap<string, number> {
  const now = performance.now();
  if (now - zonesReadAt < ZONES_HOLD) return zones;
  zonesReadAt = now;
  zones = new Map(
    interfaces().flatMap(([name, info]) =>
      info.family === 'IPv6' && info.scopeid > 0 ? [[name, info.scopeid] as const] : [],
    ),
  );
  return zones;
}

function interfaces(): [name: string, info: NetworkInterfaceInfo][] {
  try {
    return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
      infos.map((info): [string, NetworkInterfaceInfo] => [name, info]),
    );
  } catch {
    return [];
  }
}

function localAddress(
  name: string,
  { address, cidr, family, internal }: NetworkInterfaceInfo,
): LocalAddress {
  const longest = family === 'IPv6' ? 128 : 32;
  const zoned = !internal && /^fe[89ab]/i.test(address);
  return {
    address: zoned ? `${address}%${name}` : address,
    prefix: Number(cidr?.split('/')[1] ?? longest),
  };
}

function isAround({ address, prefix }: LocalAddress, other: string): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const [network = '', zone] = address.split('%');
  const [host = '', otherZone] = other.split('%');
  if (isIPv6(other) !== isIPv6(address) || zone !== otherZone) return false;
  const subnet = new BlockList();
  subnet.addSubnet(network, prefix, family);
  return subnet.check(host, family);
}
