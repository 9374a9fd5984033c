/** The storage of a server node whose reads are answered by the flow. */

import { isTftpError } from '../protocol/errors';
import { canOpen } from '../storage/can-open';
import { pendingReads } from './pending-reads';
import type {
  DataSink,
  DataSource,
  Storage,
  StorageRequest,
  StorageWriteRequest,
} from '../storage/storage';
import type { PendingReads } from './pending-reads';

/** How the flow is asked. */
export interface FlowStorageOptions {
  /** Asks the flow only for what the base storage does not have. */
  readonly baseFirst: boolean;
  /** How long the flow may think, in milliseconds. */
  readonly timeout: number;
  /** Tells the flow of a request. It answers through `PendingReads`, by the id. */
  readonly tell: (request: StorageRequest, id: string) => void;
}

/** Has the flow answer reads, and leaves writes to the base storage. */
export class FlowStorage implements Storage {
  readonly #base: Storage;
  readonly #options: FlowStorageOptions;
  readonly #pending: PendingReads;

  /** The base storage also opens what the flow wants to be served by name. */
  constructor(base: Storage, options: FlowStorageOptions, pending = pendingReads) {
    this.#base = base;
    this.#options = options;
    this.#pending = pending;
  }

  /** @throws {TftpError} what the base or the flow says, or ETIMEDOUT if the flow says nothing. */
  async openForReading(request: StorageRequest): Promise<DataSource> {
    const { baseFirst, timeout, tell } = this.#options;
    const own = baseFirst ? await this.#openOwn(request) : undefined;
    if (own !== undefined) return own;
    const openByName = (filename: string): Promise<DataSource> =>
      this.#base.openForReading({ ...request, filename });
    const question = { timeout, signal: request.signal, openByName };
    return this.#pending.ask(question, (id) => tell(request, id));
  }

  openForWriting(request: StorageWriteRequest): Promise<DataSink> {
    return this.#base.openForWriting(request);
  }

  /** Rules try names one after the other, and the flow is asked once, at last: by itself it may have any file. */
  async canOpen(request: StorageRequest, operation: 'read' | 'write'): Promise<boolean> {
    if (operation === 'read' && !this.#options.baseFirst) return true;
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
