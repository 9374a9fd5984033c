/** What limits and budgets count as one host. */

import { isIPv6 } from 'node:net';

const IPV4_MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * An IPv4 address as it is, and of an IPv6 address its first 64 bits: a subnet is the smallest unit
 * that one host is given, and it can send from any address in it (RFC 6177, RFC 7707 section 4). An
 * IPv4-mapped address (RFC 4291 section 2.5.5.2) counts as IPv4. Subnets of two zones are two.
 */
export function budgetKey(address: string): string {
  const mapped = IPV4_MAPPED.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [literal = '', zone] = address.split('%');
  if (!isIPv6(literal)) return address;
  const [head = '', tail] = literal.split('::');
  const before = groupsOf(head);
  const missing = tail === undefined ? 0 : 8 - before.length - groupsOf(tail).length;
  const zeros = Array.from({ length: missing }, () => '0');
  const groups = [...before, ...zeros, ...groupsOf(tail ?? '')].slice(0, 4);
  const prefix = groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':');
  return `${prefix}::/64${zone === undefined ? '' : `%${zone}`}`;
}

/** An IPv4 address at the end stands for two groups, whose values do not matter here. */
function groupsOf(text: string): string[] {
  return text
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => (group.includes('.') ? ['0', '0'] : group));
}
