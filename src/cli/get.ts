/** `red-tftp get`: a file from a server, into a local file or to the standard output. */

import { invalidSetting } from '../net/check-setting';
import { streamSink } from '../storage/data-sink';
import { givenOnly } from './arguments';
import { remoteFile, runTransfer } from './client-command';
import { baseName } from './progress';
import type { ClientOptions } from '../client/client-options';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';

/** @returns the exit code. */
export async function get(args: Arguments, io: CommandIo): Promise<number> {
  const [url = ''] = args.operands;
  const { filename, options } = remoteFile(url, args);
  const target = args.text('output') ?? localName(filename);
  const toStdout = target === '-';
  const limits = givenOnly<ClientOptions>({
    ...options,
    maxSize: args.bytes('max-size'),
    sha256: args.text('sha256'),
  });
  const records = toStdout ? io.stderr : io.stdout;
  const settings = { records: args.has('json') ? records : undefined, trace: args.has('trace') };
  return runTransfer(io, settings, (client) =>
    toStdout
      ? client.getTo(streamSink(io.stdout), filename, limits)
      : client.getFile(target, filename, limits),
  );
}

function localName(filename: string): string {
  const name = baseName(filename);
  if (name !== '' && name !== '.' && name !== '..' && !name.includes('\0')) return name;
  throw invalidSetting(`"${filename}" gives no name for a local file; choose one with -o`);
}
