/** Name rules in files on the disk. */

import { readFile, stat } from 'node:fs/promises';
import { LocalError, isTftpError } from '../../protocol/errors';
import { nameText } from '../../protocol/name-text';
import { invalidSetting } from '../../net/check-setting';
import { NameRules } from './name-rules';

/** Bytes. The largest map files that people write have some hundred lines. */
const MAX_SIZE = 1024 * 1024;

/**
 * The rules of a map file.
 *
 * @throws {LocalError} ENOENT if the file is missing, EIO if it cannot be read, EINVAL if it is no
 * map file or its rules are wrong. The message names the file, and is for the user, not for a client.
 */
export async function loadMapFile(file: string): Promise<NameRules> {
  const text = await readMapFile(file);
  return namingFile(file, () => NameRules.parse(text));
}

/** Has the rules read from the file again. If that fails as `loadMapFile` does, the old ones stay. */
export async function reloadMapFile(rules: NameRules, file: string): Promise<void> {
  const text = await readMapFile(file);
  namingFile(file, () => rules.reload(text));
}

async function readMapFile(file: string): Promise<string> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) throw invalidSetting(`${file} is no file: name a map file`);
    if (stats.size > MAX_SIZE) {
      throw invalidSetting(`${file} is too large for a map file: 1 MiB at most`);
    }
    return nameText(await readFile(file));
  } catch (error) {
    throw isTftpError(error) ? error : unreadable(file, error);
  }
}

function unreadable(file: string, cause: unknown): LocalError {
  const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
  return missing
    ? new LocalError('ENOFILE', `There is no map file ${file}: create it, or name another one`)
    : new LocalError('EIO', `The map file ${file} cannot be read: ${String(cause)}`, { cause });
}

function namingFile<T>(file: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw isTftpError(error) ? invalidSetting(`${file}: ${error.message}`) : error;
  }
}
