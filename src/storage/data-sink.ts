/** Where received content goes: memory, a file or a stream, and what can be put around that. */

import type { TftpError } from '../protocol/errors';
import { NetasciiDecoder } from '../protocol/netascii';
import { commitOrDiscard } from './commit-or-discard';
import type { DataSink } from './storage';

export { BufferSink } from './buffer-sink';
export { digestSink, type Digests, type DigestSink, type ExpectedDigests } from './digest-sink';
export { FileSink, type FileSinkOptions } from './file-sink';
export type { OverwritePolicy } from './overwrite-policy';
export { streamSink } from './stream-sink';

/** Takes netascii (RFC 1350 section 1) and passes on local text. */
export function netasciiSink(sink: DataSink): DataSink {
  const decoder = new NetasciiDecoder();
  async function pass(text: Uint8Array): Promise<void> {
    if (text.length > 0) await sink.write(text);
  }
  return {
    write: (chunk) => pass(decoder.decode(chunk)),
    commit() {
      return commitOrDiscard(sink, async () => {
        await pass(decoder.end());
        await sink.commit();
      });
    },
    discard: () => sink.discard(),
  };
}

/**
 * Lets at most `maxBytes` through. The chunk that is too much is not written at all.
 *
 * @param error What `write` rejects with then.
 */
export function limitedSink(sink: DataSink, maxBytes: number, error: () => TftpError): DataSink {
  let taken = 0;
  return {
    async write(chunk) {
      taken += chunk.length;
      if (taken > maxBytes) throw error();
      await sink.write(chunk);
    },
    commit: () => sink.commit(),
    discard: () => sink.discard(),
  };
}

/**
 * Writes to two sinks at the pace of the slower one. `first` is committed first, and `second` only
 * if that went well: let `second` be the one whose commit cannot fail.
 */
export function teeSink(first: DataSink, second: DataSink): DataSink {
  return {
    // The caller may reuse its memory only when both are done with it, also if one has failed.
    write: (chunk) => settleBoth(first.write(chunk), second.write(chunk)),
    commit() {
      return commitOrDiscard(second, async () => {
        await first.commit();
        await second.commit();
      });
    },
    discard: () => settleBoth(first.discard(), second.discard()),
  };
}

async function settleBoth(first: Promise<void>, second: Promise<void>): Promise<void> {
  const results = await Promise.allSettled([first, second]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
