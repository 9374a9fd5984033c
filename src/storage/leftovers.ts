/** Temporary files of uploads that a crash, a kill or a power cut has ended. */

import path from 'node:path';
import { disk } from './disk';
import { FILE_CLOCK } from './file-clock';
import { ABANDONED_AFTER, isLivePart, isPartName, partPath, writerOf } from './part-file';
import { isGone } from './part-writer';

/** Bounds of the search: a root may be a whole disk by mistake. */
const MAX_DEPTH = 16;
const MAX_ENTRIES = 100_000;

/** A file that is not abandoned yet is looked at again after this, in milliseconds. */
const AGAIN_AFTER = ABANDONED_AFTER + 60_000;

/**
 * Removes what is left of interrupted uploads in a folder and its sub-folders: temporary files whose
 * process is surely gone, and those that nobody has touched for ten minutes, by the clock of the disk
 * they lie on. In another container or on another machine a process cannot be seen, so its files have
 * to be that old. Symbolic links are not followed; what cannot be read or removed is skipped.
 */
export class Leftovers {
  readonly #root: string;
  readonly #clock: typeof FILE_CLOCK;
  #running: Promise<number> | undefined;
  #ranAt = -Infinity;
  #isWaiting = false;

  constructor(root: string, clock = FILE_CLOCK) {
    this.#root = root;
    this.#clock = clock;
  }

  /**
   * Removes what is abandoned now, and has another look eleven minutes later if there are files of
   * which that is not sure yet. Never rejects.
   *
   * @returns How many files were removed.
   */
  remove(): Promise<number> {
    this.#running ??= this.#remove().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** The same, if the last time was ten minutes ago. To be called with each upload. */
  removeIfDue(): void {
    if (this.#clock.now() - this.#ranAt >= ABANDONED_AFTER) void this.remove();
  }

  async #remove(): Promise<number> {
    this.#ranAt = this.#clock.now();
    let removed = 0;
    let kept = false;
    for await (const file of partsBelow(this.#root)) {
      if (isLivePart(file)) continue;
      if (await this.#removeIfAbandoned(file)) removed++;
      else kept = true;
    }
    if (kept) this.#removeLater();
    return removed;
  }

  #removeLater(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#clock.after(AGAIN_AFTER, () => {
      this.#isWaiting = false;
      void this.remove();
    });
  }

  async #removeIfAbandoned(file: string): Promise<boolean> {
    try {
      const writer = writerOf(path.basename(file));
      const isAbandoned = (writer && isGone(writer)) || (await this.#isOld(file));
      if (isAbandoned) await disk.unlink(file);
      return isAbandoned;
    } catch {
      return false;
    }
  }

  async #isOld(file: string): Promise<boolean> {
    const { mtimeMs } = await disk.lstat(file);
    if (mtimeMs > this.#clock.date() - ABANDONED_AFTER) return false;
    // On a network share another clock may have dated the file.
    return mtimeMs <= (await dateOn(file)) - BigInt(ABANDONED_AFTER);
  }
}

/** The time on the disk of a file, in milliseconds since 1970, as it dates what is written now. */
async function dateOn(file: string): Promise<bigint> {
  const probe = partPath(file);
  const handle = await disk.open(probe, 'wx');
  try {
    return (await handle.stat({ bigint: true })).mtimeMs;
  } finally {
    await handle.close().catch(() => undefined);
    await disk.unlink(probe).catch(() => undefined);
  }
}

async function* partsBelow(root: string): AsyncGenerator<string> {
  let budget = MAX_ENTRIES;
  const folders = [{ folder: root, depth: 0 }];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    // A folder that has gone or may not be read keeps its uploads, if there are any.
    const entries = await disk.entries(next.folder, budget).catch(() => []);
    budget -= entries.length;
    for (const { name, kind } of entries) {
      const file = path.join(next.folder, name);
      if (kind === 'file' && isPartName(name)) yield file;
      if (kind === 'folder' && next.depth < MAX_DEPTH) {
        folders.push({ folder: file, depth: next.depth + 1 });
      }
    }
    if (budget === 0) return;
  }
}
