/** The storage of a server node whose reads are answered by the flow. */

import { isTftpError } from '../protocol/errors';
import { canOpen } from '../storage/can-open';
import { makeStorage } from '../storage/portable-storage';
import { pendingReads } from './pending-reads';
import type {
  DataSink,
  DataSource,
  PortableStorage,
  Storage,
  StorageRequest,
  StorageWriteRequest,
} from '../storage/storage';
import type { PendingReads } from './pending-reads';

/** How the flow is asked. */
export interface FlowOptions {
  /** How long the flow may think, in milliseconds. */
  readonly timeout: number;
  /** Tells the flow of a request. It answers through `PendingReads`, by the id. */
  readonly tell: (request: StorageRequest, id: string) => void;
}

/** Has the flow answer reads. It lives where the flow is. */
export class FlowQuestions implements Storage {
  readonly #base: Storage;
  readonly #options: FlowOptions;
  readonly #pending: PendingReads;

  /** The base storage opens what the flow wants to be served by name, and takes writes. */
  constructor(base: Storage, options: FlowOptions, pending = pendingReads) {
    this.#base = base;
    this.#options = options;
    this.#pending = pending;
  }

  /** @throws {TftpError} what the flow says, or ENOANSWER if it says nothing. */
  openForReading(request: StorageRequest): Promise<DataSource> {
    const { timeout, tell } = this.#options;
    const openByName = (filename: string): Promise<DataSource> =>
      this.#base.openForReading({ ...request, filename });
    const question = { timeout, signal: request.signal, openByName };
    return this.#pending.ask(question, (id) => tell(request, id));
  }

  openForWriting(request: StorageWriteRequest): Promise<DataSink> {
    return this.#base.openForWriting(request);
  }
}

/** Reads what the flow answers, and leaves writes to the base storage. */
export class FlowStorage implements Storage {
  readonly #base: Storage;
  readonly #flow: Storage;
  readonly #baseFirst: boolean;

  /**
   * @param flow what asks the flow.
   * @param baseFirst asks it only for what the base storage does not have.
   */
  constructor(base: Storage, flow: Storage, baseFirst: boolean) {
    this.#base = base;
    this.#flow = flow;
    this.#baseFirst = baseFirst;
  }

  /** The files are opened in the worker; the flow is asked in the main thread. */
  get portable(): PortableStorage | undefined {
    const base = this.#base.portable;
    if (base === undefined) return undefined;
    const data: FlowData = { base, baseFirst: this.#baseFirst };
    return { module: __filename, name: 'flowStorage', data, home: this.#flow };
  }

  /** @throws {TftpError} what the base or the flow says. */
  async openForReading(request: StorageRequest): Promise<DataSource> {
    const own = this.#baseFirst ? await this.#openOwn(request) : undefined;
    return own ?? this.#flow.openForReading(request);
  }

  openForWriting(request: StorageWriteRequest): Promise<DataSink> {
    return this.#base.openForWriting(request);
  }

  /** Rules try names one after the other, and the flow is asked once, at last: by itself it may have any file. */
  async canOpen(request: StorageRequest, operation: 'read' | 'write'): Promise<boolean> {
    if (operation === 'read' && !this.#baseFirst) return true;
    return canOpen(this.#base, request, operation);
  }

  /** Undefined if the base does not have it. */
  async #openOwn(request: StorageRequest): Promise<DataSource | undefined> {
    try {
      return await this.#base.openForReading(request);
    } catch (error) {
      if (isTftpError(error) && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

interface FlowData {
  readonly base: PortableStorage;
  readonly baseFirst: boolean;
}

/** The same storage in a worker. */
export function flowStorage({ base, baseFirst }: FlowData, flow: Storage): FlowStorage {
  return new FlowStorage(makeStorage(base), flow, baseFirst);
}
