import assert from 'node:assert';
import dgram from 'node:dgram';
import { isIPv6 } from 'node:net';
import { describePacket } from './wire';

/** An address and port of UDP. */
export interface Place {
  readonly address: string;
  readonly port: number;
}

/** What a peer has heard. */
export interface Heard {
  readonly bytes: Buffer;
  readonly from: Place;
}

/** An answer that has not come within so many milliseconds will not come. */
const PATIENCE = 5000;

const peers = new Set<ScriptedPeer>();

/** Closes every peer of a test after it. Call it inside `describe`. */
export function closePeersAfterEach(): void {
  afterEach(() => {
    for (const peer of peers) peer.close();
  });
}

/** A UDP socket that does what a test says and nothing else. */
export class ScriptedPeer implements Place {
  readonly address: string;
  readonly port: number;
  readonly #socket: dgram.Socket;
  readonly #heard: Heard[] = [];
  #wake: (() => void) | undefined;
  #other: Place | undefined;
  /** Who has sent the last datagram that came, whether it was looked at or not. */
  lastHeard: Place | undefined;

  /** @param place the address, 127.0.0.1 if it is left out, and the port, 0 for any. */
  static async bind({
    address = '127.0.0.1',
    port = 0,
  }: Partial<Place> = {}): Promise<ScriptedPeer> {
    const socket = dgram.createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, resolve);
    });
    return new ScriptedPeer(socket);
  }

  private constructor(socket: dgram.Socket) {
    this.#socket = socket;
    ({ address: this.address, port: this.port } = socket.address());
    socket.on('message', (bytes, { address, port }) => {
      this.lastHeard = { address, port };
      this.#heard.push({ bytes, from: this.lastHeard });
      this.#wake?.();
    });
    peers.add(this);
  }

  /** Whom it heard last. */
  get other(): Place {
    assert(this.#other !== undefined, 'nothing was heard yet');
    return this.#other;
  }

  /** Sends a datagram, to whom it heard last if nobody else is named. */
  send(bytes: Uint8Array, to: Place = this.other): void {
    this.#socket.send(bytes, to.port, to.address);
  }

  /** The next datagram. */
  async next(): Promise<Heard> {
    if (this.#heard.length === 0) await this.#wait();
    const heard = this.#heard.shift()!;
    this.#other = heard.from;
    return heard;
  }

  /** The next packet, on one line. */
  async hear(): Promise<string> {
    return describePacket((await this.next()).bytes);
  }

  /** Sends a packet, and returns the answer on one line. */
  async ask(bytes: Uint8Array, to?: Place): Promise<string> {
    this.send(bytes, to);
    return this.hear();
  }

  /**
   * Fails if anything has been sent to this peer that it was not told of yet. Datagrams of one
   * machine arrive in order, so a marker that the peer sends to itself comes after all of them.
   */
  async expectSilence(): Promise<void> {
    const marker = `marker ${Math.random()}`;
    this.#socket.send(marker, this.port, this.address);
    if (this.#heard.length === 0) await this.#wait();
    const { bytes } = this.#heard.shift()!;
    if (bytes.toString() !== marker)
      assert.fail(`expected silence, heard ${describePacket(bytes)}`);
  }

  close(): void {
    if (peers.delete(this)) this.#socket.close();
  }

  async #wait(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('The peer heard nothing')), PATIENCE);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}

/** A port that nobody uses on 127.0.0.1. */
export async function freePort(): Promise<number> {
  const peer = await ScriptedPeer.bind();
  peer.close();
  return peer.port;
}
