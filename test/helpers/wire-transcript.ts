/**
 * Plays whole transfers with a peer of plain `node:dgram` and writes down every datagram that it
 * hears, so that two ways of sending can be compared. Nothing is repeated by a timer.
 */

import { createHash } from 'node:crypto';
import { TftpClient } from '../../src/client/client';
import type { TransferRecord } from '../../src/net/transfer-record';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { startServer } from './engine';
import { seededBytes } from './random';
import { ScriptedPeer } from './scripted-peer';
import type { Place } from './scripted-peer';
import { ack, describePacket, oack, rrq } from './wire';

/** A transfer: a server of ours sends (`read`), or a client of ours (`put`). */
export interface WireCase {
  readonly operation: 'read' | 'put';
  readonly blksize: number;
  readonly windowsize: number;
  readonly size: number;
  /** Of this window only the first `kept` blocks arrive, so the rest comes again. */
  readonly lost?: { readonly window: number; readonly kept: number };
  /** In this window a stranger asks for an ERROR, and then our side gives up. */
  readonly endsIn?: number;
  /** @default 127.0.0.1 */
  readonly address?: string;
  readonly singlePort?: boolean;
}

/** What was heard, a line for each datagram, and what the record says. */
export interface Transcript {
  readonly heard: readonly string[];
  readonly outcome: TransferRecord['event'];
  /** True if the content arrived as it was. */
  readonly right: boolean;
  readonly offload: TransferRecord['offload'] | null;
}

/** No timeout is to come in between. */
const PATIENT = { timeout: 8_000, progressInterval: 0 };

/** Plays one case after the other. */
export async function transcriptsOf(cases: readonly WireCase[]): Promise<Transcript[]> {
  const transcripts: Transcript[] = [];
  for (const wireCase of cases) {
    transcripts.push(
      wireCase.operation === 'read' ? await readOf(wireCase) : await putOf(wireCase),
    );
  }
  return transcripts;
}

async function readOf(wireCase: WireCase): Promise<Transcript> {
  const { blksize, windowsize, size, address = '127.0.0.1', singlePort = false } = wireCase;
  const content = seededBytes(size, size);
  const running = await startServer({
    ...PATIENT,
    address,
    storage: new MemoryStorage([['f', content]]),
    blksizeMax: blksize,
    windowsizeMax: windowsize,
    transferPorts: singlePort ? 'single' : 'any',
  });
  const peer = await ScriptedPeer.bind({ address });
  const options = ['blksize', `${blksize}`, 'tsize', '0', 'windowsize', `${windowsize}`];
  peer.send(rrq('f', ...options), running.place);
  const stop = () => running.server.abort(running.server.transfers[0]!.id);
  const received = await follow(peer, wireCase, [], stop);
  const record = await running.record(({ event }) => event === 'complete' || event === 'error');
  await running.server.close();
  return transcript(received, content, record);
}

async function putOf(wireCase: WireCase): Promise<Transcript> {
  const { blksize, windowsize, size, address = '127.0.0.1' } = wireCase;
  const content = seededBytes(size, size);
  const peer = await ScriptedPeer.bind({ address });
  const stop = new AbortController();
  const client = new TftpClient({ host: address, port: peer.port, ...PATIENT });
  let last: TransferRecord | undefined;
  const onEvent = (record: TransferRecord) => (last = record);
  const put = client.put(content, 'f', { blksize, windowsize, signal: stop.signal, onEvent });
  const ended = put.catch(() => undefined);
  const request = textOf((await peer.next()).bytes);
  peer.send(oack('blksize', `${blksize}`, 'windowsize', `${windowsize}`));
  const received = await follow(peer, wireCase, [request], () => stop.abort());
  await ended;
  return transcript(received, content, last!);
}

interface Received {
  readonly heard: readonly string[];
  readonly content: Buffer;
}

/** Takes a file in windows, from the OACK or DATA 1 on. */
async function follow(
  peer: ScriptedPeer,
  { operation, blksize, windowsize, lost, endsIn }: WireCase,
  heard: string[],
  stop: () => void,
): Promise<Received> {
  const parts: Uint8Array[] = [];
  const next = async () => {
    const { bytes } = await peer.next();
    heard.push(textOf(bytes));
    return bytes;
  };
  if (operation === 'read') {
    await next();
    peer.send(ack(0));
  }
  for (let window = 0; ; window += 1) {
    const packets = await nextWindow(next, blksize + 4, windowsize);
    if (window === endsIn) {
      heard.push(await toldToStranger(peer.other, peer.address));
      stop();
      await next();
      break;
    }
    const kept = lost?.window === window ? lost.kept : packets.length;
    parts.push(...packets.slice(0, kept).map((packet) => packet.subarray(4)));
    peer.send(ack(parts.length % 65_536));
    if (kept === packets.length && packets.at(-1)!.length < blksize + 4) break;
  }
  await peer.expectSilence();
  peer.close();
  return { heard, content: Buffer.concat(parts) };
}

/** The datagrams of a window: the last block, which is shorter, ends the last one. */
async function nextWindow(
  next: () => Promise<Buffer>,
  length: number,
  windowsize: number,
): Promise<Buffer[]> {
  const packets: Buffer[] = [];
  do packets.push(await next());
  while (packets.length < windowsize && packets.at(-1)!.length === length);
  return packets;
}

async function toldToStranger(transfer: Place, address: string): Promise<string> {
  const stranger = await ScriptedPeer.bind({ address });
  stranger.send(ack(1), transfer);
  const { bytes } = await stranger.next();
  stranger.close();
  return `stranger: ${textOf(bytes)}`;
}

/** A datagram on one line that tells each of its bytes from any other. */
function textOf(bytes: Buffer): string {
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return `${describePacket(bytes)} ${digest}`;
}

function transcript(
  { heard, content }: Received,
  sent: Buffer,
  record: TransferRecord,
): Transcript {
  const { event: outcome, offload = null } = record;
  return { heard, outcome, right: content.equals(sent), offload };
}
