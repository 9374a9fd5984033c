/** The storage of a server node: files of a folder, uploads into the folder, into memory, or both. */

import { LocalError } from '../protocol/errors';
import { BufferSink, teeSink } from '../storage/data-sink';
import { makeStorage } from '../storage/portable-storage';
import type {
  DataSink,
  DataSource,
  PortableStorage,
  Storage,
  StorageRequest,
  StorageWriteRequest,
} from '../storage/storage';
import type { ServerConfig } from './node-config';

/** One uploaded file. What it offers is whole once the transfer is complete. */
export class Upload implements DataSink {
  readonly #file: DataSink | undefined;
  readonly #memory: BufferSink | undefined;
  readonly #sink: DataSink;

  constructor(file: DataSink | undefined, memory: BufferSink | undefined) {
    this.#file = file;
    this.#memory = memory;
    const sink =
      file !== undefined && memory !== undefined ? teeSink(file, memory) : (file ?? memory);
    if (sink === undefined) throw new TypeError('An upload needs a file or memory');
    this.#sink = sink;
  }

  /** The content, if it was kept in memory. */
  get data(): Buffer | undefined {
    return this.#memory?.data;
  }

  /** Where the file is, if it was saved. */
  get path(): string | undefined {
    return this.#file?.path;
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#sink.write(chunk);
  }

  commit(): Promise<void> {
    return this.#sink.commit();
  }

  discard(): Promise<void> {
    return this.#sink.discard();
  }
}

/** Opens files of a folder, and an {@link Upload} for each write. The server guards the size. */
export class UploadStorage implements Storage {
  readonly #folder: Storage | undefined;
  readonly #writes: ServerConfig['writes'];

  /** Without a folder there is nothing to read, and uploads can only go into memory. */
  constructor(folder: Storage | undefined, writes: ServerConfig['writes']) {
    this.#folder = folder;
    this.#writes = writes;
  }

  get portable(): PortableStorage | undefined {
    const folder = this.#folder?.portable;
    if (folder === undefined && this.#folder !== undefined) return undefined;
    const data: UploadData = { folder, writes: this.#writes };
    return { module: __filename, name: 'uploadStorage', data };
  }

  async openForReading(request: StorageRequest): Promise<DataSource> {
    if (this.#folder === undefined) throw noFolder();
    return this.#folder.openForReading(request);
  }

  async openForWriting(request: StorageWriteRequest): Promise<Upload> {
    const file =
      this.#writes === 'message' ? undefined : await this.#folder?.openForWriting(request);
    const memory = this.#writes === 'folder' ? undefined : new BufferSink();
    return new Upload(file, memory);
  }
}

interface UploadData {
  readonly folder: PortableStorage | undefined;
  readonly writes: ServerConfig['writes'];
}

/** The same storage in a worker. */
export function uploadStorage({ folder, writes }: UploadData): UploadStorage {
  return new UploadStorage(folder && makeStorage(folder), writes);
}

/** Happens only where the flow asks for a file by name. */
function noFolder(): LocalError {
  const peerMessage = 'This server has no files to read';
  const message = 'The tftp server has no folder to serve files from: fill in its "Folder"';
  return new LocalError('EACCES', message, { peerMessage });
}
