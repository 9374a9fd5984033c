/** The server in a worker thread, which is started again if it ends by itself. */

import { asTftpError } from '../../net/transfer-driver';
import type { TransferRecord } from '../../net/transfer-record';
import { CancelError, LocalError } from '../../protocol/errors';
import type { TftpError } from '../../protocol/errors';
import type { Storage } from '../../storage/storage';
import { Admission } from '../admission';
import type { ListeningAddress } from '../listening-address';
import { EndingJudge } from '../ending-judge';
import { waitAtMost } from '../patience';
import type { CoreListener, ServerCore } from '../server-core';
import type { Counters } from '../server-counters';
import type { RequiredServerOptions } from '../server-options';
import type { ServerSystem } from '../server-system';
import { RunningWorker, workerLost } from './running-worker';

/** How long `close` waits for the worker, in milliseconds: the worker itself waits 1500 at most. */
const CLOSE_PATIENCE = 1800;

/** How many workers are started again within a minute. One more, and starting them does not help. */
const RESTARTS = 3;
const RESTART_PERIOD = 60_000;

export class WorkerServer implements ServerCore {
  readonly #listener: CoreListener;
  readonly #system: ServerSystem;
  readonly #counters: Counters;
  #options: RequiredServerOptions;
  #paused = false;
  #worker: RunningWorker | undefined;
  #addresses: ListeningAddress[] = [];
  #restarts: number[] = [];
  #restarting: Promise<void> = Promise.resolve();
  #closing = false;

  /** @throws {LocalError} EINVAL if a network, a pattern or an option is not valid. */
  constructor(
    options: RequiredServerOptions,
    listener: CoreListener,
    system: ServerSystem,
    counters: Counters,
  ) {
    this.#options = options;
    this.#listener = listener;
    this.#system = system;
    this.#counters = counters;
    // What is not valid is reported at once, not by the worker later.
    void new Admission(options);
    void new EndingJudge(options);
  }

  get addresses(): ListeningAddress[] {
    return this.#addresses;
  }

  get transfers(): TransferRecord[] {
    return this.#worker?.transfers ?? [];
  }

  async listen(): Promise<ListeningAddress[]> {
    this.#closing = false;
    this.#addresses = await this.#start(this.#options);
    return this.#addresses;
  }

  abort(id: string, reason: string): boolean {
    return this.#worker?.abort(id, reason) ?? false;
  }

  abortAll(host: string | undefined, reason: string): number {
    return this.#worker?.abortAll(host, reason) ?? 0;
  }

  use(storage: Storage): void {
    this.#options = { ...this.#options, storage };
    this.#worker?.use(storage);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#worker?.pause(paused);
  }

  async close({ graceful }: { readonly graceful: boolean }): Promise<void> {
    this.#closing = true;
    this.#addresses = [];
    await this.#restarting;
    const worker = this.#worker;
    if (worker === undefined) return;
    const closed = worker.close(graceful);
    await (graceful ? closed : waitAtMost(CLOSE_PATIENCE, closed, this.#system.clock));
    await this.#end(worker, new CancelError('The server was stopped'));
  }

  /** @throws what listening throws; no thread is left then. */
  async #start(options: RequiredServerOptions): Promise<ListeningAddress[]> {
    let listening = false;
    const worker = new RunningWorker({
      options,
      paused: this.#paused,
      counters: this.#counters,
      listener: this.#listener,
      system: this.#system,
      lost: (reason) => {
        if (listening) this.#restarting = this.#restart(worker, reason);
        else void worker.stop(workerLost());
      },
    });
    this.#worker = worker;
    try {
      const addresses = await worker.listen();
      listening = true;
      return addresses;
    } catch (error) {
      const failure = await this.#end(worker, workerLost());
      throw failure === undefined ? error : workerFailure(failure);
    }
  }

  /** Listens again at the same port. Never rejects. */
  async #restart(worker: RunningWorker, reason: unknown): Promise<void> {
    const port = this.#addresses[0]?.port ?? this.#options.port;
    await this.#end(worker, workerLost());
    this.#listener.problem(workerFailure(reason));
    if (this.#closing) return;
    try {
      if (!this.#mayRestart()) throw new LocalError('EIO', TOO_MANY_RESTARTS);
      await this.#start({ ...this.#options, port });
    } catch (error) {
      this.#addresses = [];
      this.#listener.problem(asTftpError(error));
      this.#listener.lost();
    }
  }

  async #end(worker: RunningWorker, reason: TftpError): Promise<unknown> {
    const failure = await worker.stop(reason);
    if (this.#worker === worker) this.#worker = undefined;
    return failure;
  }

  #mayRestart(): boolean {
    const now = this.#system.clock.now();
    this.#restarts = this.#restarts.filter((at) => now - at < RESTART_PERIOD);
    if (this.#restarts.length >= RESTARTS) return false;
    this.#restarts.push(now);
    return true;
  }
}

const TOO_MANY_RESTARTS =
  'The worker of the server keeps ending, so the server has stopped. Turn the worker off, or report this';

function workerFailure(reason: unknown): LocalError {
  const why = reason instanceof Error ? reason.message : 'no reason was given';
  const message = `The worker of the server has ended, and its transfers with it: ${why}`;
  return new LocalError('EIO', message, { cause: reason });
}
