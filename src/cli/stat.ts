/** `red-tftp stat`: the size of a file on a server. */

import { remoteFile, runTransfer } from './client-command';
import { printLine } from './command-io';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';

/** @returns the exit code. */
export async function stat(args: Arguments, io: CommandIo): Promise<number> {
  const [url = ''] = args.operands;
  const { filename, options } = remoteFile(url, args);
  const json = args.has('json');
  const settings = {
    records: json ? io.stdout : undefined,
    endingsOnly: true,
    trace: args.has('trace'),
  };
  return runTransfer(io, settings, async (client) => {
    const { size, record } = await client.stat(filename, options);
    if (!json) printLine(io.stdout, size === null ? 'unknown' : `${size}`);
    return record;
  });
}
