/**
 * The folder that clients may not leave. Names are judged by their real path, with every symbolic
 * link followed: a link may lead to another place inside the root, never out of it.
 */

import path from 'node:path';
import { LocalError } from '../protocol/errors';
import { disk } from './disk';
import { FileError, isMissing } from './file-error';
import { FoundFile } from './found-file';
import type { SafePath } from './remote-path';

/** Where a name leads to. */
export interface Place {
  /** The real path of the deepest part of the name that exists. It is inside the root. */
  readonly existing: string;
  /** The parts of the name that do not exist below it; none if the name exists. */
  readonly missing: readonly string[];
}

/** How a part of a name is spelled in the folder; undefined if it is not there. */
export type Respell = (folder: string, part: string) => Promise<string | undefined>;

/** Finds names below a root folder. */
export class Jail {
  readonly #root: string;

  /** @param root An absolute path. It is looked up anew for each name, so it may be a link that moves. */
  constructor(root: string) {
    this.#root = root;
  }

  /**
   * Where `name` leads to.
   *
   * @param respell asked, part by part, for what is missing; only for folders inside of the root.
   * @throws {TftpError} EACCES if that is out of the root, EIO if the root is missing.
   */
  async locate(name: SafePath, respell?: Respell): Promise<Place> {
    const root = await this.#realRoot();
    const parts = name.split('/');
    const place = await placeIn(root, parts, parts.length);
    return respell === undefined ? place : respelled(root, place, respell);
  }

  /**
   * The regular file of this name inside of the root, held fast and to be closed by the caller. If
   * there is none, or this system cannot hold files: where the name leads to.
   *
   * @throws {TftpError} as `locate` does.
   */
  async find(name: SafePath): Promise<FoundFile | Place> {
    const root = await this.#realRoot();
    const parts = name.split('/');
    try {
      const found = await FoundFile.at(path.join(root, name));
      if (found && isInside(root, found.realPath)) return found;
      found?.close();
    } catch (error) {
      if (isMissing(error)) return placeIn(root, parts, parts.length - 1);
    }
    return placeIn(root, parts, parts.length);
  }

  async #realRoot(): Promise<string> {
    try {
      return await disk.realpath(this.#root);
    } catch (cause) {
      throw new LocalError('EIO', 'The folder of this server is not available', { cause });
    }
  }
}

/**
 * Checks that no folder on the way to a real path has become a symbolic link since it was found.
 * What remains is a short time in which somebody with access to the disk could swap a folder twice.
 *
 * @throws {FileError} EACCES
 */
export async function checkUnmoved(realPath: string): Promise<void> {
  if ((await realPathIfAny(realPath)) !== realPath) throw new FileError('denied');
}

/**
 * Where a name leads to, if of its parts not more than `most` exist. Tried is the longest first, as
 * that mostly exists, then the first part, and then half of what is left each time: a name may have a
 * hundred parts.
 */
async function placeIn(root: string, parts: readonly string[], most: number): Promise<Place> {
  let existing = root;
  let exist = 0;
  let missing = most + 1;
  for (let tried = most; exist + 1 < missing; tried = middle(exist, missing)) {
    const found = await realPathIfAny(path.join(root, ...parts.slice(0, tried)));
    if (found === undefined) {
      missing = tried;
    } else {
      exist = tried;
      existing = found;
    }
  }
  if (!isInside(root, existing)) throw new FileError('denied');
  return { existing, missing: parts.slice(exist) };
}

function middle(exist: number, missing: number): number {
  return exist === 0 ? 1 : (exist + missing) >> 1;
}

/** Where a name leads to with each part that is missing as it is spelled in its folder. */
async function respelled(root: string, place: Place, respell: Respell): Promise<Place> {
  let { existing } = place;
  for (const [at, part] of place.missing.entries()) {
    const found = await stepInto(existing, part, respell);
    if (found === undefined) return { existing, missing: place.missing.slice(at) };
    if (!isInside(root, found)) throw new FileError('denied');
    existing = found;
  }
  return { existing, missing: [] };
}

async function stepInto(
  folder: string,
  part: string,
  respell: Respell,
): Promise<string | undefined> {
  const found = await realPathIfAny(path.join(folder, part));
  if (found !== undefined) return found;
  const other = await respell(folder, part);
  return other === undefined ? undefined : realPathIfAny(path.join(folder, other));
}

async function realPathIfAny(file: string): Promise<string | undefined> {
  try {
    return await disk.realpath(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isInside(root: string, file: string): boolean {
  const relative = path.relative(root, file);
  return relative !== '..' && !relative.startsWith(`..${path.sep}`) && !path.isAbsolute(relative);
}
