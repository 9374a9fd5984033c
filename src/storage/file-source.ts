/** The content of a file on disk. */

import { constants, type BigIntStats } from 'node:fs';
import { lstat, open, realpath, type FileHandle } from 'node:fs/promises';
import { FileError, fileError } from './file-error';
import type { DataSource, MovableFile } from './storage';

/** Bytes in one read, where nobody says how many. */
const READ_SIZE = 256 * 1024;

/** A FIFO must not block, and a link that came after the check must not be followed. Windows has neither flag, and `|` makes 0 of it. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

/**
 * Opens a local file for reading. Error messages name the path: a peer is told `peerMessage`.
 *
 * @param path Absolute, or relative to the working directory. Symbolic links are followed.
 * @throws {FileError} ENOENT, EACCES (also for what is no regular file) or EIO.
 */
export async function fileSource(path: string): Promise<DataSource> {
  try {
    return await openSource(await realpath(path), path);
  } catch (error) {
    throw fileError(error, path);
  }
}

/**
 * Opens the file at a path without symbolic links.
 *
 * @param userPath The path for error messages; none if they are for a remote client.
 * @throws {FileError}
 */
export async function openSource(realPath: string, userPath?: string): Promise<DataSource> {
  try {
    const { handle, size } = await openRegularFile(realPath, userPath);
    return new FileSource(handle, size, userPath);
  } catch (error) {
    throw fileError(error, userPath);
  }
}

/** Reads a file that another thread has opened. */
export function movedSource({ handle, size, path }: MovableFile): DataSource {
  return new FileSource(handle, size, path);
}

async function openRegularFile(
  realPath: string,
  userPath: string | undefined,
): Promise<{ handle: FileHandle; size: number }> {
  const seen = await lstat(realPath, { bigint: true });
  if (!seen.isFile()) throw new FileError('irregular', userPath);
  const handle = await open(realPath, READ_FLAGS);
  try {
    const opened = await handle.stat({ bigint: true });
    if (!isSameFile(seen, opened)) throw new FileError('irregular', userPath);
    return { handle, size: Number(opened.size) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Windows has no reliable inode numbers, nor FIFOs to be swapped in. */
function isSameFile(seen: BigIntStats, opened: BigIntStats): boolean {
  if (!opened.isFile()) return false;
  return process.platform === 'win32' || (seen.ino === opened.ino && seen.dev === opened.dev);
}

/**
 * Gives exactly the bytes that it announced as its size: a file that grows meanwhile is cut there,
 * and one that shrinks is an error, or the peer would take a part for the whole. Files of unknown
 * length look empty to `stat` (Linux: /proc) and are read to their end.
 */
class FileSource implements DataSource {
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #userPath: string | undefined;
  #position = 0;

  constructor(handle: FileHandle, size: number, userPath: string | undefined) {
    this.#handle = handle;
    this.size = size;
    this.#userPath = userPath;
  }

  async read(wanted = READ_SIZE): Promise<Uint8Array | undefined> {
    const length = this.size === 0 ? wanted : Math.min(wanted, this.size - this.#position);
    if (length === 0) return undefined;
    const chunk = await this.#readAt(length);
    this.#position += chunk.length;
    if (chunk.length > 0) return chunk;
    if (this.size === 0) return undefined;
    throw new FileError('failed', this.#userPath, new Error('The file became shorter'));
  }

  async close(): Promise<void> {
    // Node waits for a read in flight; nothing can be lost by a failed close.
    await this.#handle.close().catch(() => undefined);
  }

  handOver(): MovableFile {
    return { handle: this.#handle, size: this.size, path: this.#userPath };
  }

  async #readAt(length: number): Promise<Uint8Array> {
    try {
      const buffer = Buffer.allocUnsafeSlow(length);
      const { bytesRead } = await this.#handle.read(buffer, 0, length, this.#position);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw fileError(error, this.#userPath);
    }
  }
}
