/** The content of a file on disk. */

import { disk } from './disk';
import { FileError, fileError } from './file-error';
import { hasSameContent, versionOf } from './file-version';
import { openRegularFile, type OpenedFile } from './opened-file';
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
    return new FileSource(await openRegularFile(await disk.realpath(path), path), path);
  } catch (error) {
    throw fileError(error, path);
  }
}

/** Reads a file that another thread has opened. */
export function movedSource({ path, ...opened }: MovableFile): DataSource {
  return new FileSource(opened, path);
}

/**
 * Gives exactly the bytes that it announced as its size, all of one version of the file: one that was
 * written to meanwhile is an error, told before the last of its bytes are given out, or the peer would
 * take a mixture for the whole. Files of unknown length look empty to `stat` (Linux: /proc) and are
 * read to their end.
 */
export class FileSource implements DataSource {
  readonly size: number;
  readonly #opened: OpenedFile;
  readonly #userPath: string | undefined;
  #position = 0;

  /** @param userPath The path for error messages; none if they are for a remote client. */
  constructor(opened: OpenedFile, userPath?: string) {
    this.#opened = opened;
    this.size = Number(opened.version.size);
    this.#userPath = userPath;
  }

  async read(wanted = READ_SIZE): Promise<Uint8Array | undefined> {
    const length = this.size === 0 ? wanted : Math.min(wanted, this.size - this.#position);
    if (length === 0) return undefined;
    const chunk = await this.#readAt(length);
    this.#position += chunk.length;
    const atEnd = this.size === 0 ? chunk.length === 0 : this.#position === this.size;
    if (atEnd) await this.#checkUnchanged();
    if (chunk.length > 0) return chunk;
    if (this.size === 0) return undefined;
    throw new FileError('changed', this.#userPath, new Error('The file became shorter'));
  }

  async close(): Promise<void> {
    // Node waits for a read in flight; nothing can be lost by a failed close.
    await this.#opened.handle.close().catch(() => undefined);
  }

  handOver(): MovableFile {
    return { ...this.#opened, path: this.#userPath };
  }

  async #readAt(length: number): Promise<Uint8Array> {
    try {
      const buffer = Buffer.allocUnsafeSlow(length);
      const { handle } = this.#opened;
      const { bytesRead } = await handle.read(buffer, 0, length, this.#position);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      throw fileError(error, this.#userPath);
    }
  }

  async #checkUnchanged(): Promise<void> {
    const { handle, version, realPath } = this.#opened;
    try {
      const now = versionOf(await handle.stat({ bigint: true }));
      if (await hasSameContent(version, now, realPath)) return;
    } catch (error) {
      throw fileError(error, this.#userPath);
    }
    throw new FileError('changed', this.#userPath);
  }
}
