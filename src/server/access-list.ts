/** Which addresses may ask. */

import { BlockList, isIP, isIPv6 } from 'node:net';
import { invalidSetting } from '../net/check-setting';

/** Networks, as a set to look addresses up in. */
export class AccessList {
  readonly #networks = new BlockList();

  /**
   * @param networks addresses such as `192.0.2.1` and CIDRs such as `192.0.2.0/24` or `2001:db8::/32`.
   * @throws {LocalError} EINVAL, naming the entry that is neither.
   */
  constructor(networks: readonly string[]) {
    for (const network of networks) this.#add(network.trim());
  }

  includes(address: string): boolean {
    const [literal] = address.split('%');
    return this.#networks.check(literal!, isIPv6(literal!) ? 'ipv6' : 'ipv4');
  }

  #add(network: string): void {
    const [address = '', prefix, ...rest] = network.split('/');
    const bits = isIP(address) === 6 ? 128 : 32;
    const length = prefix === undefined ? bits : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : NaN;
    if (isIP(address) === 0 || rest.length > 0 || !(length <= bits)) {
      const form = 'an address like 192.0.2.1 or a network like 192.0.2.0/24';
      throw invalidSetting(`${network} is no network: give ${form}`);
    }
    this.#networks.addSubnet(address, length, bits === 128 ? 'ipv6' : 'ipv4');
  }
}
