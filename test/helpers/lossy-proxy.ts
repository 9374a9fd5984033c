/** A bad link between a client and a server: it loses, repeats and reorders datagrams by a seed. */

import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { seededRandom } from './random';

/** How bad the link is. Each is the probability for one datagram, 0 to 1. */
export interface LinkQuality {
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
}

/** A held datagram goes on after so many milliseconds even if none overtakes it. */
const LONGEST_HOLD = 5;

/** Stands between one server and any number of clients, which see it as the server. */
export class LossyProxy {
  readonly #front: Socket;
  readonly #links = new Map<number, Link>();
  readonly #quality: LinkQuality;
  readonly #random: () => number;
  readonly #serverPort: number;

  private constructor(front: Socket, serverPort: number, quality: LinkQuality, seed: number) {
    this.#front = front;
    this.#serverPort = serverPort;
    this.#quality = quality;
    this.#random = seededRandom(seed);
    front.on('message', (datagram, client) => this.#fromClient(datagram, client));
  }

  /** Starts one on a free port of the loopback address. */
  static async start(serverPort: number, quality: LinkQuality, seed: number): Promise<LossyProxy> {
    return new LossyProxy(await boundSocket(), serverPort, quality, seed);
  }

  get port(): number {
    return this.#front.address().port;
  }

  /** How many datagrams were lost so far. */
  get lost(): number {
    return [...this.#links.values()].reduce((sum, link) => sum + link.lost, 0);
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
    this.#front.close();
  }

  #fromClient(datagram: Buffer, client: RemoteInfo): void {
    let link = this.#links.get(client.port);
    if (link === undefined) {
      const toClient = (answer: Buffer): void => this.#front.send(answer, client.port, '127.0.0.1');
      link = new Link(this.#serverPort, toClient, this.#quality, this.#random);
      this.#links.set(client.port, link);
    }
    link.toServer(datagram);
  }
}

/** One client's way to the server and back. */
class Link {
  readonly #back = createSocket('udp4');
  readonly #upstream: Direction;
  readonly #downstream: Direction;
  /** The server answers from a port of its own (its TID), which later packets go to. */
  #tid: number | undefined;

  constructor(
    serverPort: number,
    toClient: (datagram: Buffer) => void,
    quality: LinkQuality,
    random: () => number,
  ) {
    this.#upstream = new Direction(quality, random, (datagram) => {
      const port = isRequest(datagram) ? serverPort : (this.#tid ?? serverPort);
      this.#back.send(datagram, port, '127.0.0.1');
    });
    this.#downstream = new Direction(quality, random, toClient);
    this.#back.on('message', (datagram, server) => {
      this.#tid = server.port;
      this.#downstream.pass(datagram);
    });
  }

  get lost(): number {
    return this.#upstream.lost + this.#downstream.lost;
  }

  toServer(datagram: Buffer): void {
    this.#upstream.pass(datagram);
  }

  close(): void {
    this.#upstream.close();
    this.#downstream.close();
    this.#back.close();
  }
}

/** Datagrams one way. */
class Direction {
  readonly #quality: LinkQuality;
  readonly #random: () => number;
  readonly #deliver: (datagram: Buffer) => void;
  #held: { readonly datagram: Buffer; readonly timer: NodeJS.Timeout } | undefined;
  lost = 0;

  constructor(quality: LinkQuality, random: () => number, deliver: (datagram: Buffer) => void) {
    this.#quality = quality;
    this.#random = random;
    this.#deliver = deliver;
  }

  pass(datagram: Buffer): void {
    const { loss, duplication, reordering } = this.#quality;
    if (this.#random() < loss) {
      this.lost += 1;
      return;
    }
    if (this.#held === undefined && this.#random() < reordering) return this.#hold(datagram);
    this.#deliver(datagram);
    if (this.#random() < duplication) this.#deliver(datagram);
    this.#release();
  }

  close(): void {
    clearTimeout(this.#held?.timer);
    this.#held = undefined;
  }

  /** The next datagram overtakes this one. */
  #hold(datagram: Buffer): void {
    const timer = setTimeout(() => this.#release(), LONGEST_HOLD);
    this.#held = { datagram, timer };
  }

  #release(): void {
    if (this.#held === undefined) return;
    const { datagram, timer } = this.#held;
    clearTimeout(timer);
    this.#held = undefined;
    this.#deliver(datagram);
  }
}

/** RRQ and WRQ have the opcodes 1 and 2 (RFC 1350 section 5). */
function isRequest(datagram: Buffer): boolean {
  return datagram.length >= 2 && (datagram.readUInt16BE(0) === 1 || datagram.readUInt16BE(0) === 2);
}

async function boundSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
