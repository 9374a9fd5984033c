/** A storage of the main thread, as the worker uses it. */

import type { TftpError } from '../../protocol/errors';
import { bufferSource } from '../../storage/data-source';
import { movedSource } from '../../storage/file-source';
import type {
  DataSink,
  DataSource,
  Storage,
  StorageRequest,
  StorageWriteRequest,
} from '../../storage/storage';
import type { Rpc } from './rpc';
import type { StorageCalls, RemoteRequest, OpenedSource } from './messages';
import { packError, unpackTftpError } from './packed-error';

type Main = Rpc<StorageCalls>;

let lastId = 0;

/** Has the main thread open the files. */
export class RemoteStorage implements Storage {
  readonly #main: Main;
  readonly #key: number;

  /** @param key identifies the storage in the main thread. */
  constructor(main: Main, key: number) {
    this.#main = main;
    this.#key = key;
  }

  async openForReading(request: StorageRequest): Promise<DataSource> {
    const opened = await this.#request(request, (asked) => this.#main.call('openSource', [asked]));
    return sourceOf(this.#main, opened);
  }

  async openForWriting({ size, abort, ...request }: StorageWriteRequest): Promise<DataSink> {
    const id = await this.#request(request, (asked) =>
      this.#main.call('openSink', [{ ...asked, request: { ...asked.request, size } }]),
    );
    if (abort) void this.#pass(id, abort);
    return new RemoteSink(this.#main, id);
  }

  /** Passes on that the storage ends the transfer. */
  async #pass(id: number, abort: (reason: TftpError) => void): Promise<void> {
    const reason = await this.#main.call('sinkAborted', [id]).catch(() => undefined);
    if (reason) abort(unpackTftpError(reason));
  }

  canOpen(request: StorageRequest, operation: 'read' | 'write'): Promise<boolean> {
    return this.#request(request, (asked) => this.#main.call('canOpen', [asked, operation]));
  }

  /** Sends the request, and a notification if it is abandoned before its result comes. */
  async #request<T>(
    { signal, ...request }: StorageRequest,
    ask: (asked: RemoteRequest) => Promise<T>,
  ): Promise<T> {
    const id = (lastId += 1);
    const abandon = (): void => this.#main.notify('abandon', [id, packError(signal?.reason)]);
    signal?.addEventListener('abort', abandon);
    try {
      const asked = ask({ key: this.#key, id, request });
      if (signal?.aborted) abandon();
      return await asked;
    } finally {
      signal?.removeEventListener('abort', abandon);
    }
  }
}

/** A sink in the main thread. */
export class RemoteSink implements DataSink {
  readonly #main: Main;
  /** Identifies it in the main thread. */
  readonly id: number;

  constructor(main: Main, id: number) {
    this.#main = main;
    this.id = id;
  }

  write(chunk: Uint8Array): Promise<void> {
    // The memory is the caller's, who needs it again.
    const copy = new Uint8Array(chunk);
    return this.#main.call('write', [this.id, copy], [copy.buffer]);
  }

  commit(): Promise<void> {
    return this.#main.call('commit', [this.id]);
  }

  async discard(): Promise<void> {
    // If the main thread is gone, there is nothing left to discard.
    await this.#main.call('discard', [this.id]).catch(() => undefined);
  }
}

function sourceOf(main: Main, { id, size, content }: OpenedSource): DataSource {
  const source =
    content === undefined
      ? new RemoteSource(main, id, size)
      : 'bytes' in content
        ? bufferSource(content.bytes)
        : movedSource(content);
  return {
    size,
    read: (wanted) => source.read(wanted),
    async close() {
      await source.close();
      main.notify('closeSource', [id]);
    },
  };
}

/** Requests the next chunk while the last one is being sent. */
class RemoteSource implements DataSource {
  readonly size: number | undefined;
  readonly #main: Main;
  readonly #id: number;
  #next: Promise<Uint8Array | undefined>;

  constructor(main: Main, id: number, size: number | undefined) {
    this.#main = main;
    this.#id = id;
    this.size = size;
    this.#next = this.#request();
  }

  async read(): Promise<Uint8Array | undefined> {
    const chunk = await this.#next;
    if (chunk !== undefined) this.#next = this.#request();
    return chunk;
  }

  async close(): Promise<void> {}

  #request(): Promise<Uint8Array | undefined> {
    const chunk = this.#main.call('readSource', [this.#id]);
    // A failure is reported by the next `read`.
    chunk.catch(() => undefined);
    return chunk;
  }
}
