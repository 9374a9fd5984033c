/** A file on disk that is being written. */

import { constants, type BigIntStats } from 'node:fs';
import path from 'node:path';
import { CancelError, LocalError, type TftpError } from '../protocol/errors';
import { disk } from './disk';
import { FileError, fileError, isMissing } from './file-error';
import { publish, replaces, sharesNames, type OverwritePolicy } from './overwrite-policy';
import { PartFile } from './part-file';
import type { DataSink } from './storage';
import { NameClaim } from './upload-claims';

/** How a file is written. */
export interface FileSinkOptions {
  readonly overwrite: OverwritePolicy;
  /** Create the folders on the way to the file. They stay if the file is discarded. */
  readonly createDir: boolean;
  /** The permissions of a new file. Default: those of the process. A replaced file keeps its own. */
  readonly mode?: number | undefined;
}

/** Whose upload a file is. */
export interface Uploader {
  /** The same for all uploads of one client. */
  readonly owner: string;
  /** Called when a later upload of the same client takes the name over. */
  readonly replaced: (reason: TftpError) => void;
}

/**
 * Writes to a temporary file in the target's folder. `commit` brings it to the disk and gives it
 * its name, so that readers see the old file or the new one, never a part.
 */
export class FileSink implements DataSink {
  readonly #target: string;
  readonly #policy: OverwritePolicy;
  readonly #userPath: string | undefined;
  readonly #uploader: Uploader | undefined;
  readonly #claim: NameClaim | undefined;
  #opened: PartFile | undefined;
  #path: string;
  #writing: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;

  /** @throws {FileError} EEXIST if somebody else writes this file now. */
  private constructor(
    target: string,
    policy: OverwritePolicy,
    userPath: string | undefined,
    uploader: Uploader | undefined,
  ) {
    this.#target = target;
    this.#policy = policy;
    this.#userPath = userPath;
    this.#uploader = uploader;
    this.#path = target;
    const claimant = { owner: uploader?.owner, userPath, giveWay: () => this.#giveWay() };
    this.#claim = sharesNames(policy) ? undefined : new NameClaim(target, claimant);
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
      if (options.createDir) await disk.mkdir(path.dirname(target));
      return await FileSink.openTarget(await followLink(target, file), options, file);
    } catch (error) {
      throw fileError(error, file);
    }
  }

  /**
   * Opens a file whose folder exists and which is no symbolic link.
   *
   * @param userPath The path for error messages; none if they are for a remote client.
   * @param uploader Default: one who uploads nothing else.
   * @throws {LocalError} as `open`.
   * @internal
   */
  static async openTarget(
    target: string,
    options: FileSinkOptions,
    userPath?: string,
    uploader?: Uploader,
  ): Promise<FileSink> {
    const sink = new FileSink(target, options.overwrite, userPath, uploader);
    try {
      await sink.#open(options.mode);
      return sink;
    } catch (error) {
      sink.#claim?.release();
      throw fileError(error, userPath);
    }
  }

  /** Where it is until it is committed. @internal */
  get partPath(): string {
    return this.#part.path;
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

  get #part(): PartFile {
    if (this.#opened === undefined) throw new LocalError('ECANCELED', 'The file is closed');
    return this.#opened;
  }

  async #open(mode: number | undefined): Promise<void> {
    const old = await checkTarget(this.#target, this.#policy, this.#userPath);
    const kept = old !== undefined && replaces(this.#policy) ? Number(old.mode) & 0o777 : undefined;
    this.#opened = await createPart(this.#target, kept ?? mode, this.#userPath);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#ending !== undefined) throw new LocalError('ECANCELED', 'The file is closed');
    try {
      await this.#claim?.take();
      await this.#part.write(chunk);
    } catch (error) {
      throw fileError(error, this.#userPath);
    }
  }

  async #commit(): Promise<void> {
    try {
      await this.#writing;
      await this.#claim?.take();
      await this.#part.finish();
      this.#path = await publish(this.#part.path, this.#target, this.#policy);
      await syncFolder(path.dirname(this.#path));
      this.#part.release();
      this.#claim?.release();
    } catch (error) {
      await this.#remove();
      throw fileError(error, this.#userPath);
    }
  }

  /** A later upload of the same client has the name from now on. What is being committed is let be. */
  async #giveWay(): Promise<void> {
    if (this.#ending === undefined) {
      this.#ending = this.#remove();
      const text = 'The client has begun this upload anew';
      this.#uploader?.replaced(new CancelError(text, { expected: true }));
    }
    await this.#ending.catch(() => undefined);
  }

  async #remove(): Promise<void> {
    await this.#writing.catch(() => undefined);
    await this.#opened?.remove();
    this.#claim?.release();
  }
}

/** What is at the target now, if that does not forbid to write it. */
async function checkTarget(
  target: string,
  policy: OverwritePolicy,
  userPath: string | undefined,
): Promise<BigIntStats | undefined> {
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
  const handle = await disk.open(file, flags);
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
    return await disk.realpath(target);
  } catch (error) {
    throw new FileError('irregular', userPath, error);
  }
}

async function statIfAny(file: string): Promise<BigIntStats | undefined> {
  try {
    return await disk.lstat(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Makes the new name safe against a power cut. Windows cannot, and needs no such call. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await disk.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Not every system lets a folder be opened; the content itself is safe already.
  }
}
