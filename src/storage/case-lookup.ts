/** Finding names whose upper and lower case differ from what was asked for. */

import { readdir } from 'node:fs/promises';
import type { Jail, Place } from './jail';
import { isMissing } from './file-error';
import { remotePath } from './remote-path';
import type { SafePath } from './remote-path';

/**
 * Where a name leads to if case does not count. What is spelled exactly so comes first; else, part by
 * part, the first of the names that differ in nothing but case, in the order of their characters.
 *
 * @throws {TftpError} as `Jail.locate` does: only folders inside of the root are looked through.
 */
export async function locateIgnoringCase(jail: Jail, name: SafePath): Promise<Place> {
  const parts = name.split('/');
  for (;;) {
    const place = await jail.locate(remotePath(parts.join('/')));
    const [wanted] = place.missing;
    const found = wanted === undefined ? undefined : await lookUp(place.existing, wanted);
    if (found === undefined || found === wanted) return place;
    parts[parts.length - place.missing.length] = found;
  }
}

async function lookUp(folder: string, wanted: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(emptyIfNoFolder);
  if (names.includes(wanted)) return wanted;
  const folded = wanted.toLowerCase();
  const alike = names.filter((name) => name.toLowerCase() === folded);
  return alike.sort()[0];
}

/** A part in the middle of the name may be a file. */
function emptyIfNoFolder(error: unknown): string[] {
  if (isMissing(error)) return [];
  throw error;
}
