/** The addresses of this machine, and which of them is nearest to somebody. */

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
  try {
    return Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
      infos.map((info) => localAddress(name, info)),
    );
  } catch {
    return [];
  }
}

/** The address whose subnet holds `other`, the smallest subnet first. */
export function nearestAddress(
  other: string,
  candidates: readonly LocalAddress[],
): LocalAddress | undefined {
  const around = candidates.filter((candidate) => isAround(candidate, other));
  return around.sort((one, two) => two.prefix - one.prefix)[0];
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
