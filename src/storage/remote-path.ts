/** The names that clients send, and which of them are paths that may be looked up. */

import { TftpError } from '../protocol/errors';
import { hasRawBytes } from '../protocol/name-text';

/** A path relative to a root, with `/` between its parts, that cannot lead out of the root by its text. */
export type SafePath = string & { readonly [brand]: true };
declare const brand: unique symbol;

const CONTROL = /\p{Cc}/u;

/** Halves of surrogate pairs are nothing that a name can hold, but for those that stand for bytes. */
const HALF_PAIR = /[\ud800-\udc7f\udd00-\udfff]/u;

/** What Windows takes for a device in any folder, with any extension. */
const DEVICE =
  /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)/i;

/** What Windows cannot have in a file name. `:` leads to another drive, or to another stream of a file. */
const NOT_ON_WINDOWS = /[<>:"|?*]/;

/**
 * The path that a client's name stands for. `\` is `/`, a leading `/` is the root, `//` and `./`
 * are dropped; `%` is not decoded. `..` and control characters are refused on every system.
 *
 * On Windows all is refused that is no plain file name there: drive letters and alternate streams
 * (any `:`), `\\server\share`, devices (CON, NUL, COM1, also with an extension), a dot or space at the
 * end of a part, and `< > " | ? *`. Elsewhere these are names like any other. Bytes that are not UTF-8
 * are refused on Windows and macOS, whose file names are text.
 *
 * @throws {TftpError} EACCES; the text is for the client.
 */
export function remotePath(name: string, platform: NodeJS.Platform = process.platform): SafePath {
  if (CONTROL.test(name)) throw refusal('The file name has control characters');
  const namesAreText = platform === 'win32' || platform === 'darwin';
  if (HALF_PAIR.test(name) || (namesAreText && hasRawBytes(name))) {
    throw refusal('The file name is not UTF-8');
  }
  if (platform === 'win32' && name.startsWith('\\\\')) {
    throw refusal('The file name is a network path');
  }
  const path = plainPath(name);
  assertSafe(path, platform);
  return path;
}

/** The same without a check: for comparing names, not for opening files. */
export function plainPath(name: string): string {
  const parts = name.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
  return parts.join('/');
}

function assertSafe(path: string, platform: NodeJS.Platform): asserts path is SafePath {
  for (const part of path.split('/')) {
    if (part === '') throw refusal('The file name is empty');
    if (part === '..') throw refusal("The file name has '..' in it");
    if (platform === 'win32') checkForWindows(part);
  }
}

function checkForWindows(part: string): void {
  const character = NOT_ON_WINDOWS.exec(part)?.[0];
  if (character !== undefined) throw refusal(`The file name has '${character}' in it`);
  if (/[. ]$/.test(part)) throw refusal('The file name has a dot or space at the end of a part');
  if (DEVICE.test(part)) throw refusal('The file name is the name of a device');
}

function refusal(text: string): TftpError {
  return new TftpError('EACCES', text);
}
