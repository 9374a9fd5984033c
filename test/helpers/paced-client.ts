/**
 * Clients in a thread of their own, for tests that block the main one. Each reads a file, slowly:
 * it waits before every answer, so that the transfer lasts, and nothing has to be sent again unless
 * the server falls silent.
 */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { TftpClient } from '../../src/client/client';
import type { Place } from './scripted-peer';
import { ack, rrq } from './wire';

/**
 * Milliseconds before each answer. The server measures round trips that differ much, and so waits
 * for over half a second before it sends again: a slow machine is no failure.
 */
function pauseBefore(answer: number): number {
  if (answer === 0) return 200;
  return answer % 2 === 1 ? 300 : 0;
}

const POLL = 20;

/** One read. */
export interface PacedRead {
  readonly file: string;
  readonly windowsize: number;
}

/** What the clients are to do. */
export interface PacedOrder {
  readonly place: Place;
  /** Slow reads that begin at once. */
  readonly reads: readonly PacedRead[];
  /** Is fetched again and again while `blocked[0]` is 1. */
  readonly fresh: string | undefined;
  readonly blocked: Int32Array;
}

/** What the clients have seen. */
export interface PacedResult {
  /** The content of each slow read, and packets that came more than once. */
  readonly reads: readonly { readonly content: Uint8Array; readonly repeated: number }[];
  /** Content of what was asked for and came while the main thread was blocked. */
  readonly fresh: readonly Uint8Array[];
}

/** Clients at work. */
export interface PacedClients {
  /** All slow reads run. */
  readonly running: Promise<void>;
  readonly result: Promise<PacedResult>;
}

export function startPacedClients(order: PacedOrder): PacedClients {
  const worker = new Worker(__filename, { workerData: order });
  const message = async (): Promise<unknown> => ((await once(worker, 'message')) as unknown[])[0];
  const running = message().then(() => undefined);
  return { running, result: running.then(message) as Promise<PacedResult> };
}

async function work({ place, reads, fresh, blocked }: PacedOrder): Promise<void> {
  let begun = 0;
  const slow = reads.map((read) =>
    readSlowly(place, read, () => {
      begun += 1;
      if (begun === reads.length) parentPort!.postMessage('running');
    }),
  );
  const fetched = fresh === undefined ? [] : await fetchWhileBlocked(place, fresh, blocked);
  const result: PacedResult = { reads: await Promise.all(slow), fresh: fetched };
  parentPort!.postMessage(result);
}

async function fetchWhileBlocked(
  { address, port }: Place,
  file: string,
  blocked: Int32Array,
): Promise<Uint8Array[]> {
  const client = new TftpClient({ host: address, port });
  const fetched: Uint8Array[] = [];
  while (Atomics.load(blocked, 0) === 0) await setTimeout(POLL);
  while (Atomics.load(blocked, 0) === 1) {
    const { data } = await client.get(file);
    if (Atomics.load(blocked, 0) === 1) fetched.push(data);
    await setTimeout(POLL);
  }
  client.close();
  return fetched;
}

async function readSlowly(
  place: Place,
  { file, windowsize }: PacedRead,
  onBegin: () => void,
): Promise<PacedResult['reads'][number]> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const options = windowsize === 1 ? [] : ['windowsize', String(windowsize)];
  socket.send(rrq(file, ...options), place.port, place.address);
  const blocks: Buffer[] = [];
  let repeated = 0;
  let answers = 0;
  for await (const [packet, { port, address }] of packetsOf(socket)) {
    const isData = packet.readUInt16BE(0) === 3;
    const block = isData ? packet.readUInt16BE(2) : 0;
    if (isData && block !== blocks.length + 1) repeated += 1;
    else if (isData) blocks.push(packet.subarray(4));
    const last = isData && packet.length < 516;
    if (block % windowsize === 0 || last) {
      await setTimeout(pauseBefore(answers++));
      await new Promise((sent) => socket.send(ack(block), port, address, sent));
    }
    if (block === (windowsize === 1 ? 1 : 0)) onBegin();
    if (last) break;
  }
  socket.close();
  return { content: Buffer.concat(blocks), repeated };
}

type Datagram = readonly [packet: Buffer, from: Place];

async function* packetsOf(socket: ReturnType<typeof createSocket>): AsyncGenerator<Datagram> {
  const waiting: Datagram[] = [];
  let wake = (): void => undefined;
  socket.on('message', (packet, from) => {
    waiting.push([packet, from]);
    wake();
  });
  for (;;) {
    const datagram = waiting.shift();
    if (datagram) yield datagram;
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}

if (!isMainThread && parentPort) void work(workerData as PacedOrder);
