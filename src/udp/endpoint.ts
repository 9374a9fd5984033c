/**
 * A port of ours. It belongs to one transfer (`whole`), or has a flow for each of its peers. What is
 * sent leaves by this socket and no other, and carries all of its settings with it: nothing that one
 * flow does can change what another one sends or hears.
 */

import { unmapped } from '../protocol/address';
import { LocalError } from '../protocol/errors';
import { peerName } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';
import { bindError, systemCodeOf } from './bind-error';
import type { Flow, FlowListener } from './flow';
import { isIPv6 } from './ip-version';
import { adoptHandle, bindHandle } from './udp-handle';
import type { Sharing, UdpHandle } from './udp-handle';

/** Who hears of what belongs to no flow. */
export type EndpointListener = Pick<FlowListener, 'message' | 'failed'>;

/** Where to bind. */
export interface BindOptions {
  /** A literal address; it decides between IPv4 and IPv6. */
  readonly address: string;
  /** 0 for any. */
  readonly port: number;
  /** Sharing needs {@link CAN_SHARE_PORTS}. @default 'alone' */
  readonly sharing?: Sharing;
  /** Bytes that may arrive in a burst. @default what the system gives */
  readonly receiveBuffer?: number;
  /** Called once, when the endpoint is closed. */
  readonly onClose?: () => void;
}

/** Only Linux hands datagrams to the most specific of several sockets at one port. */
export const CAN_SHARE_PORTS = process.platform === 'linux';

/** How often a port that was free a moment ago is looked for anew. */
const BIND_TRIES = 5;

/** Sending fails for good with these; every other error is a lost datagram. */
const FATAL_SEND_ERRORS = new Set(['EMSGSIZE', 'EACCES', 'EPERM', 'EINVAL', 'EAFNOSUPPORT']);

export class Endpoint {
  readonly local: Peer;
  readonly #handle: UdpHandle;
  /** Of IPv6, and hears IPv4 as well. */
  readonly #dualStack: boolean;
  readonly #onClose: (() => void) | undefined;
  readonly #flows = new Map<string, EndpointFlow>();
  /** Flows of senders that were met before: the same object stands for the same sender. */
  readonly #met = new WeakMap<Peer, EndpointFlow>();
  /** The flow that has all of it. */
  #whole: EndpointFlow | undefined;
  #listener: EndpointListener | undefined;
  #closed = false;

  /** @throws {LocalError} EADDRINUSE, ENOPERM or EADDRNOTAVAIL, saying what to change. */
  static async bind(options: BindOptions): Promise<Endpoint> {
    const { address, port, sharing = 'alone' } = options;
    for (let tries = 1; ; tries += 1) {
      try {
        return new Endpoint(await bindHandle({ address, port }, sharing), options);
      } catch (error) {
        if (port !== 0 || tries === BIND_TRIES)
          throw bindError(systemCodeOf(error), options, error);
      }
    }
  }

  /**
   * Takes over a socket that is bound already. One of IPv6 may hear IPv4 as well.
   *
   * @throws what `node:dgram` throws if the descriptor is no such socket.
   */
  static inherit(descriptor: number, ipv6: boolean, receiveBuffer: number): Endpoint {
    return new Endpoint(adoptHandle(descriptor, ipv6), { receiveBuffer, dualStack: ipv6 });
  }

  private constructor(
    handle: UdpHandle,
    options: Pick<BindOptions, 'receiveBuffer' | 'onClose'> & { dualStack?: boolean },
  ) {
    this.#handle = handle;
    this.#dualStack = options.dualStack ?? false;
    this.local = { ...handle.local, address: unmapped(handle.local.address) };
    this.#onClose = options.onClose;
    handle.subscribe(options.receiveBuffer ?? 0, {
      message: (datagram, from) => this.#message(datagram, this.#seen(from)),
      refused: (peer) => this.#flowOf(this.#seen(peer))?.listener?.unreachable(peer),
      failed: (error) => this.#failed(sendError(error)),
    });
  }

  /** How many flows there are. */
  get flows(): number {
    return this.#flows.size;
  }

  /** True if what arrives in one burst is handed out in one piece. */
  get coalesces(): boolean {
    return this.#handle.coalesces;
  }

  /** Names the listener of what belongs to no flow; undefined for none, which leaves the flows alone. */
  subscribe(listener: EndpointListener | undefined): void {
    this.#listener = listener;
  }

  /** The endpoint as the flow of one transfer, which hears everybody, and closes it at its end. Call at most once. */
  whole(): Flow {
    this.#whole = new EndpointFlow(this, true, () => this.close());
    return this.#whole;
  }

