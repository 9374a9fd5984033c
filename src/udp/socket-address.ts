/** Addresses as the system calls of Linux have them: `sockaddr_in` and `sockaddr_in6`. */

import { SocketAddress as NetAddress } from 'node:net';
import { ipv6Groups } from '../protocol/address';
import type { Peer } from '../transfer/peer-lock';
import { isIPv6 } from './ip-version';
import { zoneName, zoneNumber } from './local-addresses';

/** The bytes of a `sockaddr_in` or `sockaddr_in6`. */
export type SocketAddress = Buffer;

export const AF_INET = 2;
export const AF_INET6 = 10;

const IPV4_LENGTH = 16;
const IPV6_LENGTH = 28;
const ZONE_OFFSET = 24;
/** Bytes of the longer one. */
export const ADDRESS_LENGTH = IPV6_LENGTH;

/** Undefined if that is no address, or its zone (`fe80::1%eth0`) no interface of this machine. */
export function socketAddress({ address, port }: Peer): SocketAddress | undefined {
  const [host = '', zone] = address.split('%');
  const number = zone === undefined ? 0 : zoneNumber(zone);
  if (number === undefined) return undefined;
  const ipv6 = isIPv6(address);
  const parts = ipv6 ? ipv6Bytes(host) : host.split('.').map(Number);
  if (parts.length !== (ipv6 ? 16 : 4) || !parts.every((part) => part >= 0 && part <= 255)) {
    return undefined;
  }
  const bytes = Buffer.alloc(ipv6 ? IPV6_LENGTH : IPV4_LENGTH);
  familyOf(bytes)[0] = ipv6 ? AF_INET6 : AF_INET;
  bytes.writeUInt16BE(port, 2);
  bytes.set(parts, ipv6 ? 8 : 4);
  if (ipv6) zoneOf(bytes)[0] = number;
  return bytes;
}

/** The address as `node:dgram` writes it. */
export function peerOf(bytes: SocketAddress): Peer {
  const port = bytes.readUInt16BE(2);
  if (familyOf(bytes)[0] === AF_INET) return { address: bytes.subarray(4, 8).join('.'), port };
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(8 + 2 * i).toString(16));
  const { address } = new NetAddress({ address: groups.join(':'), family: 'ipv6' });
  const zone = zoneOf(bytes)[0]!;
  return { address: zone === 0 ? address : `${address}%${zoneName(zone)}`, port };
}

/** The family and the zone are in the byte order of the machine, as nothing else is. */
function familyOf(bytes: SocketAddress): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, 1);
}

function zoneOf(bytes: SocketAddress): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset + ZONE_OFFSET, 1);
}

/** The sixteen bytes of an address without a zone. */
function ipv6Bytes(address: string): number[] {
  return ipv6Groups(address).flatMap((group) => [group >>> 8, group & 0xff]);
}
