/** The worker thread of a server: what it is given, and how it is started. */

import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { NameRulesSource } from '../names/name-rules';
import type { PlainOptions, StoragePlan } from './messages';

/** What the worker is given. */
export interface WorkerSetup {
  readonly options: PlainOptions;
  readonly storage: StoragePlan;
  readonly rules: NameRulesSource | undefined;
  readonly paused: boolean;
  readonly counters: SharedArrayBuffer;
  /** The connection to the main thread. */
  readonly main: MessagePort;
}

/** A worker thread, seen from the main thread. */
export interface Thread {
  /** Settles when it has ended, with the reason if there is one. Never rejects. */
  readonly ended: Promise<unknown>;
  /** Ends it, whatever it is doing, and closes its sockets. @returns why it had ended before, if it had. */
  stop(): Promise<unknown>;
}

export type StartWorker = (setup: WorkerSetup) => Thread;

/**
 * Megabytes for new objects. Node.js would let them grow to 48, because hundreds of transfers that
 * begin at the same time all leave some; a running transfer makes next to none.
 */
const YOUNG_GENERATION = 4;

const ENTRY = path.join(__dirname, 'worker-entry.js');

/** Starts a worker thread. Its output is discarded. */
export function startWorker(setup: WorkerSetup): Thread {
  const worker = new Worker(ENTRY, {
    name: 'tftp',
    workerData: setup,
    transferList: [setup.main],
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION },
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  let reason: unknown;
  worker.on('error', (error) => (reason = error));
  return {
    ended: new Promise((resolve) => worker.once('exit', () => resolve(reason))),
    async stop() {
      await worker.terminate();
      return reason;
    },
  };
}
