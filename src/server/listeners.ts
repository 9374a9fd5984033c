/** The sockets at the listening port. */

import { isIP } from 'node:net';
import { UdpSocket } from '../net/datagram-socket';
import { invalidSetting } from '../net/check-setting';
import { SharedSocket } from '../net/shared-socket';
import { isTftpError } from '../protocol/errors';
import type { LocalError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import type { RequiredServerOptions } from './server-options';

/** Where a server listens. */
export interface ListeningAddress {
  readonly address: string;
  readonly port: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Who hears of what comes to the listening port. None of these may throw. */
export interface RequestListener {
  /** @param origin where the client asked, and the answer leaves from. */
  message(origin: SharedSocket, datagram: Uint8Array, from: Peer): void;
  /** A socket cannot be used any more. */
  failed(error: LocalError): void;
}

/** Room for the requests of a site that boots all at once, in bytes. */
const REQUEST_BUFFER = 1024 * 1024;

/** The same, if the uploads of that site come to the same socket. */
const SINGLE_PORT_BUFFER = 4 * REQUEST_BUFFER;

/** How often another free port is tried, if the one that IPv4 got is taken on IPv6. */
const PORT_TRIES = 5;

/** What a server listens with. */
export class Listeners {
  readonly #sockets: readonly SharedSocket[];
  readonly #shared: boolean;

  /** @throws {LocalError} EINVAL, EADDRINUSE, EACCES or EADDRNOTAVAIL, saying what to change. */
  static async bind(options: RequiredServerOptions): Promise<Listeners> {
    return new Listeners(await bindAddresses(options), options);
  }

  private constructor(sockets: readonly UdpSocket[], options: RequiredServerOptions) {
    this.#sockets = sockets.map((socket) => new SharedSocket(socket));
    this.#shared = options.transferPorts === 'single';
  }

  get addresses(): ListeningAddress[] {
    return this.#sockets.map(({ local }) => ({
      ...local,
      family: local.address.includes(':') ? 'ipv6' : 'ipv4',
    }));
  }

  listen(listener: RequestListener): void {
    for (const socket of this.#sockets) {
      socket.listen({
        message: (datagram, from) => listener.message(socket, datagram, from),
        unreachable: () => undefined,
        failed: (error) => listener.failed(error),
      });
    }
  }

  /** Hears no more requests, and frees the port, unless transfers speak from there: then `close` does. */
  stop(): void {
    for (const socket of this.#sockets) {
      if (this.#shared) socket.listen(undefined);
      else socket.close();
    }
  }

  /** Extra calls do nothing. */
  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}

type Bind = (to: { address: string; port: number }) => Promise<UdpSocket>;

/**
 * One socket for each version of IP that is wanted, all at the same port. A machine without IPv6 is
 * no reason to fail if both were wanted.
 */
async function bindAddresses(options: RequiredServerOptions): Promise<UdpSocket[]> {
  const { address, family, port, transferPorts } = options;
  const receiveBuffer = transferPorts === 'single' ? SINGLE_PORT_BUFFER : REQUEST_BUFFER;
  const bind: Bind = (to) => UdpSocket.bind({ ...to, watchable: false, receiveBuffer });
  if (address !== '' && isIP(address) === 0) {
    throw invalidSetting(
      `${address} is no IP address: give one of this machine, or leave it blank`,
    );
  }
  if (address !== '') return [await bind({ address, port })];
  if (family !== 'both')
    return [await bind({ address: family === 'ipv6' ? '::' : '0.0.0.0', port })];
  for (let tries = 1; ; tries += 1) {
    try {
      return await bindBoth(bind, port);
    } catch (error) {
      if (port !== 0 || tries === PORT_TRIES) throw error;
    }
  }
}

async function bindBoth(bind: Bind, port: number): Promise<UdpSocket[]> {
  const ipv4 = await bind({ address: '0.0.0.0', port });
  try {
    return [ipv4, await bind({ address: '::', port: ipv4.local.port })];
  } catch (error) {
    if (isTftpError(error) && error.code === 'EADDRNOTAVAIL') return [ipv4];
    ipv4.close();
    throw error;
  }
}
