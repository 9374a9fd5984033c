/** From which ports transfers speak: any, those of a range, or the listening port. */

import { isIPv6 } from 'node:net';
import { systemClock } from '../net/clock';
import { UdpSocket } from '../net/datagram-socket';
import type { DatagramSocket } from '../net/datagram-socket';
import { SocketPool } from '../net/socket-pool';
import type { SharedSocket } from '../net/shared-socket';
import { LocalError, isTftpError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import type { ServerOptions } from './server-options';

/** Hands out the sockets of transfers. */
export class TransferPorts {
  readonly #choice: Required<ServerOptions>['transferPorts'];
  /** The ports of the range that our transfers have. */
  readonly #taken = new Set<number>();
  readonly #pool = new SocketPool(systemClock);
  #next = 0;

  constructor(choice: Required<ServerOptions>['transferPorts']) {
    this.#choice = choice;
  }

  /**
   * A socket to speak with this client.
   *
   * @param origin where the client asked: the answers leave from the same address.
   * @param receiveBuffer bytes that may arrive in a burst; 0 for a transfer that only hears ACKs.
   * @throws {LocalError} EBUSY if every port of the range is in use, or what `UdpSocket.bind` throws.
   */
  async open(origin: SharedSocket, client: Peer, receiveBuffer: number): Promise<DatagramSocket> {
    if (this.#choice === 'single') return origin.share(client);
    // An inherited socket for both families hears IPv4 at an IPv6 address.
    const foreign = isIPv6(origin.local.address) && !isIPv6(client.address);
    const address = foreign ? '0.0.0.0' : origin.local.address;
    const at = { address, watchable: true, receiveBuffer, offload: true };
    if (this.#choice === 'any' && receiveBuffer === 0) return this.#pool.open(address, client);
    if (this.#choice === 'any') return UdpSocket.bind({ ...at, port: 0 });
    return this.#fromRange(at, this.#choice);
  }

  /** No transfer follows. */
  close(): void {
    this.#pool.close();
  }

  /** Ports are used in turn: late packets of a transfer that has ended find nobody. */
  async #fromRange(
    at: { address: string; watchable: boolean; receiveBuffer: number },
    [first, last]: readonly [number, number],
  ): Promise<UdpSocket> {
    const count = last - first + 1;
    for (let tries = 0; tries < count && this.#taken.size < count; tries += 1) {
      const port = first + (this.#next++ % count);
      if (this.#taken.has(port)) continue;
      this.#taken.add(port);
      const onClose = () => this.#taken.delete(port);
      try {
        return await UdpSocket.bind({ ...at, port, onClose });
      } catch (error) {
        onClose();
        if (!isTftpError(error) || error.code !== 'EADDRINUSE') throw error;
      }
    }
    throw new LocalError('EBUSY', 'All ports for transfers are in use, try again later');
  }
}
