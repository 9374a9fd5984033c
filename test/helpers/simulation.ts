/** A sender and a receiver of ours, joined by a bad link in virtual time. */

import { grantOptions, requestOptions } from '../../src/protocol/options';
import type { WantedOptions } from '../../src/protocol/options';
import { decodeTransferPacket } from '../../src/protocol/decode';
import { FlightRecorder } from '../../src/transfer/flight-recorder';
import { readOpening, requestOpening, writeOpening } from '../../src/transfer/opening';
import { Receiver } from '../../src/transfer/receiver';
import type { Opening } from '../../src/transfer/opening';
import type { RetryPolicy } from '../../src/transfer/retry-policy';
import { Sender } from '../../src/transfer/sender';
import type { TransferEvent } from '../../src/transfer/transfer';
import { seededRandom } from './random';

/** What the link does to a datagram, each with a probability from 0 to 1. */
export interface LinkQuality {
  readonly loss: number;
  readonly duplication: number;
  /** The chance that a datagram is held back for up to three times the one-way delay. */
  readonly reordering: number;
  /** One way, in milliseconds. */
  readonly delay: number;
  /** A switch on the way. @default none: as many datagrams at once as there are */
  readonly queue?: Queue;
}

/** It passes on one datagram after another, and drops what comes when it is full. */
export interface Queue {
  /** Datagrams that may wait, in each direction. */
  readonly length: number;
  /** Milliseconds that each takes. */
  readonly spacing: number;
}

/** One simulated transfer. */
export interface Scenario {
  readonly direction: 'read' | 'write';
  readonly wanted: WantedOptions;
  readonly content: Uint8Array;
  readonly link: LinkQuality;
  readonly seed: number;
  /** Bytes pushed at a time. */
  readonly chunk?: number;
  /** Milliseconds that the sink takes to commit. */
  readonly commit?: number;
  /** One side loses its power once so many packets have reached it: from then on it is silent. */
  readonly death?: { readonly side: 'client' | 'server'; readonly after: number };
  /** The window by which the receiver of a read goes, whatever was agreed upon. */
  readonly believed?: number;
  /** The size that the server tells, or that the client announces. @default that of the content */
  readonly told?: number;
  readonly policy?: Partial<RetryPolicy>;
}

/** How it went. */
export interface Outcome {
  readonly received: Buffer;
  readonly sender: TransferEvent | undefined;
  readonly receiver: TransferEvent | undefined;
  /** True once the sink has the file for good. */
  readonly committed: boolean;
  /** The number of the last DATA block that was ever sent. */
  readonly lastSent: number;
  /** True once the receiver has answered the sender. */
  readonly answered: boolean;
  /** The sides that live and have begun, but have come to no end. */
  readonly endless: readonly string[];
  /** Virtual milliseconds until the receiver was done. */
  readonly elapsed: number;
  readonly datagrams: number;
  readonly retransmits: number;
  /** Of the client, as it is what learns. */
  readonly stalls: number;
  readonly trace: string[];
}

interface Side {
  readonly machine: Sender | Receiver;
  readonly recorder: FlightRecorder;
  /** The virtual time from which on packets reach it: a server exists once its request has come. */
  started: boolean;
  dead: boolean;
  /** How many packets have reached it. */
  heard: number;
  ending: TransferEvent | undefined;
  /** When its timer fires; Infinity if none is set. */
  timerAt: number;
  /** When the queue on the way to it is empty. */
  queueEmptyAt: number;
}

/** More steps than this is a livelock. */
const MAX_STEPS = 2_000_000;

