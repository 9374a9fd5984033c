/** What limits and budgets count as one host. */

import { isIPv6 } from 'node:net';
import { ipv6Groups, unmapped } from '../protocol/address';

/**
 * An IPv4 address as it is, and of an IPv6 address its first 64 bits: a subnet is the smallest unit
 * that one host is given, and it can send from any address in it (RFC 6177, RFC 7707 section 4). An
 * IPv4-mapped address (RFC 4291 section 2.5.5.2) counts as IPv4. Subnets of two zones are two.
 */
export function budgetKey(address: string): string {
  const [literal = '', zone] = unmapped(address).split('%');
  if (!isIPv6(literal)) return unmapped(address);
  const groups = ipv6Groups(literal).slice(0, 4);
  const prefix = groups.map((group) => group.toString(16)).join(':');
  return `${prefix}::/64${zone === undefined ? '' : `%${zone}`}`;
}
