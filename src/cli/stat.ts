/** `red-tftp stat`: the size of a file on a server. */

import { remoteFile, reportSettings, runTransfer } from './client-command';
import { printLine } from './command-io';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';

/** @returns the exit code. */
export async function stat(args: Arguments, io: CommandIo): Promise<number> {
  const [url = ''] = args.operands;
  const { filename, options } = remoteFile(url, args);
  const settings = { ...reportSettings(args, io.stdout), endingsOnly: true };
  return runTransfer(io, settings, options, async (client) => {
    const { size, record } = await client.stat(filename);
    if (settings.records === undefined) printLine(io.stdout, size === null ? 'unknown' : `${size}`);
    return record;
  });
}
