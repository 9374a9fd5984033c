/** IP addresses as text: the same address can be written in many ways. */

/** An address in the one way in which this package writes it, and its zone as it was given. */
export interface AddressParts {
  /** IPv4, or IPv6 in lower case and as short as it can be (RFC 5952). IPv4 in IPv6 (`::ffff:192.0.2.1`) is IPv4. */
  readonly ip: string;
  /** The name or the number of the interface (RFC 4007 section 11), as in `fe80::1%eth0`. */
  readonly zone: string | undefined;
}

/** Takes apart what is known to be an address. */
export function addressParts(address: string): AddressParts {
  const [text = '', ...zone] = address.split('%');
  const ip = text.includes(':') ? shortest(ipv6Groups(text)) : text;
  return { ip, zone: zone.length > 0 ? zone.join('%') : undefined };
}

/**
 * True if two texts can mean the same address. A zone that one of them leaves out does not matter, nor
 * does it whether a `%` is written as in a URL (`%25eth0`, RFC 6874 section 2). The name of an interface
 * and the number of one are taken for the same: which has which, only the system knows.
 */
export function sameAddress(one: string, other: string): boolean {
  if (one === other) return true;
  const [a, b] = [addressParts(one), addressParts(other)];
  return a.ip === b.ip && sameZone(a.zone, b.zone);
}

/** What a zone may be meant to be: as it stands, and without the escape of URLs. */
export function zoneSpellings(zone: string): readonly string[] {
  return /^25./.test(zone) ? [zone, zone.slice(2)] : [zone];
}

function sameZone(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return true;
  const others = zoneSpellings(other);
  return zoneSpellings(one).some((a) => others.some((b) => a === b || isNumber(a) !== isNumber(b)));
}

function isNumber(zone: string): boolean {
  return /^[0-9]+$/.test(zone);
}

/** The IPv4 address, if the address is one in IPv6, as systems write it (RFC 4291 section 2.5.5.2); else the same. */
export function unmapped(address: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
}

/** The eight groups of an IPv6 address without a zone (RFC 4291 section 2.2). Another number of them if it is no address. */
export function ipv6Groups(text: string): number[] {
  const [before = '', after] = text.split('::');
  const head = groupsIn(before);
  if (after === undefined) return head;
  const tail = groupsIn(after);
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => 0);
  return [...head, ...zeros, ...tail];
}

/** The last two groups may be written as an IPv4 address. */
function groupsIn(text: string): number[] {
  const parts = text.split(':').filter((part) => part !== '');
  return parts.flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function shortest(groups: readonly number[]): string {
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join('.');
  const text = groups.map((group) => group.toString(16)).join(':');
  // The first of the longest runs of two zeros or more (RFC 5952 section 4.2).
  const runs = text.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  return text.replace(new RegExp(`(^|:)${longest}(:|$)`), '::');
}
