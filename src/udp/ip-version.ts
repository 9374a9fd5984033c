/** Which version of IP an address belongs to. */

/**
 * For what is known to be an address. `isIPv6` of `node:net`, which also tells whether it is one,
 * compiles a regular expression at its first call for longer than a small transfer takes.
 */
export function isIPv6(address: string): boolean {
  return address.includes(':');
}
