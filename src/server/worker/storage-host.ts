/** The storages that stay in the main thread, and what the worker has open there. */

import { canOpen } from '../../storage/can-open';
import type {
  DataSink,
  DataSource,
  MovableContent,
  Storage,
  StorageRequest,
} from '../../storage/storage';
import { LocalError } from '../../protocol/errors';
import type { TftpError } from '../../protocol/errors';
import { RecentMap } from '../recent-map';
import { storedFile } from '../stored-file';
import type { StoredFile } from '../stored-file';
import type {
  OpenedSource,
  RemoteRequest,
  RemoteWriteRequest,
  StorageCalls,
  StoragePlan,
} from './messages';
import { packError, unpackError } from './packed-error';
import type { PackedError } from './packed-error';
import { Transferred } from './rpc';
import { sharedCopy } from './shared-copy';

/** Storages that can be used by their key: the current one, and those before it. */
const STORAGES_KEPT = 8;
/** Committed sinks whose `upload` event has not come yet. */
const COMMITTED_KEPT = 1000;

/** The storages of a server, by their keys. */
export class StorageList {
  readonly #storages = new RecentMap<number, Storage>(STORAGES_KEPT);
  readonly #plans = new WeakMap<Storage, StoragePlan>();
  #count = 0;

  /** What the worker needs in order to have this storage. */
  plan(storage: Storage): StoragePlan {
    const { home, ...portable } = storage.portable ?? { home: storage };
    const plan = this.#plans.get(storage) ?? {
      key: (this.#count += 1),
      portable: 'module' in portable ? portable : undefined,
      hosted: home !== undefined,
    };
    this.#plans.set(storage, plan);
    if (home) this.#storages.set(plan.key, home);
    return plan;
  }

  /** @throws {LocalError} EIO for one that was replaced many times since. */
  find(key: number): Storage {
    const storage = this.#storages.get(key);
    if (storage === undefined) throw new LocalError('EIO', 'The storage was replaced');
    return storage;
  }
}

/** A sink that the worker writes to. */
interface OpenSink {
  readonly sink: DataSink;
  readonly storage: Storage;
  readonly ending: Ending;
}

/** Whether a storage has ended the transfer of a sink. The first word counts. */
class Ending {
  readonly reason: Promise<PackedError | undefined>;
  settle: (reason: PackedError | undefined) => void = () => undefined;

  constructor() {
    this.reason = new Promise((resolve) => (this.settle = resolve));
  }
}

/** What the worker has open here. */
export class StorageHost implements StorageCalls {
  readonly #storages = new StorageList();
  readonly #asked = new Map<number, AbortController>();
  readonly #sources = new Map<number, DataSource>();
  readonly #sinks = new Map<number, OpenSink>();
  readonly #committed = new RecentMap<number, StoredFile>(COMMITTED_KEPT);
  #ended = false;

  /** What the worker needs in order to have this storage. */
  plan(storage: Storage): StoragePlan {
    return this.#storages.plan(storage);
  }

  async openSource(request: RemoteRequest): Promise<OpenedSource | Transferred<OpenedSource>> {
    const source = await this.#request(request, (whole, storage) => storage.openForReading(whole));
    if (this.#ended) await source.close();
    const { id } = request;
    const { size } = source;
    this.#sources.set(id, source);
    return withContent({ id, size, content: source.handOver?.() });
  }

  async readSource(id: number): Promise<Transferred<Uint8Array> | undefined> {
    const chunk = await this.#sources.get(id)?.read();
    if (chunk === undefined) return undefined;
    // A copy: the bytes belong to the source, and may lie in memory that is much larger.
    const copy = new Uint8Array(chunk);
    return new Transferred(copy, [copy.buffer]);
  }

  closeSource(id: number): void {
    const source = this.#sources.get(id);
    this.#sources.delete(id);
    void source?.close();
  }

  async openSink(request: RemoteWriteRequest): Promise<number> {
    const { size } = request.request;
    const storage = this.#storages.find(request.key);
    const ending = new Ending();
    const abort = (reason: TftpError): void => ending.settle(packError(reason));
    const sink = await this.#request(request, (whole) =>
      storage.openForWriting({ ...whole, size, abort }),
    );
    if (this.#ended) await sink.discard();
    this.#sinks.set(request.id, { sink, storage, ending });
    return request.id;
  }

  async sinkAborted(id: number): Promise<PackedError | undefined> {
    return this.#sinks.get(id)?.ending.reason;
  }

  write(id: number, chunk: Uint8Array): Promise<void> {
    return this.#sinkOf(id).write(chunk);
  }

  async commit(id: number): Promise<void> {
    const known = this.#take(id);
    await known?.sink.commit();
    if (known) this.#committed.set(id, storedFile(known.sink, known.storage));
  }

  async discard(id: number): Promise<void> {
    const known = this.#take(id);
    await known?.sink.discard();
  }

  canOpen(request: RemoteRequest, operation: 'read' | 'write'): Promise<boolean> {
    return this.#request(request, (whole, storage) => canOpen(storage, whole, operation));
  }

  abandon(id: number, reason: Parameters<StorageCalls['abandon']>[1]): void {
    this.#asked.get(id)?.abort(unpackError(reason));
  }

  /** What the sink of an upload has stored. */
  stored(id: number): StoredFile {
    const stored = this.#committed.get(id) ?? {};
    this.#committed.delete(id);
    return stored;
  }

  /** The worker has ended: closes everything that it had open. */
  async end(reason: Error): Promise<void> {
    this.#ended = true;
    for (const asked of this.#asked.values()) asked.abort(reason);
    const sources = [...this.#sources.values()];
    const sinks = [...this.#sinks.values()];
    this.#sources.clear();
    this.#sinks.clear();
    for (const { ending } of sinks) ending.settle(undefined);
    await Promise.all([
      ...sources.map((source) => source.close()),
      ...sinks.map(({ sink }) => sink.discard()),
    ]);
  }

  async #request<T>(
    { key, id, request }: RemoteRequest,
    ask: (request: StorageRequest, storage: Storage) => Promise<T>,
  ): Promise<T> {
    const controller = new AbortController();
    this.#asked.set(id, controller);
    // Messages may be handled inside a synchronous getter, which must not run code of a storage.
    await Promise.resolve();
    try {
      return await ask({ ...request, signal: controller.signal }, this.#storages.find(key));
    } finally {
      this.#asked.delete(id);
    }
  }

  #take(id: number): OpenSink | undefined {
    const known = this.#sinks.get(id);
    this.#sinks.delete(id);
    known?.ending.settle(undefined);
    return known;
  }

  #sinkOf(id: number): DataSink {
    const known = this.#sinks.get(id);
    if (known === undefined) throw new LocalError('ECANCELED', 'The file is closed');
    return known.sink;
  }
}

function withContent(source: OpenedSource): OpenedSource | Transferred<OpenedSource> {
  const { content } = source;
  if (content === undefined) return source;
  if ('handle' in content) return new Transferred(source, [content.handle]);
  const shared: MovableContent = { bytes: sharedCopy(content.bytes) };
  return { ...source, content: shared };
}
