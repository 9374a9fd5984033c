/** One open file for all that read it at the same time. */

import { fstatSync } from 'node:fs';
import { FileError, fileError } from './file-error';
import { FileChunks, FIRST_CHUNK, type ChunkMemory } from './file-chunks';
import { hasSameContent, isUntouched, versionOf, type FileVersion } from './file-version';
import type { OpenedFile } from './opened-file';
import type { DataSource } from './storage';

/** Bytes in one read, where nobody says how many. */
const READ_SIZE = 256 * 1024;

/**
 * A file of known length that is open as long as it has readers, or until it is retired. Chunks are
 * kept for as long as several read it; a lone reader gets just what it wants, past the first chunk,
 * so that memory and reads are those of a file that is not shared.
 */
export class OpenFile {
  readonly size: number;
  readonly #opened: OpenedFile;
  readonly #chunks: FileChunks;
  #readers = 0;
  #retired = false;

  constructor(opened: OpenedFile, memory: ChunkMemory) {
    this.#opened = opened;
    this.size = Number(opened.version.size);
    const readAt = (position: number, length: number): Promise<Uint8Array> =>
      this.#readAt(position, length);
    this.#chunks = new FileChunks(this.size, readAt, memory);
  }

  /** True while nobody reads it. */
  get idle(): boolean {
    return this.#readers === 0;
  }

  /** True if this is the same file, and nobody has changed anything about it since it was opened. */
  is(version: FileVersion): boolean {
    return isUntouched(this.#opened.version, version);
  }

  /** True if what was read up to now is all of the version that was opened. Local disks only: it does not wait for others. */
  async isUnchanged(): Promise<boolean> {
    const { handle, version, realPath } = this.#opened;
    return hasSameContent(version, versionOf(fstatSync(handle.fd, { bigint: true })), realPath);
  }

  /** One more reader, from the beginning. Not after `retire`. */
  newSource(): DataSource {
    this.#readers += 1;
    return new SharedSource(this);
  }

  /** Closes the file once its last reader is gone. Called once. */
  retire(): void {
    this.#retired = true;
    if (this.#readers < 2) this.#chunks.forgetAll();
    void this.#closeIfUnused();
  }

  /** For the readers: at most `wanted` bytes; none if the file became shorter. */
  read(position: number, wanted: number): Promise<Uint8Array> {
    const isShared = this.#readers > 1 || (position < FIRST_CHUNK && !this.#retired);
    return isShared ? this.#chunks.read(position, wanted) : this.#readAt(position, wanted);
  }

  /** For the readers: one of them needs it no more. */
  async release(): Promise<void> {
    this.#readers -= 1;
    await this.#closeIfUnused();
  }

  async #closeIfUnused(): Promise<void> {
    if (!this.#retired || this.#readers > 0) return;
    this.#chunks.forgetAll();
    // Node waits for a read in flight; nothing can be lost by a failed close.
    await this.#opened.handle.close().catch(() => undefined);
  }

  async #readAt(position: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(length);
    const { bytesRead } = await this.#opened.handle.read(buffer, 0, length, position);
    return buffer.subarray(0, bytesRead);
  }
}

/** One reader of a shared file, and all that is kept for it. Gives exactly the bytes that were announced, of one version, as every file does. */
class SharedSource implements DataSource {
  readonly size: number;
  #file: OpenFile | undefined;
  #position = 0;

  constructor(file: OpenFile) {
    this.#file = file;
    this.size = file.size;
  }

  async read(wanted = READ_SIZE): Promise<Uint8Array | undefined> {
    if (this.#file === undefined) throw new FileError('failed');
    const length = Math.min(wanted, this.size - this.#position);
    if (length === 0) return undefined;
    const bytes = await readFrom(this.#file, this.#position, length);
    this.#position += bytes.length;
    return bytes;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.release();
  }
}

/** The readers of a chunk share its failure, but each has an error of its own to tell of. */
async function readFrom(file: OpenFile, position: number, length: number): Promise<Uint8Array> {
  try {
    const bytes = await file.read(position, length);
    const isWhole = position + bytes.length < file.size || (await file.isUnchanged());
    if (bytes.length > 0 && isWhole) return bytes;
  } catch (error) {
    throw fileError(error);
  }
  throw new FileError('changed');
}
