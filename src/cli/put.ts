/** `red-tftp put`: a local file, or the standard input, to a server. */

import { remoteFile, reportSettings, runTransfer } from './client-command';
import { openExpected } from './expected-source';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';

/** @returns the exit code. */
export async function put(args: Arguments, io: CommandIo): Promise<number> {
  const [file = '', url = ''] = args.operands;
  const { filename, options } = remoteFile(url, args);
  const content = file === '-' ? io.stdin : { file };
  const expected = { maxSize: args.bytes('max-size'), sha256: args.digest('sha256') };
  const isChecked = expected.maxSize !== undefined || expected.sha256 !== undefined;
  return runTransfer(io, reportSettings(args, io.stdout), options, async (client) =>
    client.put(isChecked ? await openExpected(content, expected) : content, filename),
  );
}
