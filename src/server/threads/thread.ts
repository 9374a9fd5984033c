/** The threads of a server: what each is given, and how one is started. */

import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { NameRulesSource } from '../names/name-rules';
import type { PlainOptions, StoragePlan } from './messages';

/** What a thread is given. */
export interface ThreadSetup {
  /** Its number, from 1. The first one has the listening sockets, the others are helpers. */
  readonly owner: number;
  readonly options: PlainOptions;
  readonly storage: StoragePlan;
  readonly rules: NameRulesSource | undefined;
  readonly paused: boolean;
  readonly counters: SharedArrayBuffer;
  /** The line to the main thread. */
  readonly main: MessagePort;
}

/** A thread, seen from the main one. */
export interface Thread {
  /** Settles when it has ended, with the reason if it had one. Never rejects. */
  readonly ended: Promise<unknown>;
  /** Ends it, whatever it does. Its sockets are closed then. @returns why it had ended before, if it had. */
  stop(): Promise<unknown>;
}

export type StartThread = (setup: ThreadSetup) => Thread;

/**
 * Megabytes for new objects. Node.js would let them grow to 48, as every one of hundreds of transfers
 * that begin at once leaves some; a transfer that runs makes next to none.
 */
const YOUNG_GENERATION = 4;

const ENTRY = path.join(__dirname, 'thread-entry.js');

/** Starts a worker thread. What it prints goes nowhere. */
export function startWorker(setup: ThreadSetup): Thread {
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
