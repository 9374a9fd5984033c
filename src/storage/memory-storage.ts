/** Files in memory. */

import { BufferSink } from './buffer-sink';
import { bufferSource } from './data-source';
import { FileError } from './file-error';
import { remotePath, type SafePath } from './remote-path';
import type { DataSink, DataSource, Storage, StorageRequest } from './storage';

/**
 * Serves what is in `files`, and puts uploads there when they are complete, in the place of what
 * had their name. Transfers that run keep the content that they began with.
 */
export class MemoryStorage implements Storage {
  /** Content by name. Names have `/` between their parts and none at the start. */
  readonly files: Map<string, Buffer>;

  constructor(files: Iterable<readonly [name: string, content: Buffer]> = []) {
    this.files = new Map(files);
  }

  /** @throws {TftpError} ENOENT or EACCES. */
  async openForReading(request: StorageRequest): Promise<DataSource> {
    const content = this.files.get(remotePath(request.filename));
    if (content === undefined) throw new FileError('missing');
    return bufferSource(content);
  }

  /** @throws {TftpError} EACCES */
  async openForWriting(request: StorageRequest): Promise<DataSink> {
    return new MemorySink(this.files, remotePath(request.filename));
  }
}

class MemorySink extends BufferSink {
  readonly #files: Map<string, Buffer>;
  readonly #name: SafePath;

  constructor(files: Map<string, Buffer>, name: SafePath) {
    super();
    this.#files = files;
    this.#name = name;
  }

  override async commit(): Promise<void> {
    await super.commit();
    this.#files.set(this.#name, this.data);
  }
}
