/** `red-tftp get`: a file from a server, into a local file or to the standard output. */

import { invalidSetting } from '../net/check-setting';
import { streamSink } from '../storage/data-sink';
import { givenOnly } from './arguments';
import { remoteFile, reportSettings, runTransfer } from './client-command';
import { baseName } from './progress';
import type { ClientOptions } from '../client/client-options';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';

/** Bytes: more than any image that TFTP usually carries, and less than most disks. */
const MAX_SIZE = 4 * 1024 ** 3;

/** @returns the exit code. */
export async function get(args: Arguments, io: CommandIo): Promise<number> {
  const [url = ''] = args.operands;
  const { filename, options } = remoteFile(url, args);
  const target = args.text('output') ?? localName(filename);
  const toStdout = target === '-';
  const limits = givenOnly<ClientOptions>({
    ...options,
    maxSize: args.bytes('max-size') ?? MAX_SIZE,
    sha256: args.digest('sha256'),
  });
  const settings = reportSettings(args, toStdout ? io.stderr : io.stdout);
  return runTransfer(io, settings, limits, async (client) => {
    if (toStdout) return client.getTo(streamSink(io.stdout), filename);
    return (await client.getFile(target, filename)).record;
  });
}

function localName(filename: string): string {
  const name = baseName(filename);
  if (name !== '' && name !== '.' && name !== '..' && !name.includes('\0')) return name;
  throw invalidSetting(`"${filename}" gives no name for a local file; choose one with -o`);
}
