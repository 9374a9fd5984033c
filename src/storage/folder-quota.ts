/** How much may lie in a folder, all of its files together. */

import path from 'node:path';
import { disk } from './disk';
import { FileError } from './file-error';
import type { DataSink } from './storage';

/** Milliseconds after which a folder that seems full is looked at again: somebody may have tidied up. */
const RECOUNT_AFTER = 5000;

/** A sink that knows where its file is after `commit`. */
export interface StoredSink extends DataSink {
  /** The whole path of the file. */
  readonly path: string;
}

/** A sink that has its content in a temporary file until `commit`. */
interface PartSink extends StoredSink {
  /** The whole path of that file. */
  readonly partPath: string;
}

/**
 * Keeps count of the bytes in a folder. They are counted once; afterwards only what is uploaded is
 * added, until an upload does not fit: then they are counted anew.
 */
export class FolderQuota {
  readonly #folder: string;
  readonly #limit: number;
  readonly #now: () => number;
  #stored = 0;
  /** The running uploads, by what they are to become: one that begins anew takes the room of its first try. */
  readonly #uploads = new Map<string, Set<Holding>>();
  #counting: Promise<void> | undefined;
  #countedAt = -Infinity;
  /** Committed while the bytes are being counted. */
  #meanwhile = 0;

  /**
   * @param limit bytes.
   * @param now tells milliseconds.
   */
  constructor(folder: string, limit: number, now = (): number => performance.now()) {
    this.#folder = folder;
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * @param upload the same text for all tries of one client to write one file.
   * @throws {FileError} ENOSPC if it does not fit with `size` bytes.
   */
  async check(upload: string, size: number): Promise<void> {
    if (this.#countedAt === -Infinity) await this.#count();
    if (this.#fits(upload, size)) return;
    if (this.#now() - this.#countedAt > RECOUNT_AFTER) await this.#count();
    if (!this.#fits(upload, size)) throw new FileError('full');
  }

  /**
   * Guards a sink: it holds `size` bytes from now on, and takes no more than fit.
   *
   * @param upload as in `check`.
   * @param replaced tells how many bytes its `commit` will free.
   * @throws {FileError} ENOSPC if `size` bytes do not fit; the sink is as it was then.
   */
  guard(upload: string, sink: PartSink, size: number, replaced: () => Promise<number>): StoredSink {
    if (!this.#fits(upload, size)) throw new FileError('full');
    return new GuardedSink(sink, replaced, this.#hold(upload, sink.partPath, size));
  }

  #hold(upload: string, part: string, size: number): Share {
    const holding = { part, bytes: size };
    const tries = this.#uploads.get(upload) ?? new Set();
    this.#uploads.set(upload, tries.add(holding));
    let taken = 0;
    return {
      take: (bytes) => {
        taken += bytes;
        const held = Math.max(holding.bytes, taken);
        if (!this.#fits(upload, held)) throw new FileError('full');
        holding.bytes = held;
      },
      end: (freed) => {
        tries.delete(holding);
        if (tries.size === 0) this.#uploads.delete(upload);
        if (freed !== undefined) this.#add(taken - freed);
      },
    };
  }

  /** True if there is room for an upload of `size` bytes beside all others. */
  #fits(upload: string, size: number): boolean {
    let bytes = this.#stored + size;
    for (const [name, tries] of this.#uploads) {
      const most = Math.max(...[...tries].map((holding) => holding.bytes));
      bytes += name === upload ? Math.max(0, most - size) : most;
    }
    return bytes <= this.#limit;
  }

  #add(bytes: number): void {
    this.#stored = Math.max(0, this.#stored + bytes);
    if (this.#counting !== undefined) this.#meanwhile += bytes;
  }

  #count(): Promise<void> {
    this.#counting ??= this.#countAll().finally(() => (this.#counting = undefined));
    return this.#counting;
  }

  #isHeld(file: string): boolean {
    const holdings = [...this.#uploads.values()].flatMap((tries) => [...tries]);
    return holdings.some(({ part }) => part === file);
  }

  async #countAll(): Promise<void> {
    this.#meanwhile = 0;
    const found = await bytesIn(this.#folder, (file) => !this.#isHeld(file));
    this.#stored = Math.max(0, found + this.#meanwhile);
    this.#countedAt = this.#now();
  }
}

/** What a try to write a file holds: what it announced or what came, whichever is more. */
interface Holding {
  /** Where its content is: what it has there counts once. */
  readonly part: string;
  bytes: number;
}

/** The share of one try. */
interface Share {
  /** @throws {FileError} ENOSPC */
  take(bytes: number): void;
  /** @param freed bytes that the finished file has replaced; undefined if there is no file. */
  end(freed: number | undefined): void;
}

class GuardedSink implements StoredSink {
  readonly #sink: StoredSink;
  readonly #replaced: () => Promise<number>;
  readonly #share: Share;

  constructor(sink: StoredSink, replaced: () => Promise<number>, share: Share) {
    this.#sink = sink;
    this.#replaced = replaced;
    this.#share = share;
  }

  get path(): string {
    return this.#sink.path;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#share.take(chunk.length);
    await this.#sink.write(chunk);
  }

  /** If it rejects, nothing is left of the file. */
  async commit(): Promise<void> {
    try {
      const freed = await this.#replaced();
      await this.#sink.commit();
      this.#share.end(freed);
    } catch (error) {
      this.#share.end(undefined);
      throw error;
    }
  }

  async discard(): Promise<void> {
    await this.#sink.discard();
    this.#share.end(undefined);
  }
}

/** The bytes of the regular files in a folder and below that count. Links are not followed; what cannot be read does not count. */
async function bytesIn(root: string, counts: (file: string) => boolean): Promise<number> {
  let bytes = 0;
  // What is held is known by real paths.
  const folders = [await disk.realpath(root).catch(() => root)];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const { name, kind } of await disk.entries(folder).catch(() => [])) {
      const file = path.join(folder, name);
      if (kind === 'folder') folders.push(file);
      else if (kind === 'file' && counts(file)) bytes += await sizeIfAny(file);
    }
  }
  return bytes;
}

/** 0 if there is no such file. */
export async function sizeIfAny(file: string): Promise<number> {
  return disk.lstat(file).then(
    ({ size }) => Number(size),
    () => 0,
  );
}
