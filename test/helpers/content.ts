import assert from 'node:assert';
import { isTftpError, type TftpError } from '../../src/protocol/errors';
import type { DataSink, DataSource, StorageWriteRequest } from '../../src/storage/storage';

/** A request in octet mode, without options. */
export function requestFor(
  filename: string,
  more: Partial<StorageWriteRequest> = {},
): StorageWriteRequest {
  const client = { address: '127.0.0.1', port: 50_000 };
  return { filename, mode: 'octet', client, options: [], size: undefined, ...more };
}

/** Everything that is left in a source. It is closed. */
export async function readAll(source: DataSource): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  try {
    for (let chunk = await source.read(); chunk !== undefined; chunk = await source.read()) {
      assert(chunk.length > 0, 'a source gave an empty chunk');
      chunks.push(chunk);
    }
  } finally {
    await source.close();
  }
  return Buffer.concat(chunks);
}

/** Writes all of it, in chunks that are overwritten after each call, as a sink must expect. */
export async function writeAll(
  sink: DataSink,
  content: string | Uint8Array,
  chunkSize = Infinity,
): Promise<void> {
  const bytes = Buffer.from(content);
  for (let position = 0; position < bytes.length; position += chunkSize) {
    const chunk = Buffer.from(bytes.subarray(position, position + chunkSize));
    await sink.write(chunk);
    chunk.fill('#');
  }
}

/** The `TftpError` that a promise rejects with; fails if it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<TftpError> {
  const result = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert(isTftpError(result), `expected a TftpError, not ${String(result)}`);
  return result;
}
