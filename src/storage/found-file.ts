/** A file that is held fast while it is judged (Linux). */

import * as fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { disk, raw, readlinkNow } from './disk';
import { versionOf } from './file-version';
import type { OpenedFile } from './opened-file';

/** Opens nothing but the place of a file; Linux has one number for it on all that Node.js runs on. */
const O_PATH = 0o10000000;

/** What Linux adds to the path of a name that was removed. */
const REMOVED = ' (deleted)';

const openDescriptor = promisify(fs.open);
const statDescriptor: (descriptor: number, options: { bigint: true }) => Promise<fs.BigIntStats> =
  promisify(fs.fstat);

/**
 * A regular file that was found and not yet opened. Linux can hold a file without opening it, so a
 * FIFO or a device is left alone. The path, the kind and the content that is opened at last belong to
 * one and the same file, whatever becomes of its name and of the links on the way meanwhile: there is
 * no moment between a check and its use. That takes fewer calls than to look at the path before and
 * after. Give it back with `close`.
 */
export class FoundFile {
  /** Where the file really is, without symbolic links. */
  readonly realPath: string;
  readonly #descriptor: number;
  readonly #stats: fs.BigIntStats;

  private constructor(descriptor: number, realPath: string, stats: fs.BigIntStats) {
    this.realPath = realPath;
    this.#descriptor = descriptor;
    this.#stats = stats;
  }

  /**
   * Finds the file that a path leads to.
   *
   * @returns undefined if it is no regular file, or this system cannot hold files.
   * @throws what the system says, if there is none or it may not be reached.
   */
  static async at(file: string): Promise<FoundFile | undefined> {
    if (process.platform !== 'linux') return undefined;
    const descriptor = await openDescriptor(raw(file), O_PATH);
    const found = await FoundFile.#judge(descriptor);
    if (found === undefined) fs.closeSync(descriptor);
    return found;
  }

  static async #judge(descriptor: number): Promise<FoundFile | undefined> {
    try {
      // The kernel knows the path by heart, so this waits for no disk.
      const realPath = readlinkNow(linkTo(descriptor));
      if (!path.isAbsolute(realPath) || realPath.endsWith(REMOVED)) return undefined;
      const stats = await statDescriptor(descriptor, { bigint: true });
      return stats.isFile() ? new FoundFile(descriptor, realPath, stats) : undefined;
    } catch {
      // Without /proc the path cannot be told.
      return undefined;
    }
  }

  /** Opens this very file for reading. */
  async open(): Promise<OpenedFile> {
    const handle = await disk.open(linkTo(this.#descriptor), fs.constants.O_RDONLY);
    return { handle, version: versionOf(this.#stats), realPath: this.realPath };
  }

  /** Lets go. What was opened stays open. */
  close(): void {
    fs.closeSync(this.#descriptor);
  }
}

function linkTo(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}
