/** Finding names whose upper and lower case differ from what was asked for. */

import type { BigIntStats } from 'node:fs';
import { disk, type FolderEntry } from './disk';
import { FILE_CLOCK, SETTLED_AFTER, type FileClock } from './file-clock';
import { isMissing } from './file-error';
import { isUntouched, versionOf, type FileVersion } from './file-version';

/** Names that are kept, of all folders together; some 150 bytes each. */
const NAMES_KEPT = 300_000;
/** Folders whose names are kept. */
const FOLDERS_KEPT = 1000;

/** Not every network share dates its folders. In milliseconds. */
const TRUSTED_FOR = 60_000;
/** A folder that is read faster is read after each change, in milliseconds. */
const QUICK = 50;
/** One that takes longer is read in one tenth of the time, and not later than so many milliseconds. */
const READING_SHARE = 10;
const LATEST = 3000;

/** The names in a folder, when it was read. */
interface Listing {
  readonly folder: FileVersion;
  /** By what they are in lower case; undefined if there are too many. */
  readonly names: ReadonlyMap<string, string> | undefined;
  /** No change before the reading can have gone unseen. */
  readonly isSettled: boolean;
  readonly readAt: number;
  /** How long the reading took, in milliseconds. */
  readonly took: number;
}

/**
 * Tells how a name is spelled in a folder. What a folder holds is kept until the folder changes; who
 * asks while it is being read waits for that. A large folder that has just changed is not read all the
 * time: a new name may take three seconds to be found.
 *
 * A folder with more names than can be kept is searched for exact names only.
 */
export class CaseLookup {
  readonly #clock: FileClock;
  readonly #limit: number;
  /** The folder that was not asked for for longest comes first. */
  readonly #listings = new Map<string, Listing>();
  readonly #reading = new Map<string, Promise<Listing | undefined>>();
  #kept = 0;

  /** @param limit names that are kept. */
  constructor(limit = NAMES_KEPT, clock = FILE_CLOCK) {
    this.#limit = limit;
    this.#clock = clock;
  }

  /**
   * The name in a folder that differs in nothing but case: the first of them in the order of their
   * characters. Undefined if there is none, or `folder` is no folder.
   */
  async spelling(folder: string, name: string): Promise<string | undefined> {
    const listing = await this.#listingOf(folder);
    return listing?.names?.get(name.toLowerCase());
  }

  async #listingOf(folder: string): Promise<Listing | undefined> {
    const reading = this.#reading.get(folder);
    if (reading !== undefined) return reading;
    const now = this.#look(folder);
    this.#reading.set(folder, now);
    try {
      return await now;
    } finally {
      this.#reading.delete(folder);
    }
  }

  async #look(folder: string): Promise<Listing | undefined> {
    const stats = await ifAny(disk.stat(folder));
    const known = this.#listings.get(folder);
    if (known !== undefined && stats !== undefined && this.#holds(known, stats)) {
      this.#listings.delete(folder);
      this.#listings.set(folder, known);
      return known;
    }
    this.#forget(folder);
    const listing = stats?.isDirectory() ? await this.#read(folder, versionOf(stats)) : undefined;
    if (listing !== undefined) this.#keep(folder, listing);
    return listing;
  }

  #holds(listing: Listing, stats: BigIntStats): boolean {
    const age = this.#clock.now() - listing.readAt;
    const { took } = listing;
    if (took > QUICK && age < Math.min(READING_SHARE * took, LATEST)) return true;
    return listing.isSettled && age < TRUSTED_FOR && isUntouched(listing.folder, versionOf(stats));
  }

  async #read(path: string, folder: FileVersion): Promise<Listing | undefined> {
    const began = this.#clock.now();
    const changed = folder.mtimeNs > folder.ctimeNs ? folder.mtimeNs : folder.ctimeNs;
    const isSettled = this.#clock.date() - Number(changed / 1_000_000n) > SETTLED_AFTER;
    const entries = await ifAny(disk.entries(path, this.#limit + 1));
    if (entries === undefined) return undefined;
    const readAt = this.#clock.now();
    const byCase = entries.length > this.#limit ? undefined : foldedNames(entries);
    return { folder, names: byCase, isSettled, readAt, took: readAt - began };
  }

  #keep(folder: string, listing: Listing): void {
    this.#listings.set(folder, listing);
    this.#kept += listing.names?.size ?? 0;
    for (const oldest of this.#listings.keys()) {
      if (this.#kept <= this.#limit && this.#listings.size <= FOLDERS_KEPT) return;
      this.#forget(oldest);
    }
  }

  #forget(folder: string): void {
    this.#kept -= this.#listings.get(folder)?.names?.size ?? 0;
    this.#listings.delete(folder);
  }
}

function foldedNames(entries: readonly FolderEntry[]): Map<string, string> {
  const folded = new Map<string, string>();
  for (const { name } of entries) {
    const lower = name.toLowerCase();
    const alike = folded.get(lower);
    if (alike === undefined || name < alike) folded.set(lower, name);
  }
  return folded;
}

/** Undefined if there is no such folder: a part in the middle of a name may be a file, or go meanwhile. */
async function ifAny<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
