/** Opening a file for reading: only regular files, and none that was swapped in meanwhile. */

import { constants, type BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { disk } from './disk';
import { FileError } from './file-error';
import { versionOf, type FileVersion } from './file-version';

/** A FIFO must not block, and a link that came after the check must not be followed. Windows has neither flag, and `|` makes 0 of it. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/** A regular file that is open for reading. */
export interface OpenedFile {
  readonly handle: FileHandle;
  /** What it was when it was opened. */
  readonly version: FileVersion;
  /** Where it was then, without symbolic links. */
  readonly realPath: string;
}

/**
 * Opens the file at a path without symbolic links.
 *
 * @param userPath The path for error messages; none if they are for a remote client.
 * @throws {FileError} if it is no regular file; else what the system says.
 */
export async function openRegularFile(realPath: string, userPath?: string): Promise<OpenedFile> {
  const seen = await disk.lstat(realPath);
  if (!seen.isFile()) throw new FileError('irregular', userPath);
  const handle = await disk.open(realPath, READ_FLAGS);
  try {
    const stats = await handle.stat({ bigint: true });
    if (!isSameFile(seen, stats)) throw new FileError('irregular', userPath);
    return { handle, version: versionOf(stats), realPath };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Windows has no reliable inode numbers, nor FIFOs to be swapped in. */
function isSameFile(seen: BigIntStats, opened: BigIntStats): boolean {
  if (!opened.isFile()) return false;
  return process.platform === 'win32' || (seen.ino === opened.ino && seen.dev === opened.dev);
}
