/**
 * The procedures that the main thread and the worker call on each other. Everything is plain values,
 * except bytes and open files, which are transferred.
 */

import type { TransferRecord } from '../../net/transfer-record';
import type {
  MovableContent,
  PortableStorage,
  StorageRequest,
  StorageWriteRequest,
} from '../../storage/storage';
import type { GuessAlarm } from '../guess-alarm';
import type { ListeningAddress } from '../listening-address';
import type { NameHits, NameRulesSource } from '../names/name-rules';
import type { RequiredServerOptions } from '../server-options';
import type { PackedError } from './packed-error';
import type { Transferred } from './rpc';

/** The options that are plain values. */
export type PlainOptions = Omit<RequiredServerOptions, 'storage' | 'rules'>;

/** How the worker gets its storage. */
export interface StoragePlan {
  /** Identifies the storage, or the part of it that stays there, in the main thread. */
  readonly key: number;
  /** How to make it; undefined if all of it stays in the main thread. */
  readonly portable: Omit<PortableStorage, 'home'> | undefined;
  /** True if a part of it, or all, stays in the main thread. */
  readonly hosted: boolean;
}

/** A request to a storage. `abandon` with its `id` takes the place of its signal. */
export interface RemoteRequest {
  readonly key: number;
  readonly id: number;
  readonly request: Omit<StorageRequest, 'signal'>;
}

export interface RemoteWriteRequest extends RemoteRequest {
  readonly request: Omit<StorageWriteRequest, 'signal' | 'abort'>;
}

/** A source that was opened in the main thread. If there is a `content`, nothing needs to be read there. */
export interface OpenedSource {
  readonly id: number;
  readonly size: number | undefined;
  readonly content: MovableContent | undefined;
}

/** The storages of the main thread. */
export interface StorageCalls {
  openSource(request: RemoteRequest): Promise<OpenedSource | Transferred<OpenedSource>>;
  readSource(id: number): Promise<Transferred<Uint8Array> | undefined>;
  closeSource(id: number): void;
  openSink(request: RemoteWriteRequest): Promise<number>;
  /** Settles when the storage ends the transfer of this sink, or with undefined when the sink has ended. */
  sinkAborted(id: number): Promise<PackedError | undefined>;
  write(id: number, chunk: Uint8Array): Promise<void>;
  commit(id: number): Promise<void>;
  discard(id: number): Promise<void>;
  canOpen(request: RemoteRequest, operation: 'read' | 'write'): Promise<boolean>;
  /** The result of this request is no longer needed. */
  abandon(id: number, reason: PackedError): void;
}

/** What was stored: by a sink in the main thread, or in the worker. */
export type StoredMessage =
  { readonly sink: number } | { readonly path?: string; readonly data?: Uint8Array };

/** What the worker reports to the main thread. */
export interface MainCalls extends StorageCalls {
  begun(id: string, host: string): void;
  ended(id: string): void;
  /** The progress of transfers that have not reported it by an event. */
  snapshots(records: readonly TransferRecord[]): void;
  transfer(record: TransferRecord): void;
  upload(record: TransferRecord, stored: StoredMessage): void;
  alarm(alarm: GuessAlarm): void;
  problem(error: PackedError): void;
  ruleHits(hits: NameHits): void;
}

/** What the main thread has the worker do. */
export interface WorkerCalls {
  listen(): Promise<ListeningAddress[]>;
  abort(id: string, reason: string): void;
  abortAll(host: string | undefined, reason: string): void;
  pause(paused: boolean): void;
  close(options: { readonly graceful: boolean }): Promise<void>;
  use(plan: StoragePlan): void;
  rules(source: NameRulesSource): void;
}
