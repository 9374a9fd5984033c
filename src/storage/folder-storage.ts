/** Files in a folder of this machine. */

import type { Stats } from 'node:fs';
import { mkdir, opendir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { LocalError } from '../protocol/errors';
import { FileError, fileError, isMissing } from './file-error';
import { FileSink } from './file-sink';
import { openSource } from './file-source';
import { checkUnmoved, Jail, type Place } from './jail';
import { removeLeftovers } from './leftovers';
import { OVERWRITE_POLICIES, type OverwritePolicy } from './overwrite-policy';
import { isPartName } from './part-file';
import { remotePath } from './remote-path';
import type { DataSource, Storage, StorageRequest, StorageWriteRequest } from './storage';

/** Where a folder storage has its files, and how it writes them. */
export interface FolderStorageOptions {
  /** The folder. Nothing outside of it is read or written, whatever a client asks for. */
  root: string;
  /** What happens to an upload whose name is taken. @default 'refuse' */
  overwrite?: OverwritePolicy;
  /** Create missing sub-folders for uploads. Those of a discarded upload may stay. @default false */
  createDirs?: boolean;
  /** Permissions of new files, such as 0o640. @default those of the process (umask) */
  fileMode?: number;
}

/**
 * Serves and takes files in a folder. Names are checked by `remotePath`, and by their real path:
 * symbolic links may lead to another place in the folder, not out of it. Only regular files are
 * opened. The errors of both `open` calls hold no local path.
 */
export class FolderStorage implements Storage {
  readonly #root: string;
  readonly #jail: Jail;
  readonly #overwrite: OverwritePolicy;
  readonly #createDirs: boolean;
  readonly #fileMode: number | undefined;

  /** @throws {LocalError} EINVAL if an option cannot be used. The folder itself is not looked at: see `check`. */
  constructor(options: FolderStorageOptions) {
    const { root, overwrite = 'refuse', createDirs = false, fileMode } = options;
    if (root.trim() === '') throw new LocalError('EINVAL', 'The root folder is blank: name one');
    if (!OVERWRITE_POLICIES.includes(overwrite)) throw unknownPolicy(overwrite);
    this.#root = path.resolve(root);
    this.#jail = new Jail(this.#root);
    this.#overwrite = overwrite;
    this.#createDirs = createDirs;
    this.#fileMode = fileMode;
  }

  /**
   * Looks whether the folder can be used; meant for the start of a server.
   *
   * @throws {LocalError} EINVAL if it is missing or no folder, EACCES if it may not be read. The
   * message names the folder and is for the user, not for a client.
   */
  async check(): Promise<void> {
    const found = await this.#statRoot();
    if (!found.isDirectory()) {
      throw new LocalError('EINVAL', `${this.#root} is not a folder: choose a folder`);
    }
    try {
      const folder = await opendir(this.#root);
      await folder.close();
      // A folder may be listed although nothing in it can be opened.
      await stat(`${this.#root}${path.sep}.`);
    } catch (cause) {
      throw this.#unreadable(cause);
    }
  }

  /** @throws {TftpError} ENOENT, EACCES or EIO. */
  async openForReading(request: StorageRequest): Promise<DataSource> {
    try {
      const { existing, missing } = await this.#locate(request.filename);
      if (missing.length > 0) throw new FileError('missing');
      return await this.#openSource(existing);
    } catch (error) {
      throw fileError(error);
    }
  }

  /**
   * The sink is a `FileSink`: its `path` tells where the file is after `commit`.
   *
   * @throws {TftpError} ENOENT, EACCES, EEXIST, ENOSPC or EIO.
   */
  async openForWriting(request: StorageWriteRequest): Promise<FileSink> {
    try {
      const target = await this.#targetFor(await this.#locate(request.filename));
      // A netascii size counts line ends that are not stored.
      if (request.mode === 'octet') await checkFreeSpace(path.dirname(target), request.size ?? 0);
      return await this.#openTarget(target);
    } catch (error) {
      throw fileError(error);
    }
  }

  /**
   * Removes what is left of uploads that were interrupted by a crash, and none that still runs.
   *
   * @returns How many files were removed.
   */
  removeLeftovers(): Promise<number> {
    return removeLeftovers(this.#root);
  }

  async #locate(filename: string): Promise<Place> {
    const name = remotePath(filename);
    const place = await this.#jail.locate(name);
    // The real path counts as well: a link or a short name of Windows may lead to such a file.
    const parts = [...name.split('/'), path.basename(place.existing)];
    if (parts.some(isPartName)) throw new FileError('denied');
    return place;
  }

  /** The path to write to. Its folder exists, made now if that is allowed. */
  async #targetFor({ existing, missing }: Place): Promise<string> {
    const target = path.join(existing, ...missing);
    if (missing.length < 2) return target;
    if (this.#overwrite === 'existing') throw new FileError('missing');
    if (!this.#createDirs) throw new FileError('noFolder');
    await mkdir(path.dirname(target), { recursive: true });
    return target;
  }

  async #openSource(file: string): Promise<DataSource> {
    const source = await openSource(file);
    try {
      await checkUnmoved(file);
      return source;
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  async #openTarget(target: string): Promise<FileSink> {
    const folder = path.dirname(target);
    const options = { overwrite: this.#overwrite, createDir: false, mode: this.#fileMode };
    const sink = await FileSink.openTarget(target, options);
    try {
      await checkUnmoved(folder);
      return sink;
    } catch (error) {
      await sink.discard();
      throw error;
    }
  }

  async #statRoot(): Promise<Stats> {
    try {
      return await stat(this.#root);
    } catch (cause) {
      if (!isMissing(cause)) throw this.#unreadable(cause);
      const text = `The folder ${this.#root} does not exist: create it or choose another`;
      throw new LocalError('EINVAL', text, { cause });
    }
  }

  #unreadable(cause: unknown): LocalError {
    const text = `The folder ${this.#root} may not be read: change its permissions or choose another`;
    return new LocalError('EACCES', text, { cause });
  }
}

function unknownPolicy(given: string): LocalError {
  const known = OVERWRITE_POLICIES.join(', ');
  return new LocalError('EINVAL', `overwrite is ${given}: it must be one of ${known}`);
}

/** @throws {FileError} ENOSPC if `size` bytes do not fit. */
async function checkFreeSpace(folder: string, size: number): Promise<void> {
  if (size === 0) return;
  // Not every file system tells its size; then the writing itself finds out.
  const disk = await statfs(folder).catch(() => undefined);
  if (disk === undefined || disk.blocks === 0) return;
  if (disk.bavail * disk.bsize < size) throw new FileError('full');
}
