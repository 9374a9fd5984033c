/** The server, as its users see it. */

import { EventEmitter } from 'node:events';
import { CancelError, LocalError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import { callListener } from '../net/call-listener';
import type { TransferRecord } from '../net/transfer-record';
import type { GuessAlarm } from './guess-alarm';
import type { ListeningAddress } from './listening-address';
import { Front } from './front';
import type { CoreListener, ServerCore } from './server-core';
import { Counters } from './server-counters';
import type { ServerCounters } from './server-counters';
import { parseServerOptions } from './server-options';
import type { ServerOptions } from './server-options';
import { SERVER_SYSTEM } from './server-system';
import type { StoredFile } from './stored-file';
import { WorkerServer } from './worker/worker-server';

export type { ServerCounters } from './server-counters';

/** The events of a server and what their listeners get. None is named `error`: a server without listeners must not end the process. */
export interface ServerEvents {
  /** Every `start`, `progress`, `complete`, `error` and `probe` of every transfer: `record.event` tells which. */
  transfer: [record: TransferRecord];
  /** After the `complete` of a write: what the storage has made of it. */
  upload: [record: TransferRecord, stored: StoredFile];
  /** An address asked for many names that do not exist: it guesses. */
  alarm: [alarm: GuessAlarm];
  /** Something outside a transfer failed. The server goes on if it can. */
  problem: [error: TftpError];
  /** The server listens no more: it was closed, or it had to give up, which a `problem` before has told of. */
  close: [];
}

/**
 * Serves the files of a storage. Reads only, to private networks only, unless told otherwise.
 *
 * @example
 * const server = new TftpServer({ storage: new FolderStorage({ root: '/srv/tftp' }), port: 6969 });
 * server.on('transfer', (record) => console.log(record.event, record.filename, record.host));
 * await server.listen();
 */
export class TftpServer extends EventEmitter<ServerEvents> {
  readonly #counters = new Counters();
  readonly #core: ServerCore;
  #binding: Promise<ListeningAddress[]> | undefined;
  #listening = false;
  #closing = false;
  #paused = false;

  /**
   * @param system what the server asks of the machine: for tests.
   * @throws {LocalError} EINVAL, saying which option is wrong and what it may be.
   */
  constructor(options: ServerOptions, system = SERVER_SYSTEM) {
    super();
    const whole = parseServerOptions(options);
    this.#core = whole.worker
      ? new WorkerServer(whole, this.#listener, system, this.#counters)
      : new Front(whole, this.#listener, system, { counters: this.#counters });
  }

  /** What has been counted so far. */
  get counters(): ServerCounters {
    return this.#counters.values;
  }

  /** Where the server listens; empty before `listen` and after `close`. */
  get addresses(): ListeningAddress[] {
    return this.#listening ? this.#core.addresses : [];
  }

  /** True between {@link TftpServer.pause} and {@link TftpServer.resume}. */
  get paused(): boolean {
    return this.#paused;
  }

  /** The running transfers. With a worker, their progress may be up to a second old. */
  get transfers(): TransferRecord[] {
    return this.#core.transfers;
  }

  /**
   * Begins to listen, on one socket for each version of IP.
   *
   * @param signal aborting it closes the server.
   * @throws {LocalError} EADDRINUSE, ENOPERM or EADDRNOTAVAIL, saying what to change.
   */
  async listen(signal?: AbortSignal): Promise<ListeningAddress[]> {
    if (this.#binding || this.#listening) {
      throw new LocalError('EINVAL', 'The server listens already');
    }
    this.#closing = false;
    this.#binding = this.#core.listen();
    const addresses = await this.#binding.finally(() => (this.#binding = undefined));
    if (this.#closing || signal?.aborted) {
      await this.#core.close({ graceful: false });
      throw new CancelError('The server was closed before it listened');
    }
    this.#listening = true;
    signal?.addEventListener('abort', () => void this.close(), { once: true });
    return addresses;
  }

  /** Ends one transfer; its client is told why. False if there is no such transfer. */
  abort(id: string, reason = 'The transfer was cancelled'): boolean {
    return this.#core.abort(id, reason);
  }

  /**
   * Ends the running transfers of one address, or of all; their clients are told why.
   *
   * @returns how many they were.
   */
  abortAll(options: { host?: string } = {}, reason = 'The transfer was cancelled'): number {
    return this.#core.abortAll(options.host, reason);
  }

  /** Serves from another storage, beginning with the next request. Running transfers keep theirs. */
  use({ storage }: Pick<ServerOptions, 'storage'>): void {
    this.#core.use(storage);
  }

  /** Refuses new requests with ERROR 0 until {@link TftpServer.resume}. Running transfers go on. */
  pause(): void {
    this.#paused = true;
    this.#core.pause(true);
  }

  /** Accepts requests again. */
  resume(): void {
    this.#paused = false;
    this.#core.pause(false);
  }

  /**
   * Stops listening, and frees the port. Running transfers end with an ERROR to their clients, and
   * unfinished uploads leave nothing. Never rejects; takes two seconds at most, unless `graceful`.
   *
   * @param options.graceful running transfers may end first.
   */
  async close(options: { graceful?: boolean } = {}): Promise<void> {
    this.#closing = true;
    this.#listening = false;
    if (this.#binding) await this.#binding.catch(() => undefined);
    await this.#core.close({ graceful: options.graceful ?? false });
    this.#tell('close');
  }

  get #listener(): CoreListener {
    return {
      transfer: (record) => this.#tell('transfer', record),
      upload: (record, stored) => this.#tell('upload', record, stored),
      alarm: (alarm) => this.#tell('alarm', alarm),
      problem: (error) => this.#tell('problem', error),
      lost: () => {
        this.#listening = false;
        this.#tell('close');
      },
    };
  }

  #tell<E extends keyof ServerEvents>(event: E, ...args: ServerEvents[E]): void {
    callListener(() => void (this as EventEmitter).emit(event, ...args));
  }
}
