/** The hardware addresses of the machines on our own networks, as the system knows them. */

import { readFileSync } from 'node:fs';

/** Where Linux tells the IPv4 neighbours, out of its memory. Elsewhere there is no such file, and no address is known. */
const LINUX_TABLE = '/proc/net/arp';
/** Milliseconds that an address holds. */
const FRESH = 2000;
/** Milliseconds until the table is read again for an address that is not in it. */
const PAUSE = 200;

const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;
const NO_MAC = '00:00:00:00:00:00';

/** Looks hardware addresses up. Only Linux tells them, and only of IPv4; for all others there is none. */
export class NeighbourTable {
  readonly #file: string;
  readonly #now: () => number;
  #macs: ReadonlyMap<string, string> = new Map<string, string>();
  #readAt = -Infinity;

  /**
   * @param file a table in the form of `/proc/net/arp`.
   * @param now tells milliseconds.
   */
  constructor(file = LINUX_TABLE, now = (): number => performance.now()) {
    this.#file = file;
    this.#now = now;
  }

  /** The hardware address as `aa:bb:cc:dd:ee:ff`, if it is known. */
  macOf(address: string): string | undefined {
    if (address.startsWith('127.') || address.includes(':')) return undefined;
    const age = this.#now() - this.#readAt;
    if (age > (this.#macs.has(address) ? FRESH : PAUSE)) this.#read();
    return this.#macs.get(address);
  }

  #read(): void {
    this.#readAt = this.#now();
    try {
      this.#macs = parse(readFileSync(this.#file, 'latin1'));
    } catch {
      this.#macs = new Map();
    }
  }
}

/** Lines of `IP type flags MAC mask device`, below a headline. */
function parse(table: string): ReadonlyMap<string, string> {
  const macs = new Map<string, string>();
  for (const line of table.split('\n').slice(1)) {
    const [address = '', , , mac = ''] = line.trim().split(/\s+/);
    if (MAC.test(mac) && mac !== NO_MAC) macs.set(address, mac);
  }
  return macs;
}
