/** Finds other people's TFTP programs. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { missing } from '../helpers/requirements';

/** The programs, by the name of their file. */
export type Tool = 'curl' | 'atftp' | 'tftp' | 'in.tftpd' | 'atftpd';

/**
 * The path of a program: below `TFTP_INTEROP_ROOT`, where packages may have been unpacked, or in
 * `PATH` and the folders of servers. Without it the tests of `context` fail where CI is set, and are
 * skipped, with a word about it, elsewhere.
 */
export function requireTool(context: Mocha.Context, tool: Tool): string {
  const found = toolFolders()
    .map((folder) => path.join(folder, tool))
    .find((file) => existsSync(file));
  if (found !== undefined) return found;
  return missing(context, `${tool} is not installed, nor below TFTP_INTEROP_ROOT`);
}

function toolFolders(): string[] {
  const unpacked = process.env['TFTP_INTEROP_ROOT'];
  const below = unpacked === undefined ? [] : ['usr/bin', 'usr/sbin'];
  return [
    ...below.map((folder) => path.join(unpacked!, folder)),
    ...(process.env['PATH'] ?? '').split(path.delimiter),
    '/usr/sbin',
  ];
}
