/** From which ports transfers speak: any, or those of a range. */

import { isIPv6 } from 'node:net';
import { systemClock } from '../net/clock';
import { UdpSocket } from '../net/datagram-socket';
import type { BindOptions, DatagramSocket } from '../net/datagram-socket';
import { SocketPool } from '../net/socket-pool';
import { LocalError, isTftpError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import type { PortTable } from './port-table';
import type { ServerOptions } from './server-options';

/** How often another free port is looked for, where one of our other threads has it already. */
const ANY_TRIES = 10;

/** Hands out the sockets of transfers. */
export class TransferPorts {
  readonly #choice: Required<ServerOptions>['transferPorts'];
  readonly #table: PortTable;
  readonly #pool = new SocketPool(systemClock, (at) => this.#any(at));

  /** @param table the ports that transfers have, in all threads of this server. */
  constructor(choice: Required<ServerOptions>['transferPorts'], table: PortTable) {
    this.#choice = choice;
    this.#table = table;
  }

  /**
   * A socket to speak with this client.
   *
   * @param local where the client asked: the answers leave from the same address.
   * @param receiveBuffer bytes that may arrive in a burst; 0 for a transfer that only hears ACKs.
   * @throws {LocalError} EBUSY if every port of the range is in use, or what `UdpSocket.bind` throws.
   */
  async open(local: Peer, client: Peer, receiveBuffer: number): Promise<DatagramSocket> {
    // An inherited socket for both families hears IPv4 at an IPv6 address.
    const foreign = isIPv6(local.address) && !isIPv6(client.address);
    const address = foreign ? '0.0.0.0' : local.address;
    const at = { address, watchable: true, receiveBuffer, offload: true };
    const range = typeof this.#choice === 'string' ? undefined : this.#choice;
    if (range !== undefined) return this.#fromRange(at, range);
    return receiveBuffer === 0 ? this.#pool.open(address, client) : this.#any(at);
  }

  /** No transfer follows. */
  close(): void {
    this.#pool.close();
  }

  /** Our sockets share their ports, so that two threads could get the same one: the table tells. */
  async #any(at: Omit<BindOptions, 'port'>): Promise<UdpSocket> {
    for (let tries = 0; tries < ANY_TRIES; tries += 1) {
      let port = 0;
      const onClose = (): void => this.#table.release(port);
      const socket = await UdpSocket.bind({ ...at, port: 0, onClose });
      if (this.#table.claim(socket.local.port)) {
        ({ port } = socket.local);
        return socket;
      }
      socket.close();
    }
    throw portsInUse();
  }

  /** Ports are used in turn: late packets of a transfer that has ended find nobody. */
  async #fromRange(
    at: Omit<BindOptions, 'port'>,
    [first, last]: readonly [number, number],
  ): Promise<UdpSocket> {
    const count = last - first + 1;
    for (let tries = 0; tries < count; tries += 1) {
      const port = first + (this.#table.next() % count);
      if (!this.#table.claim(port)) continue;
      const onClose = (): void => this.#table.release(port);
      try {
        return await UdpSocket.bind({ ...at, port, onClose });
      } catch (error) {
        onClose();
        if (!isTftpError(error) || error.code !== 'EADDRINUSE') throw error;
      }
    }
    throw portsInUse();
  }
}

function portsInUse(): LocalError {
  return new LocalError('EBUSY', 'All ports for transfers are in use, try again later');
}
