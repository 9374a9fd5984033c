/**
 * What comes from one client where all transfers speak from the listening port. A client that asks
 * again from the same port then has two transfers at one address and port, until it has answered the
 * new one.
 */

import { decodeTransferPacket } from '../protocol/decode';
import type { TransferPacket } from '../protocol/packet';
import { peerName } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';
import type { Endpoint } from '../udp/endpoint';
import type { Flow, FlowListener } from '../udp/flow';

/** The flows of all clients. */
export class ClientFlows {
  readonly #flows = new Map<string, ClientFlow>();

  /**
   * A socket for a transfer with this client.
   *
   * @param origin where the client asked.
   */
  open(origin: Endpoint, client: Peer): Flow {
    const name = peerName(client);
    const known = this.#flows.get(name);
    const flow = known?.origin === origin ? known : new ClientFlow(origin, client);
    flow.onEmpty = () => {
      if (this.#flows.get(name) === flow) this.#flows.delete(name);
    };
    this.#flows.set(name, flow);
    return flow.open();
  }
}

/** The transfers with one client, of which the newest gets what answers it, and the others the rest. */
class ClientFlow {
  readonly origin: Endpoint;
  onEmpty = (): void => undefined;
  readonly #socket: Flow;
  /** The newest first. */
  readonly #parts: FlowPart[] = [];

  constructor(origin: Endpoint, client: Peer) {
    this.origin = origin;
    this.#socket = origin.flow(client);
    this.#socket.subscribe({
      message: (datagram, from) => this.#message(datagram, from),
      unreachable: (peer) => this.#each((listener) => listener.unreachable(peer)),
      failed: (error) => this.#each((listener) => listener.failed(error)),
    });
  }

  open(): Flow {
    for (const part of this.#parts) part.muted = true;
    const part = new FlowPart(this.#socket, () => this.#close(part));
    this.#parts.unshift(part);
    return part;
  }

  /** An ERROR is for all of them: the client knows one port of ours only. */
  #message(datagram: Uint8Array, from: Peer): void {
    const [newest, older] = this.#parts;
    if (older === undefined) return newest?.receive(datagram, from);
    const packet = decodeTransferPacket(datagram);
    if (packet?.type === 'ERROR') {
      for (const part of [...this.#parts]) part.receive(datagram, from);
    } else {
      (newest!.takes(packet) ? newest! : older).receive(datagram, from);
    }
  }

  #each(tell: (listener: FlowListener) => void): void {
    for (const { listener } of [...this.#parts]) if (listener) tell(listener);
  }

  #close(part: FlowPart): void {
    this.#parts.splice(this.#parts.indexOf(part), 1);
    const [newest] = this.#parts;
    if (newest) {
      newest.muted = false;
      return;
    }
    this.#socket.close();
    this.onEmpty();
  }
}

/** The part of one transfer. */
class FlowPart implements Flow {
  listener: FlowListener | undefined;
  /**
   * True while a newer transfer waits for its first answer: a client that has restarted must not get
   * blocks of the old one from the same port. What the client sends to the old one ends that.
   */
  muted = false;
  readonly #socket: Flow;
  readonly #onClose: () => void;
  /** Tells the first answer to what was sent first. */
  #isAnswer: ((packet: TransferPacket) => boolean) | undefined;
  #answered = false;
  #closed = false;

  constructor(socket: Flow, onClose: () => void) {
    this.#socket = socket;
    this.#onClose = onClose;
  }

  get local(): Peer {
    return this.#socket.local;
  }

  get offload(): boolean {
    return this.#socket.offload;
  }

  /** Whether a packet is for this transfer, beside an older one: until it was answered, only an answer is. */
  takes(packet: TransferPacket | undefined): boolean {
    this.#answered ||= packet !== undefined && this.#isAnswer?.(packet) === true;
    return this.#answered;
  }

  receive(datagram: Uint8Array, from: Peer): void {
    this.muted = false;
    this.listener?.message(datagram, from);
  }

  subscribe(listener: FlowListener): void {
    this.listener = listener;
  }

  send(run: Transmit, to: Peer): void {
    if (this.#closed || this.muted) return;
    this.#isAnswer ??= answerTo(decodeTransferPacket(run.datagrams.subarray(0, run.segmentSize)));
    this.#socket.send(run, to);
  }

  coalesce(): boolean {
    return this.#socket.coalesce();
  }

  unref(): void {
    this.#socket.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.listener = undefined;
    this.#onClose();
  }
}

/** DATA 1 is answered by ACK 1; an OACK by ACK 0 or DATA 1, ACK 0 by DATA 1 (RFC 1350 section 4, RFC 2347). */
function answerTo(first: TransferPacket | undefined): (packet: TransferPacket) => boolean {
  if (first?.type === 'DATA') return (packet) => packet.type === 'ACK' && packet.block === 1;
  const begins = (packet: TransferPacket): boolean => packet.type === 'DATA' && packet.block === 1;
  if (first?.type === 'ACK') return begins;
  return (packet) => begins(packet) || (packet.type === 'ACK' && packet.block === 0);
}
