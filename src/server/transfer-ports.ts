/** From which ports transfers send: any, or those of a range. */

import type * as Crypto from 'node:crypto';
import { isIPv6 } from 'node:net';
import { LocalError, isTftpError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import { ClientEndpoints } from '../udp/client-endpoints';
import { Endpoint } from '../udp/endpoint';
import type { BindOptions } from '../udp/endpoint';
import type { Flow } from '../udp/flow';
import type { ServerOptions } from './server-options';

/** Opens the flows of transfers. */
export class TransferPorts {
  readonly #choice: Required<ServerOptions>['transferPorts'];
  readonly #clients = new ClientEndpoints((at) => Endpoint.bind({ ...at, port: 0 }));
  /** The ports of the range that transfers of ours have. */
  readonly #used = new Set<number>();
  /** The ports of the range that had transfers, the one that was freed last is the last. */
  readonly #freed = new Set<number>();

  constructor(choice: Required<ServerOptions>['transferPorts']) {
    this.#choice = choice;
  }

  /**
   * A flow to this client, from a port that only the client will know.
   *
   * @param local where the client asked: the answers leave from the same address.
   * @param receiveBuffer bytes that may arrive in a burst; 0 for a transfer that only receives ACKs.
   * @throws {LocalError} EBUSY if every port of the range is in use, or what `Endpoint.bind` throws.
   */
  async open(local: Peer, client: Peer, receiveBuffer: number): Promise<Flow> {
    // An inherited socket for both families hears IPv4 at an IPv6 address.
    const foreign = isIPv6(local.address) && !isIPv6(client.address);
    const at = { address: foreign ? '0.0.0.0' : local.address, receiveBuffer };
    if (typeof this.#choice !== 'string') return this.#fromRange(at, this.#choice);
    if (receiveBuffer === 0) return this.#clients.open(at.address, client);
    return (await Endpoint.bind({ ...at, port: 0 })).whole();
  }

  /**
   * Chooses at random (RFC 1350 section 4): a port that can be guessed lets strangers acknowledge in the
   * name of the client. The ports that were freed last are left out, so that late packets of a transfer
   * that has ended find nobody.
   */
  async #fromRange(
    at: Omit<BindOptions, 'port'>,
    [first, last]: readonly [number, number],
  ): Promise<Flow> {
    const { randomInt }: typeof Crypto = require('node:crypto');
    const free = this.#freePorts(first, last);
    while (free.length > 0) {
      const [port] = free.splice(randomInt(Math.ceil(free.length / 2)), 1);
      const endpoint = await this.#bindIfFree({ ...at, port: port! });
      if (endpoint) return endpoint.whole();
    }
    throw new LocalError('EBUSY', 'All ports for transfers are in use, try again later');
  }

  /** Those that were freed last come last. */
  #freePorts(first: number, last: number): number[] {
    const all = Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const rested = all.filter((port) => !this.#used.has(port) && !this.#freed.has(port));
    return [...rested, ...this.#freed];
  }

  /** Undefined if another program, or a transfer of ours that began meanwhile, has the port. */
  async #bindIfFree(at: BindOptions): Promise<Endpoint | undefined> {
    const { port } = at;
    if (this.#used.has(port)) return undefined;
    this.#used.add(port);
    this.#freed.delete(port);
    const onClose = (): void => {
      this.#used.delete(port);
      this.#freed.add(port);
    };
    try {
      return await Endpoint.bind({ ...at, onClose });
    } catch (error) {
      onClose();
      if (isTftpError(error) && error.code === 'EADDRINUSE') return undefined;
      throw error;
    }
  }
}
