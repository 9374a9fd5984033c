/** Whether a file is still what it was when it was opened. */

import type { BigIntStats } from 'node:fs';
import { disk } from './disk';

/** What tells one version of a file from another. Plain values, so that another thread can compare them. */
export interface FileVersion {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  /** When the content was written last, in nanoseconds since 1970. */
  readonly mtimeNs: bigint;
  /** When anything about the file was changed last. */
  readonly ctimeNs: bigint;
  readonly nlink: bigint;
  readonly mode: bigint;
  readonly uid: bigint;
  readonly gid: bigint;
}

/** The version that `stat` tells. */
export function versionOf(stats: BigIntStats): FileVersion {
  const { dev, ino, size, mtimeNs, ctimeNs, nlink, mode, uid, gid } = stats;
  return { dev, ino, size, mtimeNs, ctimeNs, nlink, mode, uid, gid };
}

/** True if this is the same file, and nobody has changed anything about it in between. */
export function isUntouched(was: FileVersion, now: FileVersion): boolean {
  return isSameFile(was, now) && isSameContent(was, now) && was.ctimeNs === now.ctimeNs;
}

/**
 * Whether an open file still has the content that it was opened with: no write changed its size, or
 * the time of the last write. A file that was renamed, replaced by a rename, linked, unlinked or
 * given other permissions has its content still.
 *
 * A write whose time was set back afterwards shows in `ctime` alone. So does a rename, but then the
 * path leads to another file; anything else that leaves only this trace counts as a write (`chmod` to
 * the permissions that it had, a new extended attribute).
 *
 * What remains: a write of the same size within the same tick of the file system's clock as the
 * opening (Linux since 6.13: none; before, up to 10 ms; FAT: 2 s); a time that is set back on
 * Windows, where others touch `ctime`; and a network share that learns of a write only later.
 *
 * @param realPath where the file was when it was opened.
 */
export async function hasSameContent(
  was: FileVersion,
  now: FileVersion,
  realPath: string,
): Promise<boolean> {
  // A file without a size may be made up as it is read, as in /proc: its times say nothing.
  if (was.size === 0n) return now.size === 0n;
  if (!isSameContent(was, now)) return false;
  if (was.ctimeNs === now.ctimeNs || process.platform === 'win32') return true;
  if (!isSameInode(was, now)) return true;
  const there = await disk.stat(realPath).catch(() => undefined);
  return there === undefined || !isSameFile(was, there);
}

function isSameFile(one: FileVersion, other: Pick<FileVersion, 'dev' | 'ino'>): boolean {
  return one.ino === other.ino && one.dev === other.dev;
}

function isSameContent(one: FileVersion, other: FileVersion): boolean {
  return one.size === other.size && one.mtimeNs === other.mtimeNs;
}

/** What changes `ctime` and is no write shows here. */
function isSameInode(one: FileVersion, other: FileVersion): boolean {
  return (
    one.nlink === other.nlink &&
    one.mode === other.mode &&
    one.uid === other.uid &&
    one.gid === other.gid
  );
}
