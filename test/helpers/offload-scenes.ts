/**
 * Scenes of long transfers, which must end alike with and without segmentation offload. Each tells
 * what came of it as plain JSON, so that it can be played in another process.
 */

import { TftpClient } from '../../src/client/client';
import type { TransferRecord } from '../../src/net/transfer-record';
import { Endpoint } from '../../src/udp/endpoint';
import { TftpServer } from '../../src/server/server';
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { Peer } from '../../src/transfer/peer-lock';
import { seededBytes } from './random';
import { ScriptedPeer } from './scripted-peer';
import { data, error, oack } from './wire';

/** One transfer between a client and a server of ours. */
export interface Exchange {
  readonly operation: 'get' | 'put';
  readonly size: number;
  readonly blksize: number;
  readonly windowsize: number;
}

/** What came of it: whether the file is right, and which sides say that they offload. */
export interface Exchanged {
  readonly right: boolean;
  readonly offload: readonly TransferRecord['role'][];
}

/** Where exchanges run, and how. */
export interface Meeting {
  /** @default 127.0.0.1 */
  readonly address?: string;
  readonly singlePort?: boolean;
  /** All at once, in place of one after the other. */
  readonly atOnce?: boolean;
}

/** Long enough for everything that is prepared for long transfers. */
export const LONG = 300 * 1024;

/** No timeout is to come in between. */
const PATIENT = { timeout: 8_000, progressInterval: 0 };

/** Runs exchanges with one server. */
export async function exchange(
  exchanges: readonly Exchange[],
  { address = '127.0.0.1', singlePort = false, atOnce = false }: Meeting = {},
): Promise<Exchanged[]> {
  const storage = new MemoryStorage();
  const ports = { address, port: 0, transferPorts: singlePort ? 'single' : 'any' } as const;
  const limits = { blksizeMax: 65_464, windowsizeMax: 64, write: true };
  const server = new TftpServer({ ...PATIENT, ...ports, ...limits, storage });
  const records: TransferRecord[] = [];
  server.on('transfer', (record) => {
    if (record.event === 'complete') records.push(record);
  });
  const [place] = await server.listen();
  const client = new TftpClient({ host: address, port: place!.port, ...PATIENT });
  const right: boolean[] = [];
  const run = async ({ operation, size, ...options }: Exchange, index: number): Promise<void> => {
    const name = `file-${index}`;
    const content = seededBytes(size, index);
    if (operation === 'get') {
      storage.files.set(name, content);
      const { data: received, record } = await client.get(name, options);
      records.push(record);
      right[index] = received.equals(content);
    } else {
      records.push(await client.put(content, name, options));
      right[index] = storage.files.get(name)!.equals(content);
    }
  };
  if (atOnce) await Promise.all(exchanges.map(run));
  else for (const [index, one] of exchanges.entries()) await run(one, index);
  await server.close({ graceful: true });
  client.close();
  return right.map((isRight, index) => ({
    right: isRight,
    offload: ['client', 'server'].flatMap((side) =>
      records
        .filter(({ role, filename }) => role === side && filename === `file-${index}`)
        .flatMap(({ role, offload }) => (offload ? [role] : [])),
    ),
  }));
}

/** How a `get` of a long file ends when its server closes its port in the middle. */
export function closedPort(): Promise<string> {
  return getFrom(async ({ send, close }) => {
    for (const block of [5, 6, 7, 8]) send(data(block, BLOCK));
    close();
    return '';
  });
}

/** How a `get` of a long file ends, by what its server does in the middle. */
export async function mishaps(): Promise<Record<string, string>> {
  return {
    'a stranger comes by': await getFrom(async ({ send, client }) => {
      const stranger = await ScriptedPeer.bind();
      stranger.send(error(0, 'no answer to this'), client);
      const told = await stranger.ask(data(5, 'from a stranger'), client);
      stranger.close();
      send(data(5, 'the end'));
      return `the stranger is told ${told}, `;
    }, 2055),
    'an ERROR comes in the middle of a window': await getFrom(async ({ send }) => {
      for (const packet of [data(5, BLOCK), data(6, BLOCK), error(0, 'enough')]) send(packet);
      return '';
    }),
    'the port closes behind an ERROR': await getFrom(async ({ send, close }) => {
      // The ACK of these meets a closed port before the ERROR is read.
      for (const block of [5, 6, 7, 8]) send(data(block, BLOCK));
      send(error(0, 'gone for good'));
      close();
      return '';
    }),
  };
}

const BLOCK = Buffer.alloc(512, 'b');

/** A server in the middle of a transfer: four blocks of 512 bytes are acknowledged. */
interface Middle {
  readonly client: Peer;
  /** At once. */
  send(packet: Buffer): void;
  close(): void;
}

/** Lets a client of ours fetch a file of a server that announces many bytes, and tells the end. */
async function getFrom(
  misbehave: (middle: Middle) => Promise<string>,
  told = LONG,
): Promise<string> {
  const port = await Endpoint.bind({ address: '127.0.0.1', port: 0 });
  const client = new TftpClient({ host: '127.0.0.1', port: port.local.port, ...PATIENT });
  const got = client.get('f', { blksize: 512, windowsize: 4 });
  const ended = got.then(
    ({ record, data: content }) => `${record.event}, ${content.length} bytes`,
    (fault: unknown) => String(fault),
  );
  let closed = false;
  const close = () => {
    if (!closed) port.close();
    closed = true;
  };
  const did = new Promise<string>((resolve) => {
    const message = (datagram: Uint8Array, peer: Peer): void => {
      const send = (packet: Buffer) =>
        void port.send({ datagrams: packet, segmentSize: packet.length }, peer);
      const [, opcode, , block] = datagram;
      if (opcode === 1) {
        send(oack('blksize', '512', 'tsize', `${told}`, 'windowsize', '4'));
      } else if (opcode === 4 && block === 0) {
        for (const first of [1, 2, 3, 4]) send(data(first, BLOCK));
      } else if (opcode === 4 && block === 4) {
        resolve(misbehave({ client: peer, send, close }));
      }
    };
    port.subscribe({ message, failed: raise });
  });
  const ending = (await did) + (await ended);
  close();
  client.close();
  return ending.replaceAll(/127\.0\.0\.1:\d+/g, 'the server');
}

function raise(fault: Error): never {
  throw fault;
}
