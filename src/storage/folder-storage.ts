/** Files in a folder of this machine. */

import { mkdir, statfs } from 'node:fs/promises';
import path from 'node:path';
import { LocalError } from '../protocol/errors';
import { FileError, fileError } from './file-error';
import { FileSink } from './file-sink';
import { FolderQuota, sizeIfAny, type StoredSink } from './folder-quota';
import { checkUnmoved, type Place } from './jail';
import { removeLeftovers } from './leftovers';
import { NeighbourTable } from './neighbour-table';
import { OpenFiles } from './open-files';
import { OVERWRITE_POLICIES, type OverwritePolicy } from './overwrite-policy';
import { remotePath, type SafePath } from './remote-path';
import { SearchFolder } from './search-folder';
import type {
  DataSource,
  PortableStorage,
  Storage,
  StorageRequest,
  StorageWriteRequest,
} from './storage';

/** Not `__filename`: the command has this module in a file with others. */
const THIS_MODULE = path.join(__dirname, 'folder-storage.js');

/** Where a folder storage has its files, and how it writes them. */
export interface FolderStorageOptions {
  /**
   * The folder, or several that are searched in order: the first that has a file of this name wins.
   * Nothing outside of them is read or written, whatever a client asks for.
   */
  root: string | readonly string[];
  /** The folder for uploads. @default the first of `root` */
  writeRoot?: string;
  /**
   * A client has a folder of its own in each root, if there is one that is named for it: by its
   * address (`192.0.2.7`; IPv6 with `-` for `:`), or by its hardware address (`aa-bb-cc-dd-ee-ff`),
   * which is known on Linux, for clients on our own networks and IPv4. It is all that the client sees of that root;
   * symbolic links may lead from it to the rest. Clients without one see the root itself.
   */
  perClient?: 'ip' | 'mac';
  /** Take a name that differs in upper and lower case, if none is spelled as it was asked for. @default false */
  caseInsensitive?: boolean;
  /** Look names up in lower case, and store uploads under such names. @default false */
  lowerCase?: boolean;
  /** Bytes that may lie in the folder for uploads, all its files together. @default no limit */
  quota?: number;
  /** What happens to an upload whose name is taken. @default 'refuse' */
  overwrite?: OverwritePolicy;
  /** Create missing sub-folders for uploads. Those of a discarded upload may stay. @default false */
  createDirs?: boolean;
  /** Permissions of new files, such as 0o640. @default those of the process (umask) */
  fileMode?: number;
}

/**
 * Serves and takes files in a folder. Names are checked as they are written, and by their real path:
 * symbolic links may lead to another place in the folder, not out of it. Only regular files are
 * opened. Those that are read are kept open for some seconds. The errors of both `open` calls hold no local path.
 */
export class FolderStorage implements Storage {
  readonly #options: FolderStorageOptions;
  readonly #roots: readonly SearchFolder[];
  readonly #writeRoot: SearchFolder;
  readonly #lowerCase: boolean;
  readonly #quota: FolderQuota | undefined;
  readonly #overwrite: OverwritePolicy;
  readonly #createDirs: boolean;
  readonly #fileMode: number | undefined;
  readonly #openFiles = new OpenFiles();

  /** @throws {LocalError} EINVAL if an option cannot be used. The folder itself is not looked at: see `check`. */
  constructor(options: FolderStorageOptions) {
    const { root, overwrite = 'refuse', createDirs = false, fileMode } = options;
    const { perClient, caseInsensitive = false, lowerCase = false, quota } = options;
    const roots = typeof root === 'string' ? [root] : root;
    this.#options = options;
    const writeRoot = options.writeRoot ?? roots[0] ?? '';
    if ([writeRoot, ...roots].some((folder) => folder.trim() === '')) throw blankRoot();
    if (!OVERWRITE_POLICIES.includes(overwrite)) throw unknownPolicy(overwrite);
    if (quota !== undefined && !(quota >= 0)) throw badQuota(quota);
    const neighbours = new NeighbourTable();
    const lookup = { perClient, caseInsensitive };
    this.#roots = roots.map((folder) => new SearchFolder(folder, lookup, neighbours));
    this.#writeRoot = new SearchFolder(writeRoot, lookup, neighbours);
    this.#lowerCase = lowerCase;
    this.#quota = quota === undefined ? undefined : new FolderQuota(this.#writeRoot.path, quota);
    this.#overwrite = overwrite;
    this.#createDirs = createDirs;
    this.#fileMode = fileMode;
  }

  /** Nothing is known of what a class does that extends this one, so it stays where it is. */
  get portable(): PortableStorage | undefined {
    if (this.constructor !== FolderStorage) return undefined;
    const data: FolderStorageOptions = {
      ...this.#options,
      root: this.#roots.map((folder) => folder.path),
      writeRoot: this.#writeRoot.path,
    };
    return { module: THIS_MODULE, name: 'folderStorage', data };
  }

  /**
   * Looks whether the folders can be used; meant for the start of a server.
   *
   * @throws {LocalError} EINVAL if it is missing or no folder, EACCES if it may not be read. The
   * message names the folder and is for the user, not for a client.
   */
  async check(): Promise<void> {
    for (const folder of [...this.#roots, this.#writeRoot]) await folder.check();
  }

  /** @throws {TftpError} ENOENT, EACCES or EIO. */
  async openForReading(request: StorageRequest): Promise<DataSource> {
    try {
      return await this.#openExisting(request);
    } catch (error) {
      throw fileError(error);
    }
  }

  /**
   * The `path` of the sink tells where the file is after `commit`.
   *
   * @throws {TftpError} ENOENT, EACCES, EEXIST, ENOSPC or EIO.
   */
  async openForWriting(request: StorageWriteRequest): Promise<StoredSink> {
    try {
      // A netascii size counts line ends that are not stored.
      const size = request.mode === 'octet' ? (request.size ?? 0) : 0;
      await this.#quota?.check(size);
      const place = await this.#writeRoot.locate(this.#nameOf(request), request.client);
      const target = await this.#targetFor(place);
      await checkFreeSpace(path.dirname(target), size);
      return await this.#guarded(await this.#openTarget(target), target, size);
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
    return removeLeftovers(this.#writeRoot.path);
  }

  #nameOf({ filename }: StorageRequest): SafePath {
    const name = remotePath(filename);
    return this.#lowerCase ? remotePath(name.toLowerCase()) : name;
  }

  /** Opens the first file of this name. */
  async #openExisting(request: StorageRequest): Promise<DataSource> {
    const name = this.#nameOf(request);
    for (const root of this.#roots) {
      const source = await root.open(name, request.client, this.#openFiles);
      if (source !== undefined) return source;
    }
    throw new FileError('missing');
  }

  /** Holds a sink to the quota. */
  async #guarded(sink: FileSink, target: string, size: number): Promise<StoredSink> {
    if (this.#quota === undefined) return sink;
    const frees = this.#overwrite === 'replace' || this.#overwrite === 'existing';
    const replaced = async (): Promise<number> => (frees ? sizeIfAny(target) : 0);
    try {
      return this.#quota.guard(sink, size, replaced);
    } catch (error) {
      await sink.discard();
      throw error;
    }
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
}

/** The same folder in a worker. */
export function folderStorage(options: FolderStorageOptions): FolderStorage {
  return new FolderStorage(options);
}

function blankRoot(): LocalError {
  return new LocalError('EINVAL', 'The root folder is blank: name one');
}

function badQuota(given: number): LocalError {
  return new LocalError('EINVAL', `quota is ${given}: it must be a number of bytes, 0 or more`);
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
