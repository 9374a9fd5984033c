/** Sockets that another program has bound for us: systemd does, so that a server needs no rights for port 69. */

import { readFileSync, readlinkSync } from 'node:fs';
import { LocalError } from '../protocol/errors';
import { Endpoint } from './endpoint';

/**
 * Takes over a bound UDP socket.
 *
 * @param descriptor its file descriptor.
 * @param receiveBuffer bytes that may arrive in a burst.
 * @throws {LocalError} EIO if it is none.
 */
export function inheritSocket(descriptor: number, receiveBuffer: number): Endpoint {
  try {
    const socket = Endpoint.inherit(descriptor, isIPv6Socket(descriptor), receiveBuffer);
    if (socket.local.port !== 0) return socket;
    socket.close();
  } catch (error) {
    throw noSocket(descriptor, error);
  }
  throw noSocket(descriptor);
}

/** Node.js must know the family before it takes a socket, and does not tell. Linux lists the sockets of each. */
function isIPv6Socket(descriptor: number): boolean {
  const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`)) ?? [];
  const sockets = readFileSync('/proc/self/net/udp6', 'latin1').split('\n').slice(1);
  return sockets.some((line) => line.trim().split(/\s+/)[9] === inode);
}

function noSocket(descriptor: number, cause?: unknown): LocalError {
  const message =
    `File descriptor ${descriptor} is no bound UDP socket: ` +
    'let the .socket unit of systemd say ListenDatagram=69, and nothing else that listens';
  return new LocalError('EIO', message, { cause });
}
