/** The reception in a thread of its own, which is started anew if it ends by itself. */

import { systemClock } from '../../net/clock';
import { asTftpError } from '../../net/transfer-driver';
import type { TransferRecord } from '../../net/transfer-record';
import { CancelError, LocalError } from '../../protocol/errors';
import type { Storage } from '../../storage/storage';
import { Admission } from '../admission';
import type { ListeningAddress } from '../listening-address';
import { EndingJudge } from '../ending-judge';
import type { CoreListener, ServerCore } from '../server-core';
import type { Counters } from '../server-counters';
import type { RequiredServerOptions } from '../server-options';
import type { ServerSystem } from '../server-system';
import { threadLost } from './session-helper';
import { startWorker } from './thread';
import { FIRST, ThreadCrew } from './thread-crew';

/** How long `close` waits for the thread, in milliseconds: it gives up some things after 1500 by itself. */
const CLOSE_PATIENCE = 1800;

/** So many threads are started anew within a minute; one more, and something is wrong for good. */
const RESTARTS = 3;
const RESTART_PERIOD = 60_000;

export class ThreadedReception implements ServerCore {
  readonly #listener: CoreListener;
  readonly #system: ServerSystem;
  readonly #counters: Counters;
  #options: RequiredServerOptions;
  #paused = false;
  #crew: ThreadCrew | undefined;
  #addresses: ListeningAddress[] = [];
  #restarts: number[] = [];
  #restarting: Promise<void> = Promise.resolve();
  #closing = false;

  /** @throws {LocalError} EINVAL if there is a network, a pattern or an option that is none. */
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
    checkOptions(options);
  }

  get addresses(): ListeningAddress[] {
    return this.#addresses;
  }

  get transfers(): TransferRecord[] {
    return this.#crew?.transfers ?? [];
  }

  async listen(): Promise<ListeningAddress[]> {
    this.#closing = false;
    this.#addresses = await this.#start(this.#options);
    return this.#addresses;
  }

  abort(id: string, reason: string): boolean {
    return this.#crew?.abort(id, reason) ?? false;
  }

  abortAll(host: string | undefined, reason: string): number {
    return this.#crew?.abortAll(host, reason) ?? 0;
  }

  use(storage: Storage): void {
    this.#options = { ...this.#options, storage };
    this.#crew?.use(storage);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#crew?.pause(paused);
  }

  async close({ graceful }: { readonly graceful: boolean }): Promise<void> {
    this.#closing = true;
    this.#addresses = [];
    await this.#restarting;
    const crew = this.#crew;
    if (crew === undefined) return;
    const closed = crew.close(graceful);
    await (graceful ? closed : Promise.race([closed, patience(CLOSE_PATIENCE)]));
    await this.#end(crew, new CancelError('The server was stopped'));
  }

  /** @throws what listening throws; no thread is left then. */
  async #start(options: RequiredServerOptions): Promise<ListeningAddress[]> {
    let listening = false;
    const crew = new ThreadCrew({
      options,
      paused: this.#paused,
      counters: this.#counters,
      listener: this.#listener,
      startThread: this.#system.startThread ?? startWorker,
      lost: (owner, reason) => {
        if (listening) this.#lost(crew, owner, reason);
      },
    });
    this.#crew = crew;
    try {
      const addresses = await crew.listen();
      listening = true;
      return addresses;
    } catch (error) {
      const failure = await this.#end(crew, threadLost());
      throw failure === undefined ? error : threadFailure(failure);
    }
  }

  #lost(crew: ThreadCrew, owner: number, reason: unknown): void {
    this.#listener.problem(threadFailure(reason));
    if (owner !== FIRST) {
      if (this.#mayRestart()) crew.addHelper(owner);
      return;
    }
    this.#restarting = this.#restart(crew);
  }

  /** Listens again at the same port. Never rejects. */
  async #restart(crew: ThreadCrew): Promise<void> {
    const port = this.#addresses[0]?.port ?? this.#options.port;
    await this.#end(crew, threadLost());
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

  async #end(crew: ThreadCrew, reason: LocalError | CancelError): Promise<unknown> {
    const failure = await crew.stop(reason);
    if (this.#crew === crew) this.#crew = undefined;
    return failure;
  }

  #mayRestart(): boolean {
    const now = systemClock.now();
    this.#restarts = this.#restarts.filter((at) => now - at < RESTART_PERIOD);
    if (this.#restarts.length >= RESTARTS) return false;
    this.#restarts.push(now);
    return true;
  }
}

const TOO_MANY_RESTARTS =
  'The threads of the server end again and again: it listens no more. Let it serve without threads, or report this';

/** What cannot be used is told at once, not by a thread later. */
function checkOptions(options: RequiredServerOptions): void {
  void new Admission(options);
  void new EndingJudge(options);
}

function threadFailure(reason: unknown): LocalError {
  const why = reason instanceof Error ? reason.message : 'it gave no reason';
  const message = `A thread of the server has ended, and its transfers with it: ${why}`;
  return new LocalError('EIO', message, { cause: reason });
}

function patience(milliseconds: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(milliseconds, resolve).unref());
}
