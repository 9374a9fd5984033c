/** The files that are being read, or were lately. */

import { disk } from './disk';
import { FILE_CLOCK, SETTLED_AFTER, type FileClock } from './file-clock';
import { ChunkMemory } from './file-chunks';
import { FileSource } from './file-source';
import { versionOf, type FileVersion } from './file-version';
import { LocalDisks } from './local-disks';
import { OpenFile } from './open-file';
import type { OpenedFile } from './opened-file';
import { SharedCall } from './shared-call';
import type { DataSource } from './storage';

/** Files that are open for the next reader, at most. */
const FILES_KEPT = 32;

/** For so long a path counts as checked, in milliseconds. */
const TRUSTED_FOR = 5000;

/** A path, and the file that it was found to lead to. */
interface Entry {
  readonly file: OpenFile;
  /** What is at the path now. */
  readonly version: SharedCall<FileVersion | undefined>;
  trustedUntil: number;
}

/**
 * Opens files so that many who read one at the same time cost little more than one: they share the
 * descriptor and the chunks that were read.
 *
 * For five seconds after a path was checked in full, opening it again costs one `stat` of it. If that
 * shows the very file (device and inode) with the size and the times of its last changes that it had,
 * nothing has been written, renamed or replaced, nor have its permissions changed. A link on the way
 * that was moved meanwhile leads to another inode, and the path is checked in full again.
 *
 * A file is not shared if that would not be sure: where inode numbers or the dates of changes cannot
 * be relied on (so this is for local disks on Linux), in the first two seconds after a change, and
 * without a size, as in /proc.
 *
 * Files that nobody reads are closed after five to ten seconds, without keeping the process alive.
 */
export class OpenFiles {
  readonly #clock: FileClock;
  readonly #memory = new ChunkMemory();
  readonly #disks = new LocalDisks();
  /** The path that was not asked for for longest comes first. */
  readonly #entries = new Map<string, Entry>();
  readonly #opening = new Map<string, Promise<unknown>>();
  #isWatching = false;

  constructor(clock = FILE_CLOCK) {
    this.#clock = clock;
  }

  /**
   * Opens the file at a path for one more reader. Who comes while it is being opened waits for that,
   * as it will most likely do for them too.
   *
   * @param path Absolute, as it was asked for: it may have symbolic links.
   * @param openChecked opens it after all checks; undefined if there is nothing.
   * @throws what `openChecked` throws.
   */
  async open(
    path: string,
    openChecked: () => Promise<OpenedFile | undefined>,
  ): Promise<DataSource | undefined> {
    const source = this.#isTrusted(path) ? await this.#reopen(path) : undefined;
    if (source !== undefined) return source;
    const opening = this.#opening.get(path);
    if (opening === undefined) return this.#openAnew(path, openChecked);
    await opening.catch(() => undefined);
    return (await this.#reopen(path)) ?? this.#openAnew(path, openChecked);
  }

  #isTrusted(path: string): boolean {
    return (this.#entries.get(path)?.trustedUntil ?? 0) > this.#clock.now();
  }

  /** The file that is open already, if it is surely what is at the path now. */
  async #reopen(path: string): Promise<DataSource | undefined> {
    const entry = this.#entries.get(path);
    if (entry === undefined || !this.#isTrusted(path)) return undefined;
    const version = await entry.version.result();
    if (this.#entries.get(path) !== entry) return undefined;
    if (version === undefined || !entry.file.is(version)) return this.#retire(path, entry);
    return this.#sourceOf(path, entry);
  }

  async #openAnew(
    path: string,
    openChecked: () => Promise<OpenedFile | undefined>,
  ): Promise<DataSource | undefined> {
    const opening = this.#openChecked(path, openChecked);
    if (this.#opening.has(path)) return opening;
    this.#opening.set(path, opening);
    try {
      return await opening;
    } finally {
      this.#opening.delete(path);
    }
  }

  async #openChecked(
    path: string,
    openChecked: () => Promise<OpenedFile | undefined>,
  ): Promise<DataSource | undefined> {
    const opened = await openChecked();
    if (opened === undefined) return undefined;
    const { version } = opened;
    const isSettled = hasSettled(version, this.#clock.date());
    if (!isSettled || !(await this.#disks.has(path, version.dev))) return new FileSource(opened);
    return this.#sourceOf(path, this.#keep(path, opened));
  }

  /** Keeps what was opened, unless this very file is open already. */
  #keep(path: string, opened: OpenedFile): Entry {
    const trustedUntil = this.#clock.now() + TRUSTED_FOR;
    const known = this.#entries.get(path);
    if (known?.file.is(opened.version)) {
      known.trustedUntil = trustedUntil;
      opened.handle.close().catch(() => undefined);
      return known;
    }
    if (known) this.#retire(path, known);
    const file = new OpenFile(opened, this.#memory);
    const version = new SharedCall(() => disk.stat(path).then(versionOf, () => undefined));
    return { file, version, trustedUntil };
  }

  #sourceOf(path: string, entry: Entry): DataSource {
    const source = entry.file.newSource();
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    for (const [oldest, old] of this.#entries) {
      if (this.#entries.size <= FILES_KEPT) break;
      this.#retire(oldest, old);
    }
    if (!this.#isWatching) this.#watch();
    return source;
  }

  /** Closes from time to time what has not been asked for of late, while anything is open. */
  #watch(): void {
    this.#isWatching = true;
    this.#clock.after(TRUSTED_FOR, () => {
      const now = this.#clock.now();
      for (const [path, entry] of this.#entries)
        if (entry.file.idle && entry.trustedUntil <= now) this.#retire(path, entry);
      this.#isWatching = false;
      if (this.#entries.size > 0) this.#watch();
    });
  }

  #retire(path: string, entry: Entry): undefined {
    this.#entries.delete(path);
    entry.file.retire();
  }
}

/** True for a file whose next change will be seen by its dates. */
function hasSettled({ size, mtimeNs, ctimeNs }: FileVersion, now: number): boolean {
  const changed = mtimeNs > ctimeNs ? mtimeNs : ctimeNs;
  return size > 0n && now - Number(changed / 1_000_000n) > SETTLED_AFTER;
}
