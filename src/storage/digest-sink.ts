/** Content whose checksum is taken on its way. */

import type * as Crypto from 'node:crypto';
import { LocalError } from '../protocol/errors';
import { commitOrDiscard } from './commit-or-discard';
import type { DataSink } from './storage';

/** Checksums in lower-case hexadecimal digits. */
export interface Digests {
  readonly sha256?: string;
  readonly md5?: string;
}

/** A sink that knows the checksums of what it took. */
export interface DigestSink extends DataSink {
  /** Valid after `commit`: `sha256` always, `md5` if one was expected. */
  readonly digests: Digests;
}

/** What the content is expected to have. */
export interface ExpectedDigests {
  readonly sha256?: string | undefined;
  readonly md5?: string | undefined;
}

const LENGTHS = { sha256: 64, md5: 32 } as const;

const ALGORITHMS = ['sha256', 'md5'] as const;

/**
 * Takes the SHA-256 of what goes into `sink`, and the MD5 if one is expected. Content with another
 * checksum than the expected one is discarded, and `commit` rejects with EDIGEST.
 *
 * @param expected Hexadecimal digits in any case, as the tools print them.
 * @throws {LocalError} EINVAL if an expected checksum cannot be one.
 */
export function digestSink(sink: DataSink, expected: ExpectedDigests = {}): DigestSink {
  const wanted = {
    sha256: parseDigest('sha256', expected.sha256),
    md5: parseDigest('md5', expected.md5),
  };
  // Loaded only when it is needed, as it takes milliseconds that a small get of the command would wait for.
  const { createHash }: typeof Crypto = require('node:crypto');
  const sha256 = createHash('sha256');
  const md5 = wanted.md5 === undefined ? undefined : createHash('md5');
  let digests: Digests = {};
  return {
    get digests() {
      return digests;
    },
    write(chunk) {
      sha256.update(chunk);
      md5?.update(chunk);
      return sink.write(chunk);
    },
    commit() {
      return commitOrDiscard(sink, async () => {
        digests = { sha256: sha256.digest('hex'), ...(md5 && { md5: md5.digest('hex') }) };
        checkDigests(wanted, digests);
        await sink.commit();
      });
    },
    discard: () => sink.discard(),
  };
}

/** A checksum as a user gives it, in one form. */
function parseDigest(name: keyof Digests, given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  const digest = given.trim().toLowerCase();
  const length = LENGTHS[name];
  if (digest.length === length && /^[0-9a-f]+$/.test(digest)) return digest;
  throw new LocalError('EINVAL', `${name} must be ${length} hexadecimal digits, not '${given}'`);
}

function checkDigests(wanted: ExpectedDigests, actual: Digests): void {
  for (const name of ALGORITHMS) {
    if (wanted[name] === undefined || wanted[name] === actual[name]) continue;
    throw new LocalError(
      'EDIGEST',
      `The ${name} is ${actual[name]} where ${wanted[name]} was expected: the file is not the right one, or was damaged`,
    );
  }
}
