/** The sockets at the listening port. */

import { isIP } from 'node:net';
import { UdpSocket } from '../net/datagram-socket';
import { invalidSetting } from '../net/check-setting';
import { isTftpError } from '../protocol/errors';
import type { RequiredServerOptions } from './server-options';

/** Where a server listens. */
export interface ListeningAddress {
  readonly address: string;
  readonly port: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Room for the requests of a site that boots all at once, in bytes. */
const REQUEST_BUFFER = 1024 * 1024;

/** How often another free port is tried, if the one that IPv4 got is taken on IPv6. */
const PORT_TRIES = 5;

/**
 * One socket for each version of IP that is wanted, all at the same port. A machine without IPv6 is
 * no reason to fail if both were wanted.
 *
 * @throws {LocalError} EINVAL, EADDRINUSE, EACCES or EADDRNOTAVAIL, saying what to change.
 */
export async function bindListeners(options: RequiredServerOptions): Promise<UdpSocket[]> {
  const { address, family, port } = options;
  if (address !== '' && isIP(address) === 0) {
    throw invalidSetting(
      `${address} is no IP address: give one of this machine, or leave it blank`,
    );
  }
  if (address !== '') return [await bind(address, port)];
  if (family !== 'both') return [await bind(family === 'ipv6' ? '::' : '0.0.0.0', port)];
  for (let tries = 1; ; tries += 1) {
    try {
      return await bindBoth(port);
    } catch (error) {
      if (port !== 0 || tries === PORT_TRIES) throw error;
    }
  }
}

async function bindBoth(port: number): Promise<UdpSocket[]> {
  const ipv4 = await bind('0.0.0.0', port);
  try {
    return [ipv4, await bind('::', ipv4.local.port)];
  } catch (error) {
    if (isTftpError(error) && error.code === 'EADDRNOTAVAIL') return [ipv4];
    ipv4.close();
    throw error;
  }
}

function bind(address: string, port: number): Promise<UdpSocket> {
  return UdpSocket.bind({ address, port, watchable: false, receiveBuffer: REQUEST_BUFFER });
}
