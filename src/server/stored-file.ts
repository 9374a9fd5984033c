/** What became of an upload. */

import type { DataSink, Storage } from '../storage/storage';

/** What was stored. Each property is there only if the storage can tell. */
export interface StoredFile {
  /** Where the file is. A byte that is not UTF-8 is as in `StorageRequest.filename`. */
  readonly path?: string;
  /** The content, where the storage keeps it in memory. */
  readonly data?: Buffer;
  /** The sink that the storage opened, if it is one of your own: one without `portable`. */
  readonly sink?: DataSink;
}

/** What a sink that has been committed tells of itself. */
export function storedFile(sink: DataSink, storage: Pick<Storage, 'portable'>): StoredFile {
  const { path, data } = sink;
  return {
    ...(path !== undefined && { path }),
    ...(data !== undefined && { data }),
    ...(storage.portable === undefined && { sink }),
  };
}