/** Runs a transfer to its end. */
export function simulate(scenario: Scenario): Outcome {
  return new Simulation(scenario).run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #random: () => number;
  readonly #client: Side;
  readonly #server: Side;
  readonly #chunks: Buffer[] = [];
  /** Things to happen, as a binary heap by time and then by order of creation. */
  readonly #agenda = new Agenda();
  #now = 0;
  #offset = 0;
  #lastSent = 0;
  #committed = false;
  #datagrams = 0;
  #elapsed = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = seededRandom(scenario.seed);
    const policy: RetryPolicy = {
      timeout: 1000,
      minTimeout: 200,
      maxTimeout: 10_000,
      retries: 12,
      openingSends: 12,
      random: this.#random,
      ...scenario.policy,
    };
    const isRead = scenario.direction === 'read';
    const options = requestOptions(scenario.wanted);
    const request = {
      type: isRead ? 'RRQ' : 'WRQ',
      filename: 'f',
      mode: 'octet',
      options,
    } as const;
    const granted = grantOptions(
      options,
      { blksizeMax: 65464, windowsizeMax: 64 },
      {
        direction: scenario.direction,
        mode: 'octet',
        size: scenario.told ?? scenario.content.length,
      },
    );
    const side = (
      machine: typeof Sender | typeof Receiver,
      opening: Parameters<typeof readOpening>[0] | undefined,
    ): Side => {
      const recorder = new FlightRecorder();
      const begin =
        opening === undefined
          ? believing(requestOpening(request), scenario.believed)
          : isRead
            ? readOpening(opening)
            : writeOpening(opening, 'octet');
      return {
        machine: new machine(begin, policy, recorder),
        recorder,
        started: false,
        dead: false,
        heard: 0,
        ending: undefined,
        timerAt: Infinity,
        queueEmptyAt: 0,
      };
    };
    this.#client = side(isRead ? Receiver : Sender, undefined);
    this.#server = side(isRead ? Sender : Receiver, granted);
  }

  run(): Outcome {
    this.#client.started = true;
    this.#client.machine.start(0);
    this.#drain(this.#client);
    for (let step = 0; ; step += 1) {
      if (step > MAX_STEPS) throw new Error('The simulated transfer does not end');
      const next = this.#agenda.next();
      if (next === undefined) break;
      this.#now = next.at;
      next.action();
    }
    const [sender, receiver] =
      this.#scenario.direction === 'read'
        ? [this.#server, this.#client]
        : [this.#client, this.#server];
    return {
      received: Buffer.concat(this.#chunks),
      sender: sender.ending,
      receiver: receiver.ending,
      committed: this.#committed,
      lastSent: this.#lastSent,
      answered: sender.machine.answered,
      endless: [this.#client, this.#server]
        .filter(({ started, dead, ending }) => started && !dead && ending === undefined)
        .map((side) => (side === this.#client ? 'client' : 'server')),
      elapsed: this.#elapsed,
      datagrams: this.#datagrams,
      retransmits: sender.machine.stats.retransmits,
      stalls: this.#client.machine.stats.stalls,
      trace: [...sender.recorder.lines(), '---', ...receiver.recorder.lines()],
    };
  }

  #drain(side: Side): void {
    const other = side === this.#client ? this.#server : this.#client;
    for (;;) {
      const transmit = side.machine.pollTransmit();
      if (transmit) {
        const { datagrams, segmentSize } = transmit;
        const count = Math.ceil(datagrams.length / segmentSize);
        if (datagrams[1] === 3) {
          const last = datagrams[2]! * 256 + datagrams[3]! + count - 1;
          this.#lastSent = Math.max(this.#lastSent, last);
        }
        for (let at = 0; at < datagrams.length; at += segmentSize) {
          this.#send(other, Uint8Array.from(datagrams.subarray(at, at + segmentSize)));
        }
        continue;
      }
      const event = side.machine.pollEvent();
      if (event === undefined) break;
      this.#handleEvent(side, event);
    }
    this.#arm(side);
  }

  /** One timer for each side, which looks again when it fires: a deadline moves away at every packet. */
  #arm(side: Side): void {
    const deadline = side.machine.nextTimeout();
    if (deadline === undefined || deadline >= side.timerAt) return;
    side.timerAt = deadline;
    this.#agenda.add(deadline, () => {
      if (side.timerAt !== deadline || side.dead) return;
      side.timerAt = Infinity;
      side.machine.handleTimeout(this.#now);
      this.#drain(side);
    });
  }

  #send(to: Side, datagram: Uint8Array): void {
    const { loss, duplication, reordering, delay } = this.#scenario.link;
    const copies = this.#random() < duplication ? 2 : 1;
    for (let i = 0; i < copies; i += 1) {
      this.#datagrams += 1;
      if (this.#random() < loss) continue;
      const extra = this.#random() < reordering ? 3 * delay * this.#random() : 0;
      const left = this.#throughQueue(to);
      if (left === undefined) continue;
      this.#agenda.add(left + delay + extra, () => this.#deliver(to, datagram));
    }
  }

  /** When a datagram that is sent now leaves the queue; undefined if it is dropped. */
  #throughQueue(to: Side): number | undefined {
    const { queue } = this.#scenario.link;
    if (queue === undefined) return this.#now;
    const begin = Math.max(this.#now, to.queueEmptyAt);
    if (begin - this.#now > (queue.length - 1) * queue.spacing + 1e-9) return undefined;
    to.queueEmptyAt = begin + queue.spacing;
    return to.queueEmptyAt;
  }

  #deliver(to: Side, datagram: Uint8Array): void {
    const { death } = this.#scenario;
    const mortal = death?.side === (to === this.#client ? 'client' : 'server');
    if (mortal && to.heard >= death.after) to.dead = true;
    if (to.dead) return;
    to.heard += 1;
    const isRequest = datagram[1] === 1 || datagram[1] === 2;
    if (isRequest && !to.started) {
      to.started = true;
      to.machine.start(this.#now);
    } else if (isRequest) {
      to.machine.repeatLast(this.#now);
    } else {
      const packet = decodeTransferPacket(datagram);
      if (packet && to.started) to.machine.handlePacket(packet, this.#now);
    }
    this.#drain(to);
  }

  #handleEvent(side: Side, event: TransferEvent): void {
    const { machine } = side;
    const { content, chunk = 5000, commit = 0 } = this.#scenario;
    if (event.type === 'need-data' && machine instanceof Sender) {
      if (this.#offset >= content.length) return machine.end(this.#now);
      const end = this.#offset + chunk;
      machine.push(content.subarray(this.#offset, end), this.#now);
      this.#offset = end;
    } else if (event.type === 'data' && machine instanceof Receiver) {
      this.#chunks.push(Buffer.from(event.payload));
      machine.consumed(event.payload.length, this.#now);
    } else if (event.type === 'end' && machine instanceof Receiver) {
      this.#agenda.add(this.#now + commit, () => {
        if (side.dead) return;
        this.#committed = true;
        machine.committed(this.#now);
        this.#elapsed = this.#now;
        this.#drain(side);
      });
    } else if (event.type === 'done' || event.type === 'failed') {
      if (side.ending !== undefined) throw new Error('A transfer ended twice');
      side.ending = event;
    }
  }
}

/** The opening of a client that takes the window for another one than was agreed upon. */
function believing(opening: Opening, windowsize: number | undefined): Opening {
  if (windowsize === undefined) return opening;
  return {
    ...opening,
    answer(packet) {
      const answer = opening.answer(packet);
      if (answer.type !== 'begin') return answer;
      return { ...answer, options: { ...answer.options, windowsize } };
    },
  };
}

/** A binary heap of actions by time; equal times keep their order. */
class Agenda {
  readonly #heap: { at: number; order: number; action: () => void }[] = [];
  #order = 0;

  add(at: number, action: () => void): void {
    const heap = this.#heap;
    heap.push({ at, order: this.#order++, action });
    let child = heap.length - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (!this.#before(child, parent)) return;
      [heap[child], heap[parent]] = [heap[parent]!, heap[child]!];
      child = parent;
    }
  }

  next(): { at: number; action: () => void } | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let parent = 0; ;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && this.#before(child, least)) least = child;
      }
      if (least === parent) return first;
      [heap[parent], heap[least]] = [heap[least]!, heap[parent]!];
      parent = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a]!, this.#heap[b]!];
    return x.at < y.at || (x.at === y.at && x.order < y.order);
  }
}