  /**
   * A flow for what one peer sends, but for its requests. A newer flow for the same peer takes its place.
   *
   * @param onClose is called once, when the flow is closed.
   */
  flow(peer: Peer, onClose?: () => void): Flow {
    const name = peerName(peer);
    const flow = new EndpointFlow(this, false, () => {
      if (this.#flows.get(name) === flow) this.#flows.delete(name);
      this.#handle.crowded = this.#flows.size > 1;
      onClose?.();
    });
    this.#flows.set(name, flow);
    this.#handle.crowded = this.#flows.size > 1;
    return flow;
  }

  /**
   * Sends datagrams that lie end to end.
   *
   * @param failed hears of an error. @default tells the listener of the endpoint, if it cannot be done at all
   * @returns true if they left in pieces that the kernel cuts.
   */
  send(run: Transmit, to: Peer, failed: (error: Error) => void = this.#sendFailed): boolean {
    if (this.#closed) return false;
    const peer = this.#dualStack ? { ...to, address: mapped(to.address) } : to;
    return this.#handle.send({ run, peer, failed });
  }

  /** Has what arrives in one burst handed out in one piece: only for one transfer alone, as what is for several cannot be told apart. */
  coalesce(): boolean {
    return !this.#closed && this.#handle.coalesce();
  }

  /** Lets the process end while the endpoint is open. */
  unref(): void {
    this.#handle.unref();
  }

  /** Closes the socket under all flows. Extra calls do nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener = undefined;
    this.#handle.close();
    this.#onClose?.();
  }

  readonly #sendFailed = (error: Error): void => tellIfFatal(error, this.#listener);

  #message(datagram: Uint8Array, from: Peer): void {
    const flow = isRequest(datagram) ? this.#whole : this.#flowOf(from);
    (flow?.listener ?? this.#listener)?.message(datagram, from);
  }

  #flowOf(from: Peer): EndpointFlow | undefined {
    if (this.#whole) return this.#whole;
    const known = this.#met.get(from);
    if (known?.listener) return known;
    const flow = this.#flows.get(peerName(from));
    if (flow) this.#met.set(from, flow);
    return flow;
  }

  /** A sender, as an endpoint of one family would have it. */
  #seen(from: Peer): Peer {
    return this.#dualStack ? { ...from, address: unmapped(from.address) } : from;
  }

  /** The socket cannot be used any more: that ends all that speak through it. */
  #failed(error: LocalError): void {
    this.#listener?.failed(error);
    for (const flow of [this.#whole, ...this.#flows.values()]) flow?.listener?.failed(error);
  }
}

/** A part of an endpoint. */
class EndpointFlow implements Flow {
  readonly #endpoint: Endpoint;
  readonly #isWhole: boolean;
  readonly #onClose: () => void;
  /** True since the last run that the kernel cut. */
  #cuts = false;
  #closed = false;
  listener: FlowListener | undefined;

  constructor(endpoint: Endpoint, isWhole: boolean, onClose: () => void) {
    this.#endpoint = endpoint;
    this.#isWhole = isWhole;
    this.#onClose = onClose;
  }

  get local(): Peer {
    return this.#endpoint.local;
  }

  get offload(): boolean {
    return this.#cuts || this.#endpoint.coalesces;
  }

  subscribe(listener: FlowListener): void {
    this.listener = listener;
  }

  send(run: Transmit, to: Peer): void {
    if (this.#closed) return;
    const wasCut = this.#endpoint.send(run, to, this.#failed);
    if (run.datagrams.length > run.segmentSize) this.#cuts = wasCut;
  }

  coalesce(): boolean {
    return this.#isWhole && this.#endpoint.coalesce();
  }

  /** A port that others share keeps the process alive or not for reasons of its own. */
  unref(): void {
    if (this.#isWhole) this.#endpoint.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.listener = undefined;
    this.#onClose();
  }

  /** What cannot be sent ends this transfer, and is no problem of others. */
  readonly #failed = (error: Error): void => tellIfFatal(error, this.listener);
}

/** RRQ and WRQ have the opcodes 1 and 2 (RFC 1350 section 5). */
function isRequest(datagram: Uint8Array): boolean {
  return datagram[0] === 0 && (datagram[1] === 1 || datagram[1] === 2);
}

function tellIfFatal(error: Error, listener: EndpointListener | undefined): void {
  if (FATAL_SEND_ERRORS.has(systemCodeOf(error))) listener?.failed(sendError(error));
}

function sendError(error: Error): LocalError {
  const hint =
    systemCodeOf(error) === 'EMSGSIZE' ? ': the block size is too large for this network' : '';
  return new LocalError('EIO', `Sending failed with ${systemCodeOf(error)}${hint}`, {
    cause: error,
  });
}

/** An IPv4 address as a socket for both families writes it (RFC 4291 section 2.5.5.2). */
function mapped(address: string): string {
  return isIPv6(address) ? address : `::ffff:${address}`;
}
