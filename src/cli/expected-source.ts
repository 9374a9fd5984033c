/** Holds what is sent against what was promised. */

import { createHash } from 'node:crypto';
import { LocalError } from '../protocol/errors';
import { dataSource } from '../storage/data-source';
import type { Content } from '../storage/data-source';
import type { DataSource } from '../storage/storage';

/** Anything that is undefined is not checked. */
export interface Expectation {
  /** Bytes. */
  readonly maxSize: number | undefined;
  /** Hexadecimal digits in lower case. */
  readonly sha256: string | undefined;
}

/**
 * Opens content whose end is reached only if it is as expected. A server keeps nothing of a file
 * whose end it was not told.
 *
 * @throws {LocalError} ETOOLARGE if it is known beforehand that the content is too large. Otherwise
 *   `read` rejects with ETOOLARGE or EDIGEST.
 */
export async function openExpected(content: Content, expected: Expectation): Promise<DataSource> {
  const source = await dataSource(content);
  const { maxSize = Infinity } = expected;
  if (source.size === undefined || source.size <= maxSize) return expectedSource(source, expected);
  await source.close();
  throw tooLarge(maxSize);
}

function expectedSource(
  source: DataSource,
  { maxSize = Infinity, sha256 }: Expectation,
): DataSource {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    size: source.size,
    async read() {
      const chunk = await source.read();
      if (chunk === undefined) {
        if (sha256 !== undefined) checkDigest(hash.digest('hex'), sha256);
        return undefined;
      }
      bytes += chunk.length;
      if (bytes > maxSize) throw tooLarge(maxSize);
      if (sha256 !== undefined) hash.update(chunk);
      return chunk;
    },
    close: () => source.close(),
  };
}

function checkDigest(actual: string, expected: string): void {
  if (actual === expected) return;
  throw new LocalError(
    'EDIGEST',
    `The sha256 is ${actual} where ${expected} was expected: the file is not the right one, or was damaged`,
  );
}

function tooLarge(maxSize: number): LocalError {
  return new LocalError('ETOOLARGE', `The file is larger than the limit of ${maxSize} bytes`);
}
