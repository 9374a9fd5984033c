/** What happens when a file is written whose name is taken, and how a finished file gets its name. */

import path from 'node:path';
import { keepOld, moveToFreeName, replaceFile, succeedsUnlessTaken } from './file-moves';
import { FILE_MOVER, type FileMover } from './file-moves';
import { nameKey } from './upload-claims';

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
 * Gives a finished temporary file its name. Whatever happens on the way, under that name there is a
 * whole file or none.
 *
 * @returns The path that it has now.
 * @throws A system error, EEXIST if the name is taken and the policy is `refuse`.
 */
export async function publish(
  part: string,
  target: string,
  policy: OverwritePolicy,
  mover: FileMover = FILE_MOVER,
): Promise<string> {
  switch (policy) {
    case 'timestamp':
      return moveToFirstFree(part, (count) => stampedName(target, new Date(), count), mover);
    case 'refuse':
      await moveToFreeName(part, target, mover);
      return target;
    case 'version':
      await inTurn(nameKey(target), () => keepVersion(part, target, mover));
      return target;
    case 'replace':
    case 'existing':
      await replaceFile(part, target, mover);
      return target;
  }
}

async function moveToFirstFree(
  part: string,
  name: (count: number) => string,
  mover: FileMover,
): Promise<string> {
  for (let count = 1; ; count++) {
    const target = name(count);
    if (await succeedsUnlessTaken(() => moveToFreeName(part, target, mover))) return target;
  }
}

/** The old file stays what it was until the new one has its name. */
async function keepVersion(part: string, target: string, mover: FileMover): Promise<void> {
  if (await succeedsUnlessTaken(() => moveToFreeName(part, target, mover))) return;
  let version = await lastVersion(target, mover);
  do version++;
  while (!(await succeedsUnlessTaken(() => keepOld(target, `${target}.${version}`, mover))));
  try {
    await replaceFile(part, target, mover);
  } catch (error) {
    await mover.disk.unlink(`${target}.${version}`).catch(() => undefined);
    throw error;
  }
}

async function lastVersion(target: string, { disk }: FileMover): Promise<number> {
  const prefix = `${path.basename(target)}.`;
  let last = 0;
  for (const { name } of await disk.entries(path.dirname(target))) {
    const version = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^[1-9]\d{0,8}$/.test(version)) last = Math.max(last, Number(version));
  }
  return last;
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
