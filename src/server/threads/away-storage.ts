/** A storage in the main thread, as it is seen from another one. */

import { bufferSource } from '../../storage/data-source';
import { movedSource } from '../../storage/file-source';
import type {
  DataSink,
  DataSource,
  Storage,
  StorageRequest,
  StorageWriteRequest,
} from '../../storage/storage';
import type { TftpError } from '../../protocol/errors';
import type { Line } from './line';
import type { HomeCalls, HomeRequest, HomeSource } from './messages';
import { packError, unpackTftpError } from './packed-error';

type HomeLine = Line<HomeCalls>;

let lastId = 0;

/** Asks the main thread for everything. */
export class AwayStorage implements Storage {
  readonly #line: HomeLine;
  readonly #key: number;

  /** @param key what the main thread knows the storage by. */
  constructor(line: HomeLine, key: number) {
    this.#line = line;
    this.#key = key;
  }

  async openForReading(request: StorageRequest): Promise<DataSource> {
    const opened = await this.#asking(request, (asked) => this.#line.ask('openSource', [asked]));
    return sourceOf(this.#line, opened);
  }

  async openForWriting({ size, abort, ...request }: StorageWriteRequest): Promise<DataSink> {
    const id = await this.#asking(request, (asked) =>
      this.#line.ask('openSink', [{ ...asked, request: { ...asked.request, size } }]),
    );
    if (abort) void this.#pass(id, abort);
    return new AwaySink(this.#line, id);
  }

  /** Passes on that the storage ends the transfer. */
  async #pass(id: number, abort: (reason: TftpError) => void): Promise<void> {
    const reason = await this.#line.ask('sinkAborted', [id]).catch(() => undefined);
    if (reason) abort(unpackTftpError(reason));
  }

  canOpen(request: StorageRequest, operation: 'read' | 'write'): Promise<boolean> {
    return this.#asking(request, (asked) => this.#line.ask('canOpen', [asked, operation]));
  }

  /** The request goes on its way, and word follows when nobody waits for it any more. */
  async #asking<T>(
    { signal, ...request }: StorageRequest,
    ask: (asked: HomeRequest) => Promise<T>,
  ): Promise<T> {
    const id = (lastId += 1);
    const abandon = (): void => this.#line.tell('abandon', [id, packError(signal?.reason)]);
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
export class AwaySink implements DataSink {
  readonly #line: HomeLine;
  /** What the main thread knows it by. */
  readonly id: number;

  constructor(line: HomeLine, id: number) {
    this.#line = line;
    this.id = id;
  }

  write(chunk: Uint8Array): Promise<void> {
    // The memory is the caller's, who needs it again.
    const copy = new Uint8Array(chunk);
    return this.#line.ask('write', [this.id, copy], [copy.buffer]);
  }

  commit(): Promise<void> {
    return this.#line.ask('commit', [this.id]);
  }

  async discard(): Promise<void> {
    // Where the main thread is gone, there is nothing left to discard.
    await this.#line.ask('discard', [this.id]).catch(() => undefined);
  }
}

function sourceOf(line: HomeLine, { id, size, content }: HomeSource): DataSource {
  const source =
    content === undefined
      ? new AwaySource(line, id, size)
      : 'bytes' in content
        ? bufferSource(content.bytes)
        : movedSource(content);
  return {
    size,
    read: (wanted) => source.read(wanted),
    async close() {
      await source.close();
      line.tell('closeSource', [id]);
    },
  };
}

/** Asks for the next chunk while the last one is being sent. */
class AwaySource implements DataSource {
  readonly size: number | undefined;
  readonly #line: HomeLine;
  readonly #id: number;
  #next: Promise<Uint8Array | undefined>;

  constructor(line: HomeLine, id: number, size: number | undefined) {
    this.#line = line;
    this.#id = id;
    this.size = size;
    this.#next = this.#ask();
  }

  async read(): Promise<Uint8Array | undefined> {
    const chunk = await this.#next;
    if (chunk !== undefined) this.#next = this.#ask();
    return chunk;
  }

  async close(): Promise<void> {}

  #ask(): Promise<Uint8Array | undefined> {
    const asked = this.#line.ask('readSource', [this.#id]);
    // A failure is told when it is read.
    asked.catch(() => undefined);
    return asked;
  }
}
