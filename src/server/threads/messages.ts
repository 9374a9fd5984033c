/**
 * What the threads of a server say to each other. The main thread has the public face and what is
 * at home there: storages of the user, and the flow. The first thread has the listening sockets and
 * the list of sessions; helpers run sessions for it.
 *
 * Everything is plain values, but for bytes and open files, which move.
 */

import type { MessagePort } from 'node:worker_threads';
import type { TransferFacts, TransferRecord } from '../../net/transfer-record';
import type { RequestPacket } from '../../protocol/packet';
import type {
  MovableContent,
  PortableStorage,
  StorageRequest,
  StorageWriteRequest,
} from '../../storage/storage';
import type { Peer } from '../../transfer/peer-lock';
import type { GuessAlarm } from '../guess-alarm';
import type { ListeningAddress } from '../listening-address';
import type { NameHits, NameRulesSource } from '../names/name-rules';
import type { RequiredServerOptions } from '../server-options';
import type { Moving } from './line';
import type { PackedError } from './packed-error';

/** The number of a session, unique for a server while its threads live. */
export type SessionKey = number;

/** The options that are plain values. */
export type PlainOptions = Omit<RequiredServerOptions, 'storage' | 'rules'>;

/** How a thread comes to its storage. */
export interface StoragePlan {
  /** What the main thread knows it, or the part of it that stays at home, by. */
  readonly key: number;
  /** How to make it; undefined if all of it is at home. */
  readonly portable: Omit<PortableStorage, 'home'> | undefined;
  readonly hasHome: boolean;
}

/** A request to a storage, without its signal: `id` is what it is abandoned by. */
export interface HomeRequest {
  readonly key: number;
  readonly id: number;
  readonly request: Omit<StorageRequest, 'signal'>;
}

export interface HomeWriteRequest extends HomeRequest {
  readonly request: Omit<StorageWriteRequest, 'signal' | 'abort'>;
}

/** A source that was opened at home: `content` if there is no need to ask for it. */
export interface HomeSource {
  readonly id: number;
  readonly size: number | undefined;
  readonly content: MovableContent | undefined;
}

/** What the main thread does for each of the others: what storages do. */
export interface HomeCalls {
  openSource(request: HomeRequest): Promise<HomeSource | Moving<HomeSource>>;
  readSource(id: number): Promise<Moving<Uint8Array> | undefined>;
  closeSource(id: number): void;
  openSink(request: HomeWriteRequest): Promise<number>;
  /** Settles when the storage ends the transfer of this sink, or with undefined when the sink has ended. */
  sinkAborted(id: number): Promise<PackedError | undefined>;
  write(id: number, chunk: Uint8Array): Promise<void>;
  commit(id: number): Promise<void>;
  discard(id: number): Promise<void>;
  canOpen(request: HomeRequest, operation: 'read' | 'write'): Promise<boolean>;
  /** Nobody waits any more for what was asked with this id. */
  abandon(id: number, reason: PackedError): void;
  /** How far the sessions are that run there. */
  snapshots(records: readonly (readonly [SessionKey, TransferRecord])[]): void;
}

/** What was stored: by a sink at home, or in the thread. */
export type StoredMessage =
  { readonly sink: number } | { readonly path?: string; readonly data?: Uint8Array };

/** What the first thread tells the main one. */
export interface MainCalls extends HomeCalls {
  begun(session: SessionKey, host: string): void;
  /** A session has told this record; `transfer` with the same record follows. */
  heard(session: SessionKey, record: TransferRecord): void;
  ended(session: SessionKey): void;
  transfer(record: TransferRecord): void;
  upload(record: TransferRecord, stored: StoredMessage): void;
  alarm(alarm: GuessAlarm): void;
  problem(error: PackedError): void;
  ruleHits(hits: NameHits): void;
}

/** What the main thread tells every other one. */
export interface ThreadCalls {
  use(plan: StoragePlan): void;
  rules(source: NameRulesSource): void;
}

/** What the main thread has the first one do. */
export interface FirstCalls extends ThreadCalls {
  listen(): Promise<ListeningAddress[]>;
  abort(id: string, reason: string): void;
  abortAll(host: string | undefined, reason: string): void;
  pause(paused: boolean): void;
  close(options: { readonly graceful: boolean }): Promise<void>;
  /** Another thread that runs sessions. */
  helper(owner: number, port: MessagePort): void;
}

/** A session that a helper is to run. */
export interface SessionOrder {
  readonly session: SessionKey;
  readonly request: RequestPacket;
  readonly client: Peer;
  /** Where the request came to. */
  readonly local: Peer;
  readonly facts: TransferFacts;
}

/** What the first thread has a helper do. */
export interface HelperCalls {
  begin(order: SessionOrder): void;
  repeatLast(session: SessionKey): void;
  abort(session: SessionKey, reason: PackedError): void;
  close(session: SessionKey, reason: PackedError | undefined): void;
}

/** What a helper tells the first thread of its sessions. */
export interface SessionCalls {
  event(session: SessionKey, record: TransferRecord): void;
  answered(session: SessionKey): void;
  named(session: SessionKey, servedAs: string): void;
  /** It is over. `error`: it could not begin. */
  ended(session: SessionKey, error: PackedError | undefined): void;
  closed(session: SessionKey): void;
  ruleHits(hits: NameHits): void;
}
