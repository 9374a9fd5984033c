/**
 * What is asked of the file system. A path is text in which a name that is not UTF-8 keeps its bytes
 * (see `name-text`): a name on the disk is bytes, and here is where one becomes the other.
 */

import * as fs from 'node:fs';
import * as fsp from 'node:fs/promises';
import { hasRawBytes, nameBytes, nameText } from '../protocol/name-text';

/** What stands where text was made of bytes that are not UTF-8. */
const LOST = '\ufffd';

/** Entries of a folder that are read in one call. */
const ENTRIES_AT_ONCE = 1024;

/** Something in a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly kind: 'file' | 'folder' | 'other';
}

/** The calls of `node:fs/promises`, for such paths. */
export const disk = {
  copyFile: (from: string, to: string, mode: number) => fsp.copyFile(raw(from), raw(to), mode),
  link: (from: string, to: string) => fsp.link(raw(from), raw(to)),
  lstat: (file: string) => fsp.lstat(raw(file), { bigint: true }),
  mkdir: (folder: string) => fsp.mkdir(raw(folder), { recursive: true }),
  open: (file: string, flags: string | number, mode?: number) => fsp.open(raw(file), flags, mode),
  rename: (from: string, to: string) => fsp.rename(raw(from), raw(to)),
  stat: (file: string) => fsp.stat(raw(file), { bigint: true }),
  statfs: (file: string) => fsp.statfs(raw(file)),
  unlink: (file: string) => fsp.unlink(raw(file)),

  async realpath(file: string): Promise<string> {
    const found = await fsp.realpath(raw(file));
    return found.includes(LOST) ? nameText(await fsp.realpath(raw(file), 'buffer')) : found;
  },

  /** What is in a folder, up to `most` entries. It is read a part at a time: it may be large. */
  async entries(folder: string, most = Infinity): Promise<FolderEntry[]> {
    const options = { encoding: 'latin1', bufferSize: ENTRIES_AT_ONCE } as const;
    const dir = await fsp.opendir(raw(folder), options);
    const entries: FolderEntry[] = [];
    try {
      for (let entry = await dir.read(); entry !== null; entry = await dir.read()) {
        if (entries.length >= most) break;
        const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : 'other';
        entries.push({ name: textOf(entry.name), kind });
      }
    } finally {
      await dir.close();
    }
    return entries;
  },
};

/** The part of it that gives a finished file its name, to be tried where a system behaves otherwise. */
export type Disk = typeof disk;

/** Where a link leads to. It does not wait for a disk where the kernel knows it by heart, as in /proc. */
export function readlinkNow(link: string): string {
  const found = fs.readlinkSync(link);
  return found.includes(LOST) ? nameText(fs.readlinkSync(link, 'buffer')) : found;
}

/** A path as Node.js takes it. */
export function raw(path: string): string | Buffer {
  return hasRawBytes(path) ? Buffer.from(nameBytes(path)) : path;
}

/** A name that was read with a character for each byte. */
function textOf(bytes: string): string {
  return /[^\0-\x7f]/.test(bytes) ? nameText(Buffer.from(bytes, 'latin1')) : bytes;
}
