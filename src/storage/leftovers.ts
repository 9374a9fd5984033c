/** Temporary files of uploads that a crash or a power cut has ended. */

import type { Dirent } from 'node:fs';
import { lstat, opendir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { isLeftover, isPartName } from './part-file';

/** Bounds of the search: a root may be a whole disk by mistake. */
const MAX_DEPTH = 16;
const MAX_ENTRIES = 100_000;

/**
 * Removes what is left of interrupted uploads in a folder and its sub-folders. Symbolic links are
 * not followed; what cannot be read or removed is skipped.
 *
 * @returns How many files were removed.
 */
export async function removeLeftovers(root: string): Promise<number> {
  let removed = 0;
  for await (const file of partsBelow(root)) if (await removeIfLeft(file)) removed++;
  return removed;
}

async function* partsBelow(root: string): AsyncGenerator<string> {
  let budget = MAX_ENTRIES;
  const folders = [{ folder: root, depth: 0 }];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for await (const entry of entriesOf(next.folder)) {
      if (budget-- === 0) return;
      const file = path.join(next.folder, entry.name);
      if (entry.isFile() && isPartName(entry.name)) yield file;
      if (entry.isDirectory() && next.depth < MAX_DEPTH) {
        folders.push({ folder: file, depth: next.depth + 1 });
      }
    }
  }
}

async function* entriesOf(folder: string): AsyncGenerator<Dirent> {
  try {
    yield* await opendir(folder);
  } catch {
    // The folder has gone or may not be read: its uploads, if any, stay.
  }
}

async function removeIfLeft(file: string): Promise<boolean> {
  try {
    if (!isLeftover(file, await lstat(file), Date.now())) return false;
    await unlink(file);
    return true;
  } catch {
    return false;
  }
}
