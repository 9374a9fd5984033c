/** `red-tftp put`: a local file, or the standard input, to a server. */

import { remoteFile, reportSettings, runTransfer } from './client-command';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';
import type * as ExpectedSource from './expected-source';

/** @returns the exit code. */
export async function put(args: Arguments, io: CommandIo): Promise<number> {
  const [file = '', url = ''] = args.operands;
  const { filename, options } = remoteFile(url, args);
  const content = file === '-' ? io.stdin : { file };
  const expected = { maxSize: args.bytes('max-size'), sha256: args.digest('sha256') };
  const isChecked = expected.maxSize !== undefined || expected.sha256 !== undefined;
  return runTransfer(io, reportSettings(args, io.stdout), options, async (client) => {
    if (!isChecked) return client.put(content, filename);
    const { openExpected }: typeof ExpectedSource = require('./expected-source');
    return client.put(await openExpected(content, expected), filename);
  });
}
