/** What happens when a file is written whose name is taken, and how a finished file gets its name. */

import { constants } from 'node:fs';
import { copyFile, link, open, readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from './file-error';

/**
 * What happens if the name is taken.
 * - `refuse`: the transfer is refused.
 * - `replace`: the new file takes the place of the old one, and has its permissions.
 * - `version`: the same, and the old file is kept as `name.1`, the next one as `name.2`, and so on:
 *   the highest number is the youngest of the old files.
 * - `timestamp`: every file is stored under a name of its own, with the UTC time of its end before
 *   the extension: `config.20261122T145900Z.txt`, and `config.20261122T145900Z-2.txt` for the
 *   second one within that second.
 * - `existing`: as `replace`, but only for names that are taken already.
 */
export type OverwritePolicy = 'refuse' | 'replace' | 'version' | 'timestamp' | 'existing';

export const OVERWRITE_POLICIES: readonly OverwritePolicy[] = [
  'refuse',
  'replace',
  'version',
  'timestamp',
  'existing',
];

/** True if a file of that name is no reason to refuse another, nor is one that is being written. */
export function sharesNames(policy: OverwritePolicy): boolean {
  return policy === 'version' || policy === 'timestamp';
}

/** True if an existing file gives way to the new one. */
export function replaces(policy: OverwritePolicy): boolean {
  return policy === 'replace' || policy === 'existing' || policy === 'version';
}

/**
 * Gives a finished temporary file its name.
 *
 * @returns The path that it has now.
 * @throws A system error, EEXIST if the name is taken and the policy is `refuse`.
 */
export async function publish(
  part: string,
  target: string,
  policy: OverwritePolicy,
): Promise<string> {
  if (policy === 'timestamp') {
    return moveToFirstFree(part, (count) => stampedName(target, new Date(), count));
  }
  await MOVES[policy](part, target);
  return target;
}

type Move = (part: string, target: string) => Promise<void>;

const MOVES: Readonly<Record<Exclude<OverwritePolicy, 'timestamp'>, Move>> = {
  refuse: (part, target) => moveToFreeName(part, target),
  replace: rename,
  existing: rename,
  version: (part, target) => inTurn(target, () => keepVersion(part, target)),
};

/**
 * Renames a file, but never over another: a link is made under the new name, which fails if that is
 * taken, and the old name removed. Where the file system has no hard links (FAT, some network
 * shares) an empty file claims the new name first.
 *
 * @param makeLink For tests: how a hard link is made.
 */
export async function moveToFreeName(
  from: string,
  to: string,
  makeLink: typeof link = link,
): Promise<void> {
  try {
    await makeLink(from, to);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
    return moveOverPlaceholder(from, to);
  }
  // The file has its name; a second one that stays behind is removed at the next start.
  await unlink(from).catch(() => undefined);
}

async function moveOverPlaceholder(from: string, to: string): Promise<void> {
  const placeholder = await open(to, 'wx');
  await placeholder.close();
  try {
    await rename(from, to);
  } catch (error) {
    await unlink(to).catch(() => undefined);
    throw error;
  }
}

async function moveToFirstFree(part: string, name: (count: number) => string): Promise<string> {
  for (let count = 1; ; count++) {
    const target = name(count);
    if (await succeedsUnlessTaken(() => moveToFreeName(part, target))) return target;
  }
}

/** At every moment of this the name stands for the old file or the new one. */
async function keepVersion(part: string, target: string): Promise<void> {
  if (await succeedsUnlessTaken(() => moveToFreeName(part, target))) return;
  let version = await lastVersion(target);
  do version++;
  while (!(await succeedsUnlessTaken(() => duplicate(target, `${target}.${version}`))));
  await rename(part, target);
}

async function lastVersion(target: string): Promise<number> {
  const prefix = `${path.basename(target)}.`;
  const versions = (await readdir(path.dirname(target)))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((rest) => /^[1-9]\d{0,8}$/.test(rest));
  return versions.reduce((highest, version) => Math.max(highest, Number(version)), 0);
}

async function duplicate(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

async function succeedsUnlessTaken(action: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function stampedName(target: string, now: Date, count: number): string {
  const { dir, name, ext } = path.parse(target);
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
  return path.join(dir, `${name}.${stamp}${count === 1 ? '' : `-${count}`}${ext}`);
}

const turns = new Map<string, Promise<void>>();

/** Two uploads that end at once would else keep the same old file twice, and lose one of the new. */
async function inTurn(name: string, action: () => Promise<void>): Promise<void> {
  const turn = (turns.get(name) ?? Promise.resolve()).then(action, action);
  turns.set(name, turn);
  try {
    await turn;
  } finally {
    if (turns.get(name) === turn) turns.delete(name);
  }
}
