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
import { UploadMemory } from './upload-memory';
import type { ServerConfig } from './node-config';
import type { UploadMemoryData } from './upload-memory';

/** One uploaded file. What it offers is whole once the transfer is complete. */
export class Upload implements DataSink {
  readonly #file: DataSink | undefined;
  readonly #memory: BufferSink | undefined;
  readonly #sink: DataSink;

  constructor(file: DataSink | undefined, memory?: BufferSink) {
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

/** Collects an upload in memory, and counts that as long as the upload is not whole. */
class CountedSink extends BufferSink {
  readonly #memory: UploadMemory;
  #counted = 0;

  constructor(memory: UploadMemory) {
    super();
    this.#memory = memory;
  }

  override async write(chunk: Uint8Array): Promise<void> {
    this.#memory.take(chunk.length);
    this.#counted += chunk.length;
    await super.write(chunk);
  }

  override async commit(): Promise<void> {
    await super.commit();
    this.#release();
  }

  override async discard(): Promise<void> {
    await super.discard();
    this.#release();
  }

  #release(): void {
    this.#memory.give(this.#counted);
    this.#counted = 0;
  }
}

/** Opens files of a folder, and an {@link Upload} for each write. The server guards the size. */
export class UploadStorage implements Storage {
  readonly #folder: Storage | undefined;
  readonly #writes: ServerConfig['writes'];
  readonly #memory: UploadMemory;

  /** Without a folder there is nothing to read, and uploads can only go into memory. */
  constructor(folder: Storage | undefined, writes: ServerConfig['writes'], memory: UploadMemory) {
    this.#folder = folder;
    this.#writes = writes;
    this.#memory = memory;
  }

  get portable(): PortableStorage | undefined {
    const folder = this.#folder?.portable;
    if (folder === undefined && this.#folder !== undefined) return undefined;
    const data: UploadData = { folder, writes: this.#writes, memory: this.#memory.data };
    return { module: __filename, name: 'uploadStorage', data };
  }

  async openForReading(request: StorageRequest): Promise<DataSource> {
    if (this.#folder === undefined) throw noFolder();
    return this.#folder.openForReading(request);
  }

  /** @throws {LocalError} ENOSPC at once if the announced size does not fit into the memory. */
  async openForWriting(request: StorageWriteRequest): Promise<Upload> {
    if (this.#writes === 'folder') return new Upload(await this.#folder?.openForWriting(request));
    this.#memory.check(request.size ?? 0);
    const file =
      this.#writes === 'message' ? undefined : await this.#folder?.openForWriting(request);
    return new Upload(file, new CountedSink(this.#memory));
  }
}

interface UploadData {
  readonly folder: PortableStorage | undefined;
  readonly writes: ServerConfig['writes'];
  readonly memory: UploadMemoryData;
}

/** The same storage in a worker. */
export function uploadStorage({ folder, writes, memory }: UploadData): UploadStorage {
  return new UploadStorage(folder && makeStorage(folder), writes, UploadMemory.inThread(memory));
}

/** Happens only where the flow asks for a file by name. */
function noFolder(): LocalError {
  const peerMessage = 'This server has no files to read';
  const message = 'The tftp server has no folder to serve files from: fill in its "Folder"';
  return new LocalError('EACCES', message, { peerMessage });
}
