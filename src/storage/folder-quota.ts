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
  /** What running uploads hold: what they announced or what came, whichever is more. */
  #held = 0;
  /** Where running uploads have their content: counted in `#held`. */
  readonly #parts = new Set<string>();
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

  /** @throws {FileError} ENOSPC if `size` more bytes do not fit. */
  async check(size: number): Promise<void> {
    if (this.#countedAt === -Infinity) await this.#count();
    if (this.#fits(size)) return;
    if (this.#now() - this.#countedAt > RECOUNT_AFTER) await this.#count();
    if (!this.#fits(size)) throw new FileError('full');
  }

  /**
   * Guards a sink: it holds `size` bytes from now on, and takes no more than fit.
   *
   * @param replaced tells how many bytes its `commit` will free.
   * @throws {FileError} ENOSPC if `size` bytes do not fit; the sink is as it was then.
   */
  guard(sink: PartSink, size: number, replaced: () => Promise<number>): StoredSink {
    if (!this.#fits(size)) throw new FileError('full');
    return new GuardedSink(sink, replaced, this.#hold(size, sink.partPath));
  }

  #hold(size: number, part: string): Holding {
    let taken = 0;
    let held = size;
    this.#parts.add(part);
    this.#held += size;
    return {
      take: (bytes) => {
        taken += bytes;
        const more = Math.max(0, taken - held);
        if (!this.#fits(more)) throw new FileError('full');
        held += more;
        this.#held += more;
      },
      end: (freed) => {
        this.#held -= held;
        held = 0;
        this.#parts.delete(part);
        if (freed !== undefined) this.#add(taken - freed);
      },
    };
  }

  #fits(size: number): boolean {
    return this.#stored + this.#held + size <= this.#limit;
  }

  #add(bytes: number): void {
    this.#stored = Math.max(0, this.#stored + bytes);
    if (this.#counting !== undefined) this.#meanwhile += bytes;
  }

  #count(): Promise<void> {
    this.#counting ??= this.#countAll().finally(() => (this.#counting = undefined));
    return this.#counting;
  }

  async #countAll(): Promise<void> {
    this.#meanwhile = 0;
    const found = await bytesIn(this.#folder, (file) => !this.#parts.has(file));
    this.#stored = Math.max(0, found + this.#meanwhile);
    this.#countedAt = this.#now();
  }
}

/** The share of one upload. */
interface Holding {
  /** @throws {FileError} ENOSPC */
  take(bytes: number): void;
  /** @param freed bytes that the finished file has replaced; undefined if there is no file. */
  end(freed: number | undefined): void;
}

class GuardedSink implements StoredSink {
  readonly #sink: StoredSink;
  readonly #replaced: () => Promise<number>;
  readonly #holding: Holding;

  constructor(sink: StoredSink, replaced: () => Promise<number>, holding: Holding) {
    this.#sink = sink;
    this.#replaced = replaced;
    this.#holding = holding;
  }

  get path(): string {
    return this.#sink.path;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#holding.take(chunk.length);
    await this.#sink.write(chunk);
  }

  /** If it rejects, nothing is left of the file. */
  async commit(): Promise<void> {
    try {
      const freed = await this.#replaced();
      await this.#sink.commit();
      this.#holding.end(freed);
    } catch (error) {
      this.#holding.end(undefined);
      throw error;
    }
  }

  async discard(): Promise<void> {
    await this.#sink.discard();
    this.#holding.end(undefined);
  }
}

/** The bytes of the regular files in a folder and below that count. Links are not followed; what cannot be read does not count. */
async function bytesIn(root: string, counts: (file: string) => boolean): Promise<number> {
  let bytes = 0;
  const folders = [root];
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
