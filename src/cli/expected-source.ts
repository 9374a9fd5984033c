/** Holds what is sent against what was promised. */

import { createHash } from 'node:crypto';
import { LocalError } from '../protocol/errors';
import type { DataSource } from '../storage/storage';

/** Anything that is undefined is not checked. */
export interface Expectation {
  /** Bytes. More of them reject with ETOOLARGE. */
  readonly maxSize: number | undefined;
  /** Hexadecimal digits. Another content rejects with EDIGEST. */
  readonly sha256: string | undefined;
}

/**
 * A source whose end is reached only if its content is as expected. The receiver keeps nothing of a
 * file whose end it was not told.
 */
export function expectedSource(source: DataSource, expected: Expectation): DataSource {
  const { maxSize = Infinity, sha256 } = expected;
  const hash = sha256 === undefined ? undefined : createHash('sha256');
  let bytes = 0;
  return {
    size: source.size,
    async read() {
      const chunk = await source.read();
      if (chunk === undefined) {
        checkDigest(hash?.digest('hex'), sha256);
        return undefined;
      }
      bytes += chunk.length;
      if (bytes > maxSize) throw tooLarge(maxSize);
      hash?.update(chunk);
      return chunk;
    },
    close: () => source.close(),
  };
}

function checkDigest(actual: string | undefined, expected: string | undefined): void {
  if (actual === expected?.toLowerCase()) return;
  throw new LocalError('EDIGEST', `The SHA-256 is ${actual}, not ${expected}`);
}

function tooLarge(maxSize: number): LocalError {
  return new LocalError('ETOOLARGE', `The file is larger than ${maxSize} bytes`);
}
