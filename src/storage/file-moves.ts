/** Giving a file another name so that nobody ever sees a part of it, on each system. */

import { constants } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { disk, type Disk } from './disk';
import { isMissing, systemCode } from './file-error';
import { lockPath, partPath } from './part-file';

/** What moves depend on, to be tried where it behaves otherwise. */
export interface FileMover {
  readonly disk: Pick<
    Disk,
    'copyFile' | 'entries' | 'link' | 'lstat' | 'open' | 'rename' | 'unlink'
  >;
  readonly platform: NodeJS.Platform;
  /** Waits, in milliseconds. */
  readonly wait: (milliseconds: number) => Promise<void>;
}

export const FILE_MOVER: FileMover = {
  disk,
  platform: process.platform,
  wait: (milliseconds) => wait(milliseconds),
};

/** A virus scanner or an index service lets a file go soon. In milliseconds. */
const PAUSES: readonly number[] = [10, 20, 50, 100, 200, 400];

/** Nobody holds a lock for longer than all of `PAUSES` together, so after so many of these it is left behind. */
const LOCK_PAUSE = 50;
const LOCK_TRIES = 60;

/**
 * Renames a file, also over another. Windows does not do that while somebody has the other one open;
 * then it is moved aside first, and is back if the new one cannot have its name.
 *
 * @throws what the system says.
 */
export async function replaceFile(from: string, to: string, mover: FileMover): Promise<void> {
  await patiently(mover, async () => {
    try {
      await mover.disk.rename(from, to);
    } catch (error) {
      if (!isHeld(error, mover) || !(await isFile(to, mover))) throw error;
      await replaceAside(from, to, mover);
    }
  });
}

async function replaceAside(from: string, to: string, mover: FileMover): Promise<void> {
  const aside = partPath(to);
  await mover.disk.rename(to, aside);
  try {
    await mover.disk.rename(from, to);
  } catch (error) {
    await patiently(mover, () => mover.disk.rename(aside, to));
    throw error;
  }
  // Whoever reads it has it until then; what cannot be deleted is removed as a leftover.
  await mover.disk.unlink(aside).catch(() => undefined);
}

/**
 * Renames a file, but never over another: a link is made under the new name, which fails if that is
 * taken, and the old name removed. Where the file system has no hard links (FAT, some network shares)
 * a lock keeps other servers out while the new name is looked for.
 *
 * @throws what the system says, EEXIST if the name is taken.
 */
export async function moveToFreeName(from: string, to: string, mover: FileMover): Promise<void> {
  try {
    await mover.disk.link(from, to);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
    return moveUnderLock(from, to, mover);
  }
  // The file has its name; a second one that stays behind is removed as a leftover.
  await mover.disk.unlink(from).catch(() => undefined);
}

/** Makes a second file of the same content, under a name that is free. */
export async function keepOld(from: string, to: string, mover: FileMover): Promise<void> {
  try {
    await mover.disk.link(from, to);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
    await copyToFreeName(from, to, mover);
  }
}

/** True if the action has found its name free. */
export async function succeedsUnlessTaken(action: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function copyToFreeName(from: string, to: string, mover: FileMover): Promise<void> {
  const copy = partPath(to);
  try {
    await mover.disk.copyFile(from, copy, constants.COPYFILE_EXCL);
    const handle = await mover.disk.open(copy, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await moveUnderLock(copy, to, mover);
  } catch (error) {
    await mover.disk.unlink(copy).catch(() => undefined);
    throw error;
  }
}

async function moveUnderLock(from: string, to: string, mover: FileMover): Promise<void> {
  const lock = lockPath(to);
  await createLock(lock, mover);
  try {
    if (await exists(to, mover)) throw Object.assign(new Error(`${to} exists`), { code: 'EEXIST' });
    await patiently(mover, () => mover.disk.rename(from, to));
  } finally {
    await mover.disk.unlink(lock).catch(() => undefined);
  }
}

async function createLock(lock: string, mover: FileMover): Promise<void> {
  let owner: bigint | undefined;
  for (let tries = 0; ; tries++) {
    try {
      const handle = await mover.disk.open(lock, 'wx');
      return await handle.close();
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const made = await mover.disk.lstat(lock).then(
      ({ mtimeNs }) => mtimeNs,
      () => undefined,
    );
    if (made !== owner) tries = 0;
    owner = made;
    if (tries >= LOCK_TRIES) await mover.disk.unlink(lock).catch(() => undefined);
    await mover.wait(LOCK_PAUSE);
  }
}

/** Tries again for a second while somebody holds a file on Windows. */
async function patiently(mover: FileMover, action: () => Promise<void>): Promise<void> {
  for (const pause of PAUSES) {
    try {
      return await action();
    } catch (error) {
      if (!isHeld(error, mover)) throw error;
    }
    await mover.wait(pause);
  }
  return action();
}

/** What Windows says of a file that somebody has open. Elsewhere these are permissions. */
function isHeld(error: unknown, { platform }: FileMover): boolean {
  return platform === 'win32' && ['EPERM', 'EACCES', 'EBUSY'].includes(systemCode(error) ?? '');
}

async function isFile(file: string, mover: FileMover): Promise<boolean> {
  return mover.disk.lstat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

async function exists(file: string, mover: FileMover): Promise<boolean> {
  try {
    await mover.disk.lstat(file);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
