/**
 * Where files come from and go to. A storage turns the name that a client asked for into a source or
 * a sink, or refuses by throwing a `TftpError` with the code for the client.
 */

import type { TftpError } from '../protocol/errors';
import type { TransferMode, WireOption } from '../protocol/packet';
import type { Peer } from '../transfer/peer-lock';
import type { OpenedFile } from './opened-file';

/** The bytes of a file, in order. */
export interface DataSource {
  /** The length in bytes, if it is known beforehand. */
  readonly size: number | undefined;
  /**
   * The next bytes, any number but zero; undefined at the end. Never called again before the last
   * call has settled. The bytes must stay as they are until then. Rejects with a `TftpError`.
   *
   * @param wanted about how many bytes are of use now: more would only lie in memory.
   */
  read(wanted?: number): Promise<Uint8Array | undefined>;
  /** Frees what the source holds. Called once, after success and after failure. Never rejects. */
  close(): Promise<void>;
  /**
   * Gives the content away, for another thread to read it by itself. Called at most once, instead of
   * `read`. Only for sources that can: those without it are read where they are, chunk by chunk.
   */
  handOver?(): MovableContent;
}

/** What another thread can read without asking the one that opened it: all the bytes, or the open file. */
export type MovableContent = { readonly bytes: Uint8Array } | MovableFile;

/** An open file that has not been read from. */
export interface MovableFile extends OpenedFile {
  /** For error messages; none if they are for a remote client. */
  readonly path?: string | undefined;
}

/**
 * Takes the bytes of a file, in order. `commit` is called at most once. `discard` is called once if
 * anything failed, `write` and `commit` included, also while `write` runs, and never
 * after a `commit` that went well.
 */
export interface DataSink {
  /**
   * Takes the next bytes. The sink may use the memory only until the promise settles, and is not
   * called again before. Rejects with a `TftpError`, ENOSPC when the disk is full.
   */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes the file visible and safe against a power cut. What is not safe rejects with a `TftpError`. */
  commit(): Promise<void>;
  /** Forgets all that was written and leaves no trace. Never rejects. */
  discard(): Promise<void>;
  /** Where the file is, if it is one; known after `commit`. */
  readonly path?: string | undefined;
  /** The content, if it was kept in memory that belongs to nobody else; known after `commit`. */
  readonly data?: Buffer | undefined;
}

/** What a client asked for. */
export interface StorageRequest {
  /**
   * The name exactly as the client sent it: not trusted. A byte that is not UTF-8 is U+DC00 plus the
   * byte; `nameBytes` gives the bytes of the whole name.
   */
  readonly filename: string;
  readonly mode: TransferMode;
  readonly client: Peer;
  /** The options of the request as they were sent. */
  readonly options: readonly WireOption[];
  /** The client's hardware address, where it is known. */
  readonly mac?: string;
  /**
   * Aborted, with a `TftpError` as its reason, when nobody waits for the file any more: the client
   * has given up, or the server stops. Worth watching if opening takes long. Servers always give it.
   */
  readonly signal?: AbortSignal;
}

/** A request to write. */
export interface StorageWriteRequest extends StorageRequest {
  /** The size that the client announced (tsize), if it did. In netascii it may differ from what is stored. */
  readonly size: number | undefined;
  /**
   * Ends the transfer with an error. A storage calls it when something else takes the place of the
   * upload, such as a later one of the same client, for which a client that is dead would be waited
   * for in vain. Servers always give it.
   */
  readonly abort?: (reason: TftpError) => void;
}

/** Opens files by name. Both calls reject with a `TftpError` whose code and text the client may see. */
export interface Storage {
  /** Opens a file for a client that reads it. */
  openForReading(request: StorageRequest): Promise<DataSource>;
  /** Opens a sink for a client that writes a file. */
  openForWriting(request: StorageWriteRequest): Promise<DataSink>;
  /**
   * Whether a read or a write of this name could begin. Name rules ask it to choose among names
   * (`E`). Only for storages where opening costs much or is seen by somebody: without it the file is
   * opened, and closed or discarded at once.
   */
  canOpen?(request: StorageRequest, operation: 'read' | 'write'): Promise<boolean>;
  /**
   * How another thread makes a storage that does the same. A server with a worker then opens the files
   * there; what has no `portable` is asked in the thread that made it.
   */
  readonly portable?: PortableStorage | undefined;
}

/** A storage that can be made anew: by `require(module)[name](data, home)`. */
export interface PortableStorage {
  /** The whole path of a module. */
  readonly module: string;
  /** A function that it exports. It gets `data`, and `home` if there is one, and returns the storage. */
  readonly name: string;
  /** What can be cloned: plain values, no functions. */
  readonly data: unknown;
  /** A part that stays where it is, and is asked from there. */
  readonly home?: Storage;
}
