/** The content of a file on disk. */

import { realpath, type FileHandle } from 'node:fs/promises';
import { FileError, fileError } from './file-error';
import { openRegularFile } from './opened-file';
import type { DataSource, MovableFile } from './storage';

/** Bytes in one read, where nobody says how many. */
const READ_SIZE = 256 * 1024;

/**
 * Opens a local file for reading. Error messages name the path: a peer is told `peerMessage`.
 *
 * @param path Absolute, or relative to the working directory. Symbolic links are followed.
 * @throws {LocalError} ENOENT, EACCES (also for what is no regular file) or EIO.
 */
export async function fileSource(path: string): Promise<DataSource> {
  try {
    const { handle, stats } = await openRegularFile(await realpath(path), path);
    return new FileSource(handle, Number(stats.size), path);
  } catch (error) {
    throw fileError(error, path);
  }
}

/** Reads a file that another thread has opened. */
export function movedSource({ handle, size, path }: MovableFile): DataSource {
  return new FileSource(handle, size, path);
}

/**
 * Gives exactly the bytes that it announced as its size: a file that grows meanwhile is cut there,
 * and one that shrinks is an error, or the peer would take a part for the whole. Files of unknown
 * length look empty to `stat` (Linux: /proc) and are read to their end.
 */
export class FileSource implements DataSource {
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #userPath: string | undefined;
  #position = 0;

  /** @param userPath The path for error messages; none if they are for a remote client. */
  constructor(handle: FileHandle, size: number, userPath?: string) {
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
