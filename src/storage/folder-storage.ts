/** Files in a folder of this machine. */

import path from 'node:path';
import { LocalError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import { CaseLookup } from './case-lookup';
import { disk } from './disk';
import { FileError, fileError } from './file-error';
import { FileSink, type Uploader } from './file-sink';
import { FolderQuota, sizeIfAny, type StoredSink } from './folder-quota';
import { checkUnmoved, type Place } from './jail';
import { Leftovers } from './leftovers';
import { NeighbourTable } from './neighbour-table';
import { OpenFiles } from './open-files';
import { OVERWRITE_POLICIES, sharesNames, type OverwritePolicy } from './overwrite-policy';
import { remotePath, type SafePath } from './remote-path';
import { SearchFolder } from './search-folder';
import { nameKey } from './upload-claims';
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
  readonly #leftovers: Leftovers;
  /** Counts uploads. */
  #uploads = 0;

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
    const otherCase = caseInsensitive ? new CaseLookup() : undefined;
    const lookup = { perClient, otherCase };
    this.#roots = roots.map((folder) => new SearchFolder(folder, lookup, neighbours));
    this.#writeRoot = new SearchFolder(writeRoot, lookup, neighbours);
    this.#lowerCase = lowerCase;
    this.#quota = quota === undefined ? undefined : new FolderQuota(this.#writeRoot.path, quota);
    this.#overwrite = overwrite;
    this.#createDirs = createDirs;
    this.#fileMode = fileMode;
    this.#leftovers = new Leftovers(this.#writeRoot.path);
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
   * @throws {LocalError} EINVAL if it is missing or no folder, ENOPERM if it may not be read. The
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
      this.#leftovers.removeIfDue();
      const place = await this.#writeRoot.locate(this.#nameOf(request), request.client);
      const upload = this.#uploadName(place, request.client);
      await this.#quota?.check(upload, size);
      const target = await this.#targetFor(place);
      await checkFreeSpace(path.dirname(target), size);
      return await this.#guarded(upload, await this.#openTarget(target, request), target, size);
    } catch (error) {
      throw fileError(error);
    }
  }

  /**
   * Removes what uploads have left that were interrupted by a crash, a kill or a power cut: temporary
   * files whose process is gone, and those that nobody has touched for ten minutes. So the uploads of
   * other servers with the same folder go on, in whatever container or on whatever machine they are.
   * Meant for the start of a server: files of which nothing is sure yet are looked at again after eleven
   * minutes, and so is the folder with an upload every ten minutes. Never rejects.
   *
   * @returns How many files were removed now.
   */
  removeLeftovers(): Promise<number> {
    return this.#leftovers.remove();
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

  /** What is the same for all tries of a client to write a file, unless each of them is to be kept. */
  #uploadName({ existing, missing }: Place, { address }: Peer): string {
    const name = `${nameKey(path.join(existing, ...missing))}\n${address}`;
    return sharesNames(this.#overwrite) ? `${name}\n${(this.#uploads += 1)}` : name;
  }

  /** Holds a sink to the quota. */
  async #guarded(
    upload: string,
    sink: FileSink,
    target: string,
    size: number,
  ): Promise<StoredSink> {
    if (this.#quota === undefined) return sink;
    const frees = this.#overwrite === 'replace' || this.#overwrite === 'existing';
    const replaced = async (): Promise<number> => (frees ? sizeIfAny(target) : 0);
    try {
      return this.#quota.guard(upload, sink, size, replaced);
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
    await disk.mkdir(path.dirname(target));
    return target;
  }

  async #openTarget(target: string, request: StorageWriteRequest): Promise<FileSink> {
    const folder = path.dirname(target);
    const options = { overwrite: this.#overwrite, createDir: false, mode: this.#fileMode };
    const sink = await FileSink.openTarget(target, options, undefined, uploaderOf(request));
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

/** A device that begins anew has another port, and the same address. */
function uploaderOf({ client, abort }: StorageWriteRequest): Uploader | undefined {
  return abort && { owner: client.address, replaced: abort };
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
  const free = await disk.statfs(folder).catch(() => undefined);
  if (free === undefined || free.blocks === 0) return;
  if (free.bavail * free.bsize < size) throw new FileError('full');
}
