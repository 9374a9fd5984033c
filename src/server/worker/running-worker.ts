/** One worker from its start to its end, seen from the main thread. */

import { MessageChannel } from 'node:worker_threads';
import { describeError } from '../../net/transfer-record';
import type { TransferRecord } from '../../net/transfer-record';
import { LocalError } from '../../protocol/errors';
import type { TftpError } from '../../protocol/errors';
import type { Storage } from '../../storage/storage';
import { countEnd } from '../journal';
import type { ListeningAddress } from '../listening-address';
import type { CoreListener } from '../server-core';
import type { Counters } from '../server-counters';
import type { RequiredServerOptions } from '../server-options';
import type { ServerSystem } from '../server-system';
import type { StoredFile } from '../stored-file';
import type { MainCalls, StoredMessage, WorkerCalls } from './messages';
import { unpackTftpError } from './packed-error';
import { Rpc } from './rpc';
import { StorageHost } from './storage-host';
import { TransferMirror } from './transfer-mirror';
import { startWorker } from './worker';
import type { Thread } from './worker';

export interface RunningWorkerSetup {
  readonly options: RequiredServerOptions;
  readonly paused: boolean;
  readonly counters: Counters;
  readonly listener: Omit<CoreListener, 'lost'>;
  readonly system: ServerSystem;
  /** The worker has ended by itself. */
  readonly lost: (reason: unknown) => void;
}

export class RunningWorker {
  readonly #setup: RunningWorkerSetup;
  readonly #thread: Thread;
  readonly #worker: Rpc<WorkerCalls>;
  readonly #host = new StorageHost();
  readonly #mirror = new TransferMirror();
  readonly #releaseRules: (() => void) | undefined;
  /** Events that arrived inside a synchronous call, in order. */
  readonly #late: (() => void)[] = [];
  #draining = false;
  #stopping: Promise<unknown> | undefined;

  constructor(setup: RunningWorkerSetup) {
    this.#setup = setup;
    const { options, system, paused, counters } = setup;
    const { storage, rules, ...plain } = options;
    const { port1, port2 } = new MessageChannel();
    this.#worker = new Rpc<WorkerCalls>(port1, this.#calls);
    this.#thread = (system.startWorker ?? startWorker)({
      options: plain,
      storage: this.#host.plan(storage),
      rules: rules?.source,
      paused,
      counters: counters.memory,
      main: port2,
    });
    void this.#watch();
    this.#releaseRules = rules?.keepCopy((source) => this.#worker.notify('rules', [source]));
  }

  get transfers(): TransferRecord[] {
    this.#drain();
    return this.#mirror.records;
  }

  /** @throws what the listening sockets throw, or EIO if the thread cannot be started. */
  listen(): Promise<ListeningAddress[]> {
    return inTurn(() => this.#worker.call('listen', []));
  }

  abort(id: string, reason: string): boolean {
    this.#drain();
    this.#worker.notify('abort', [id, reason]);
    return this.#mirror.endOne(id) > 0;
  }

  abortAll(host: string | undefined, reason: string): number {
    this.#drain();
    this.#worker.notify('abortAll', [host, reason]);
    return this.#mirror.endAll(host);
  }

  use(storage: Storage): void {
    this.#worker.notify('use', [this.#host.plan(storage)]);
  }

  pause(paused: boolean): void {
    this.#worker.notify('pause', [paused]);
  }

  /** Ends the transfers, or lets them end, and frees the port. Never rejects. */
  async close(graceful: boolean): Promise<void> {
    // A thread that has ended has nothing to close.
    await this.#worker.call('close', [{ graceful }]).catch(() => undefined);
  }

  /**
   * Ends the thread, whatever it is doing, and reports the end of each transfer that has not reported it.
   *
   * @param reason why, for the records of these transfers.
   * @returns why the thread had ended before, if it had.
   */
  stop(reason: TftpError): Promise<unknown> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #watch(): Promise<void> {
    const reason = await this.#thread.ended;
    if (!this.#stopping) this.#setup.lost(reason);
  }

  async #stop(reason: TftpError): Promise<unknown> {
    this.#releaseRules?.();
    const failure = await this.#thread.stop();
    // What the thread has sent before its end counts.
    this.#drain();
    this.#worker.close();
    await this.#host.end(reason);
    for (const record of this.#mirror.records) this.#fail(record, reason);
    this.#mirror.clear();
    return failure;
  }

  #fail(record: TransferRecord, reason: TftpError): void {
    const finished = this.#setup.system.clock.date().toISOString();
    const error = describeError(reason);
    const last: TransferRecord = { ...record, event: 'error', finished, error, trace: [] };
    countEnd(this.#setup.counters, last);
    this.#deliver(() => this.#setup.listener.transfer(last));
  }

  get #calls(): MainCalls {
    const { listener, options } = this.#setup;
    const host = this.#host;
    return {
      openSource: (request) => host.openSource(request),
      readSource: (id) => host.readSource(id),
      closeSource: (id) => host.closeSource(id),
      openSink: (request) => host.openSink(request),
      sinkAborted: (id) => host.sinkAborted(id),
      write: (id, chunk) => host.write(id, chunk),
      commit: (id) => host.commit(id),
      discard: (id) => host.discard(id),
      canOpen: (request, operation) => host.canOpen(request, operation),
      abandon: (id, reason) => host.abandon(id, reason),
      begun: (id, address) => this.#mirror.begun(id, address),
      ended: (id) => this.#mirror.ended(id),
      snapshots: (records) => records.forEach((record) => this.#mirror.report(record)),
      transfer: (record) => {
        this.#mirror.report(record);
        this.#deliver(() => listener.transfer(record));
      },
      upload: (record, message) => {
        const stored = storedBy(message, host);
        this.#deliver(() => listener.upload(record, stored));
      },
      alarm: (alarm) => this.#deliver(() => listener.alarm(alarm)),
      problem: (error) => this.#deliver(() => listener.problem(unpackTftpError(error))),
      ruleHits: (hits) => options.rules?.count(hits),
    };
  }

  /** Handles what the worker has sent up to now. */
  #drain(): void {
    this.#draining = true;
    this.#worker.drain();
    this.#draining = false;
  }

  /** Emits events in order, and never inside a synchronous call of the user. */
  #deliver(emit: () => void): void {
    if (!this.#draining && this.#late.length === 0) return emit();
    this.#late.push(emit);
    if (this.#late.length > 1) return;
    queueMicrotask(() => {
      for (const event of this.#late.splice(0)) event();
    });
  }
}

/** The worker of the server has ended, and everything in it. */
export function workerLost(): LocalError {
  return new LocalError('EIO', 'The worker of the server has ended');
}

let turn: Promise<unknown> = Promise.resolve();

/** The workers of two servers that look for a free port at the same time could both find the same one. */
function inTurn<T>(action: () => Promise<T>): Promise<T> {
  const result = turn.then(action);
  turn = result.catch(() => undefined);
  return result;
}

function storedBy(message: StoredMessage, host: StorageHost): StoredFile {
  if ('sink' in message) return host.stored(message.sink);
  const { path, data } = message;
  return {
    ...(path !== undefined && { path }),
    ...(data && { data: Buffer.from(data.buffer, data.byteOffset, data.length) }),
  };
}
