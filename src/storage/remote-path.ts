/** The names that clients send, and which of them are paths that may be looked up. */

import { TftpError } from '../protocol/errors';

/** A path relative to a root, with `/` between its parts, that cannot lead out of the root by its text. */
export type SafePath = string & { readonly [brand]: true };
declare const brand: unique symbol;

/** Control characters, and halves of surrogate pairs, which no file system can store. */
const CONTROL = /[\p{Cc}\p{Cs}]/u;

/** What Windows takes for a device in any folder, with any extension. */
const DEVICE =
  /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)/i;

/**
 * The path that a client's name stands for. `\` is `/`, a leading `/` is the root, `//` and `./`
 * are dropped; `%` is not decoded.
 *
 * What Windows would not take as a plain file name is refused on every system, so that a folder
 * behaves the same everywhere: drive letters and alternate streams (any `:`), `\\server\share`,
 * devices (CON, NUL, COM1, also with an extension), a dot or space at the end of a part.
 *
 * @throws {TftpError} EACCES; the text is for the client.
 */
export function remotePath(name: string): SafePath {
  if (CONTROL.test(name)) throw refusal('The file name has control characters');
  if (name.startsWith('\\\\')) throw refusal('The file name is a network path');
  const path = plainPath(name);
  assertSafe(path);
  return path;
}

/** The same without a check: for comparing names, not for opening files. */
export function plainPath(name: string): string {
  const parts = name.split(/[\\/]/).filter((part) => part !== '' && part !== '.');
  return parts.join('/');
}

function assertSafe(path: string): asserts path is SafePath {
  for (const part of path.split('/')) checkPart(part);
}

function checkPart(part: string): void {
  if (part === '') throw refusal('The file name is empty');
  if (part === '..') throw refusal("The file name has '..' in it");
  if (part.includes(':')) throw refusal("The file name has ':' in it");
  if (/[. ]$/.test(part)) throw refusal('The file name has a dot or space at the end of a part');
  if (DEVICE.test(part)) throw refusal('The file name is the name of a device');
}

function refusal(text: string): TftpError {
  return new TftpError('EACCES', text);
}
