/** A storage that the worker of a server makes by itself, and that ends or blocks the worker on request. */

import { bufferSource } from '../../src/storage/data-source';
import { LocalError } from '../../src/protocol/errors';
import type {
  DataSource,
  PortableStorage,
  Storage,
  StorageRequest,
} from '../../src/storage/storage';

/** Reads of `die` end the worker, those of `hang` block it for good; anything else is in `files`. */
export class OddStorage implements Storage {
  readonly #files: Readonly<Record<string, string>>;

  constructor(files: Readonly<Record<string, string>>) {
    this.#files = files;
  }

  get portable(): PortableStorage {
    return { module: __filename, name: 'oddStorage', data: this.#files };
  }

  async openForReading({ filename }: StorageRequest): Promise<DataSource> {
    if (filename === 'die') process.exit(1);
    if (filename === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    const content = this.#files[filename];
    if (content === undefined) throw new LocalError('ENOENT', 'File not found');
    return bufferSource(content);
  }

  openForWriting(): Promise<never> {
    return Promise.reject(new LocalError('EACCES', 'no'));
  }
}

export function oddStorage(files: Readonly<Record<string, string>>): OddStorage {
  return new OddStorage(files);
}
