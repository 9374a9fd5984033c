/** Servers and clients for tests: on loopback, quick to give up, and closed after each test. */

import assert from 'node:assert';
import { isTftpError } from '../../src/protocol/errors';
import { TftpClient } from '../../src/client/client';
import type { ClientOptions } from '../../src/client/client-options';
import type { FailedTransfer } from '../../src/client/client-transfer';
import type { TransferEventName, TransferRecord } from '../../src/net/transfer-record';
import { TftpServer } from '../../src/server/server';
import type { ServerOptions } from '../../src/server/server-options';
import type { ServerSystem } from '../../src/server/server-system';
import { ServerWorker } from '../../src/server/worker/server-worker';
import type { StartWorker } from '../../src/server/worker/worker';
import type { DataSink, DataSource } from '../../src/storage/storage';
import type { Place } from './scripted-peer';
import { WORKER } from './worker';

const open = new Set<TftpClient | TftpServer>();

/** Call it inside `describe`. */
export function closeEnginesAfterEach(): void {
  afterEach(async () => {
    const engines = [...open];
    open.clear();
    await Promise.all(engines.map(async (engine) => engine.close()));
  });
}

/** A server on a free port of 127.0.0.1, and its records as they came. */
export interface RunningServer {
  readonly server: TftpServer;
  readonly place: Place;
  readonly records: TransferRecord[];
  /** The next record that fits, also if it came already since the last call. */
  readonly record: (
    fits: TransferEventName | ((record: TransferRecord) => boolean),
  ) => Promise<TransferRecord>;
}

/** Starts a server. It grants writes, and gives up after 50 ms and two retries. */
export async function startServer(
  options: ServerOptions,
  system?: ServerSystem,
): Promise<RunningServer> {
  const given: ServerOptions = {
    address: '127.0.0.1',
    port: 0,
    write: true,
    timeout: 50,
    retries: 2,
    ...options,
  };
  const server = newServer(given, system);
  const { records, record } = watchRecords(server);
  const [place] = await server.listen();
  return { server, place: place!, records, record };
}

/** A server that does not listen yet. */
export function newServer(options: ServerOptions, system?: ServerSystem): TftpServer {
  const whole = { worker: WORKER, ...options };
  const server = new TftpServer(whole, system && { startWorker: startHere(system), ...system });
  open.add(server);
  return server;
}

/** A worker in this thread, so that it has the system of the test. All else is as in a worker thread. */
function startHere(system: ServerSystem): StartWorker {
  return (setup) => {
    const worker = new ServerWorker(setup, system);
    return { ended: new Promise(() => undefined), stop: async () => worker.end() };
  };
}

function watchRecords(server: TftpServer): Pick<RunningServer, 'records' | 'record'> {
  const records: TransferRecord[] = [];
  let looked = 0;
  let wake: (() => void) | undefined;
  server.on('transfer', (record) => {
    records.push(record);
    wake?.();
  });
  return {
    records,
    async record(fits) {
      for (;;) {
        while (looked < records.length) {
          const record = records[looked++]!;
          if (typeof fits === 'string' ? record.event === fits : fits(record)) return record;
        }
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

/** A client that asks this place. */
export function clientFor({ address, port }: Place, options: ClientOptions = {}): TftpClient {
  const client = new TftpClient({ host: address, port, ...options });
  open.add(client);
  return client;
}

/** The error of a call that must fail. */
export async function failureOf(promise: Promise<unknown>): Promise<FailedTransfer> {
  const outcome: unknown = await promise.then(
    (value) => assert.fail(`it did not fail, but gave ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );
  if (!isTftpError(outcome)) throw outcome;
  return outcome;
}

/** A sink that counts its calls. Each of its three methods may be replaced. */
export function countingSink(own: Partial<DataSink> = {}) {
  const calls = { bytes: 0, commit: 0, discard: 0 };
  const sink: DataSink = {
    async write(chunk) {
      calls.bytes += chunk.length;
      await own.write?.(chunk);
    },
    async commit() {
      calls.commit += 1;
      await own.commit?.();
    },
    async discard() {
      calls.discard += 1;
      await own.discard?.();
    },
  };
  return { sink, calls };
}

/** A source that counts how often it is closed. */
export function countingSource(read: DataSource['read'], size?: number) {
  const calls = { close: 0 };
  const source: DataSource = {
    size,
    read,
    async close() {
      calls.close += 1;
    },
  };
  return { source, calls };
}

/** A promise, and what settles it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let openGate!: () => void;
  const opened = new Promise<void>((resolve) => (openGate = resolve));
  return { opened, open: openGate };
}
