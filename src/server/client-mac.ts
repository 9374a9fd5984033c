/** Which device asks: many put their hardware address into the names of their files. */

import type { NeighbourTable } from '../storage/neighbour-table';

/** What stands before the address, at the start of a part of the name: the words of Cisco and Grandstream, the `01-` of PXELINUX (Ethernet), the file name of GRUB. */
const BEFORE = '(?:ctlsep|itlsep|sep|sip|sk|cfg|(?:grub\\.cfg-)?01-)?';
const PLAIN = '[0-9a-f]{12}';
const DASHED = '[0-9a-f]{2}(?:-[0-9a-f]{2}){5}';
const IN_NAME = new RegExp(`(?:^|/)${BEFORE}(${DASHED}|${PLAIN})(?![0-9a-z])`, 'i');

/** The hardware address as `aa:bb:cc:dd:ee:ff`: from the name of the file, else from the system. */
export function clientMac(
  filename: string,
  address: string,
  neighbours: NeighbourTable,
): string | undefined {
  return macInName(filename) ?? neighbours.macOf(address);
}

/** The hardware address in a name such as `SEP001122AABBCC.cnf.xml`, `001122aabbcc.cfg` or `pxelinux.cfg/01-00-11-22-aa-bb-cc`. */
export function macInName(filename: string): string | undefined {
  const digits = IN_NAME.exec(filename.replaceAll('\\', '/'))?.[1]?.replaceAll('-', '');
  const mac = digits?.toLowerCase().match(/../g)?.join(':');
  return mac === undefined || !isDevice(mac) ? undefined : mac;
}

/** A group of devices has an odd first byte; all zeros stand for none, as in Polycom's `000000000000.cfg`. */
function isDevice(mac: string): boolean {
  return Number.parseInt(mac.slice(0, 2), 16) % 2 === 0 && mac !== '00:00:00:00:00:00';
}
