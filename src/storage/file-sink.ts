/** A file on disk that is being written. */

import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { LocalError } from '../protocol/errors';
import { FileError, fileError, isMissing } from './file-error';
import { publish, replaces, sharesNames, type OverwritePolicy } from './overwrite-policy';
import { PartFile } from './part-file';
import type { DataSink } from './storage';

/** How a file is written. */
export interface FileSinkOptions {
  readonly overwrite: OverwritePolicy;
  /** Create the folders on the way to the file. They stay if the file is discarded. */
  readonly createDir: boolean;
  /** The permissions of a new file. Default: those of the process. A replaced file keeps its own. */
  readonly mode?: number | undefined;
}

/** The targets of the uploads that run in this process and do not share their names. */
const claimed = new Set<string>();

/**
 * Writes to a temporary file in the target's folder. `commit` brings it to the disk and gives it
 * its name, so that readers see the old file or the new one, never a part.
 */
export class FileSink implements DataSink {
  readonly #target: string;
  readonly #part: PartFile;
  readonly #policy: OverwritePolicy;
  readonly #userPath: string | undefined;
  #path: string;
  #writing: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;

  private constructor(
    target: string,
    part: PartFile,
    policy: OverwritePolicy,
    userPath: string | undefined,
  ) {
    this.#target = target;
    this.#part = part;
    this.#policy = policy;
    this.#userPath = userPath;
    this.#path = target;
  }

  /**
   * Opens a local file for writing. Error messages name the path: a peer is told `peerMessage`.
   *
   * @param file Absolute, or relative to the working directory. If it is a symbolic link, the file
   * that it leads to is written.
   * @throws {LocalError} ENOENT, EACCES, EEXIST, ENOSPC or EIO.
   */
  static async open(file: string, options: FileSinkOptions): Promise<FileSink> {
    const target = path.resolve(file);
    try {
      if (options.createDir) await mkdir(path.dirname(target), { recursive: true });
      return await FileSink.openTarget(await followLink(target, file), options, file);
    } catch (error) {
      throw fileError(error, file);
    }
  }

  /**
   * Opens a file whose folder exists and which is no symbolic link.
   *
   * @param userPath The path for error messages; none if they are for a remote client.
   * @throws {LocalError} as `open`.
   * @internal
   */
  static async openTarget(
    target: string,
    options: FileSinkOptions,
    userPath?: string,
  ): Promise<FileSink> {
    const policy = options.overwrite;
    claim(target, policy, userPath);
    try {
      const old = await checkTarget(target, policy, userPath);
      const kept = old !== undefined && replaces(policy) ? old.mode & 0o777 : undefined;
      const part = await createPart(target, kept ?? options.mode, userPath);
      return new FileSink(target, part, policy, userPath);
    } catch (error) {
      unclaim(target, policy);
      throw fileError(error, userPath);
    }
  }

  /** Where the file is; known for sure after `commit`, as the policy `timestamp` adds to the name. */
  get path(): string {
    return this.#path;
  }

  write(chunk: Uint8Array): Promise<void> {
    this.#writing = this.#write(chunk);
    return this.#writing;
  }

  /** If it rejects, nothing is left of the file, and `discard` has nothing to do. */
  commit(): Promise<void> {
    return (this.#ending ??= this.#commit());
  }

  async discard(): Promise<void> {
    this.#ending ??= this.#remove();
    await this.#ending.catch(() => undefined);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#ending !== undefined) throw new LocalError('ECANCELED', 'The file is closed');
    try {
      await this.#part.write(chunk);
    } catch (error) {
      throw fileError(error, this.#userPath);
    }
  }

  async #commit(): Promise<void> {
    try {
      await this.#writing;
      await this.#part.finish();
      this.#path = await publish(this.#part.path, this.#target, this.#policy);
      await syncFolder(path.dirname(this.#path));
      this.#part.release();
      unclaim(this.#target, this.#policy);
    } catch (error) {
      await this.#remove();
      throw fileError(error, this.#userPath);
    }
  }

  async #remove(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#part.remove();
    unclaim(this.#target, this.#policy);
  }
}

function claim(target: string, policy: OverwritePolicy, userPath: string | undefined): void {
  if (sharesNames(policy)) return;
  if (claimed.has(target)) throw new FileError('busy', userPath);
  claimed.add(target);
}

function unclaim(target: string, policy: OverwritePolicy): void {
  if (!sharesNames(policy)) claimed.delete(target);
}

/** What is at the target now, if that does not forbid to write it. */
async function checkTarget(
  target: string,
  policy: OverwritePolicy,
  userPath: string | undefined,
): Promise<Stats | undefined> {
  const old = await statIfAny(target);
  if (old === undefined) {
    if (policy === 'existing') throw new FileError('missing', userPath);
    return undefined;
  }
  if (!old.isFile()) throw new FileError('irregular', userPath);
  if (policy === 'refuse') throw new FileError('exists', userPath);
  if (replaces(policy)) await checkWritable(target);
  return old;
}

/** A rename would not ask whether the old file is write-protected, so it is opened for writing. */
async function checkWritable(file: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
  const handle = await open(file, flags);
  await handle.close();
}

async function createPart(
  target: string,
  mode: number | undefined,
  userPath: string | undefined,
): Promise<PartFile> {
  try {
    return await PartFile.create(target, mode);
  } catch (error) {
    throw isMissing(error) ? new FileError('noFolder', userPath, error) : error;
  }
}

/** The file that a path leads to. It need not exist, but a link to nowhere is refused. */
async function followLink(target: string, userPath: string): Promise<string> {
  if ((await statIfAny(target))?.isSymbolicLink() !== true) return target;
  try {
    return await realpath(target);
  } catch (error) {
    throw new FileError('irregular', userPath, error);
  }
}

async function statIfAny(file: string): Promise<Stats | undefined> {
  try {
    return await lstat(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Makes the new name safe against a power cut. Windows cannot, and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Not every system lets a folder be opened; the content itself is safe already.
  }
}
