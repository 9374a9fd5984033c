/** `red-tftp put`: a local file, or the standard input, to a server. */

import { dataSource } from '../storage/data-source';
import { remoteFile, runTransfer } from './client-command';
import { expectedSource } from './expected-source';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';

/** @returns the exit code. */
export async function put(args: Arguments, io: CommandIo): Promise<number> {
  const [file = '', url = ''] = args.operands;
  const { filename, options } = remoteFile(url, args);
  const expected = { maxSize: args.bytes('max-size'), sha256: args.text('sha256') };
  const settings = {
    records: args.has('json') ? io.stdout : undefined,
    trace: args.has('trace'),
  };
  return runTransfer(io, settings, async (client) => {
    const source = await dataSource(file === '-' ? io.stdin : { file });
    return client.put(expectedSource(source, expected), filename, options);
  });
}
