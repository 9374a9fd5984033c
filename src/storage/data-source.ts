/** Content to be sent: from memory, a file or a stream. */

import { toNetascii } from '../protocol/netascii';
import { fileSource } from './file-source';
import type { DataSource } from './storage';
import { streamSource } from './stream-source';

export { fileSource } from './file-source';
export { streamSource, type Chunks } from './stream-source';

/** Anything that can be sent. A string is sent as UTF-8, `file` is a local path. */
export type Content =
  Uint8Array | string | AsyncIterable<Uint8Array | string> | { readonly file: string } | DataSource;

/** Bytes in one read, where nobody says how many. */
const CHUNK_SIZE = 64 * 1024;

/**
 * Opens whatever may be sent.
 *
 * @throws {LocalError} ENOENT, EACCES or EIO if `content` is a file that cannot be opened.
 */
export async function dataSource(content: Content): Promise<DataSource> {
  if (typeof content === 'string' || content instanceof Uint8Array) return bufferSource(content);
  if (Symbol.asyncIterator in content) return streamSource(content);
  if ('file' in content) return fileSource(content.file);
  return content;
}

/** Content in memory, which must not change until it is sent. A string is sent as UTF-8. */
export function bufferSource(content: Uint8Array | string): DataSource {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  let position = 0;
  return {
    size: bytes.length,
    async read(wanted = CHUNK_SIZE) {
      if (position === bytes.length) return undefined;
      const chunk = bytes.subarray(position, position + wanted);
      position += chunk.length;
      return chunk;
    },
    async close() {},
    handOver: () => ({ bytes }),
  };
}

/** The same content in netascii (RFC 1350 section 1). Its size is not known before its end. */
export function netasciiSource(source: DataSource): DataSource {
  return {
    size: undefined,
    async read(wanted) {
      const chunk = await source.read(wanted);
      return chunk === undefined ? undefined : toNetascii(chunk);
    },
    close: () => source.close(),
  };
}
