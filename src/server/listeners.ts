/** The sockets at the listening port. */

import { isIP, isIPv6 } from 'node:net';
import { invalidSetting } from '../net/check-setting';
import { Endpoint } from '../udp/endpoint';
import { inheritSocket } from '../udp/inherited-socket';
import { isTftpError } from '../protocol/errors';
import type { BindOptions } from '../udp/endpoint';
import type { LocalAddress } from '../udp/local-addresses';
import type { LocalError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import { AddressListeners } from './address-listeners';
import type { ListeningAddress } from './listening-address';
import type { RequiredServerOptions } from './server-options';
import type { ServerSystem } from './server-system';

/** Who hears of what comes to the listening port. None of these may throw. */
export interface RequestListener {
  /** @param origin where the client asked, and the answer leaves from. */
  message(origin: Endpoint, datagram: Uint8Array, from: Peer): void;
  /** A socket cannot be used any more. */
  failed(error: LocalError): void;
}

/** Room for the requests of a site that boots all at once, in bytes. */
const REQUEST_BUFFER = 1024 * 1024;

/** The same, if the uploads of that site come to the same socket. */
const SINGLE_PORT_BUFFER = 4 * REQUEST_BUFFER;

/** How often another free port is tried, if the one that IPv4 got is taken on IPv6. */
const PORT_TRIES = 5;

/** Milliseconds for which the addresses of this machine are not asked for again. */
const ADDRESSES_HOLD = 1000;

/** What a server listens with. */
export class Listeners {
  /** Those that were asked for. */
  readonly #sockets: readonly Endpoint[];
  /** Those at the single addresses, where the ones above are at none in particular. */
  readonly #atAddresses: AddressListeners;
  readonly #system: ServerSystem;
  readonly #singlePort: boolean;
  #listener: RequestListener | undefined;
  #known: { readonly at: number; readonly addresses: readonly LocalAddress[] } | undefined;

  /** @throws {LocalError} EINVAL, EADDRINUSE, ENOPERM or EADDRNOTAVAIL, saying what to change. */
  static async bind(options: RequiredServerOptions, system: ServerSystem): Promise<Listeners> {
    const bind = binder(options);
    if (options.descriptors.length > 0) {
      return new Listeners(inheritAll(options), bind, options, system);
    }
    const sharing = system.sharesPorts ? 'first' : 'alone';
    const sockets = await bindAddresses(options, (to) =>
      bind({ ...to, sharing: isWildcard(to.address) ? sharing : 'alone' }),
    );
    const listeners = new Listeners(sockets, bind, options, system);
    const shares = sockets.some(({ local }) => isWildcard(local.address)) && system.sharesPorts;
    if (shares) await listeners.#atAddresses.scan();
    return listeners;
  }

  private constructor(
    sockets: readonly Endpoint[],
    bind: Bind,
    options: RequiredServerOptions,
    system: ServerSystem,
  ) {
    this.#sockets = sockets;
    this.#system = system;
    this.#singlePort = options.transferPorts === 'single';
    const places = sockets.map(({ local }) => local);
    this.#atAddresses = new AddressListeners({
      wanted: () => coveredBy(places, system.localAddresses()),
      bind: (address) => bind({ address, port: places[0]!.port, sharing: 'more' }),
      attend: (socket) => this.#attend(socket),
      clock: system.clock,
    });
  }

  get addresses(): ListeningAddress[] {
    return this.#sockets.map(({ local }) => ({
      ...local,
      family: local.address.includes(':') ? 'ipv6' : 'ipv4',
    }));
  }

  listen(listener: RequestListener): void {
    this.#listener = listener;
    for (const socket of this.#all) this.#attend(socket);
  }

  /** True for one of our own listening sockets. */
  isOurs({ address, port }: Peer): boolean {
    if (!this.#sockets.some(({ local }) => local.port === port)) return false;
    return this.#ownAddresses.some((own) => own.address === address);
  }

  /** Hears no more requests, and frees the port, unless transfers speak from there: then `close` does. */
  stop(): void {
    this.#atAddresses.stop();
    for (const socket of this.#all) {
      if (this.#singlePort) socket.subscribe(undefined);
      else socket.close();
    }
  }

  /** Extra calls do nothing. */
  close(): void {
    this.#atAddresses.stop();
    for (const socket of this.#all) socket.close();
  }

  get #all(): readonly Endpoint[] {
    return [...this.#sockets, ...this.#atAddresses.sockets];
  }

  #attend(socket: Endpoint): void {
    const listener = this.#listener;
    if (listener === undefined) return;
    socket.subscribe({
      message: (datagram, from) => {
        const origin = this.#origin(socket, from);
        if (origin) listener.message(origin, datagram, from);
      },
      failed: (error) => listener.failed(error),
    });
  }

  /**
   * What comes to a wildcard socket although the addresses have their own was sent to all, and the
   * nearest one answers. Or it was sent to an address that has just come: that one gets a socket now, and
   * answers when the client asks again.
   */
  #origin(socket: Endpoint, from: Peer): Endpoint | undefined {
    if (!isWildcard(socket.local.address)) return socket;
    return this.#atAddresses.findNew() ? undefined : (this.#atAddresses.nearest(from) ?? socket);
  }

  /** Interfaces are not asked for at each packet. */
  get #ownAddresses(): readonly LocalAddress[] {
    const now = this.#system.clock.now();
    if (this.#known === undefined || now - this.#known.at > ADDRESSES_HOLD) {
      this.#known = { at: now, addresses: this.#system.localAddresses() };
    }
    return this.#known.addresses;
  }
}

/** Those of the addresses that the sockets at these places hear. */
function coveredBy(
  places: readonly Peer[],
  addresses: readonly LocalAddress[],
): readonly LocalAddress[] {
  const wildcards = places.map(({ address }) => address).filter(isWildcard);
  return addresses.filter(({ address }) =>
    wildcards.some((wildcard) => isIPv6(wildcard) === isIPv6(address)),
  );
}

/** True for an address that stands for all of its family. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

type Bind = (to: Pick<BindOptions, 'address' | 'port' | 'sharing'>) => Promise<Endpoint>;

function binder(options: RequiredServerOptions): Bind {
  const receiveBuffer = receiveBufferOf(options);
  return (to) => Endpoint.bind({ ...to, receiveBuffer });
}

function receiveBufferOf({ transferPorts }: RequiredServerOptions): number {
  return transferPorts === 'single' ? SINGLE_PORT_BUFFER : REQUEST_BUFFER;
}

function inheritAll(options: RequiredServerOptions): Endpoint[] {
  const sockets: Endpoint[] = [];
  try {
    for (const descriptor of options.descriptors) {
      sockets.push(inheritSocket(descriptor, receiveBufferOf(options)));
    }
    return sockets;
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
}

/**
 * One socket for each version of IP that is wanted, all at the same port. A machine without IPv6 is
 * no reason to fail if both were wanted.
 */
async function bindAddresses(options: RequiredServerOptions, bind: Bind): Promise<Endpoint[]> {
  const { address, family, port } = options;
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

async function bindBoth(bind: Bind, port: number): Promise<Endpoint[]> {
  const ipv4 = await bind({ address: '0.0.0.0', port });
  try {
    return [ipv4, await bind({ address: '::', port: ipv4.local.port })];
  } catch (error) {
    if (isTftpError(error) && error.code === 'EADDRNOTAVAIL') return [ipv4];
    ipv4.close();
    throw error;
  }
}
