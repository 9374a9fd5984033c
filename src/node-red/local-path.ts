/** Names of local files, as Node-RED's own file nodes understand them. */

import * as path from 'node:path';

/** An absolute path; a relative one starts at `fileWorkingDirectory` of the settings, if there is one. */
export function localPath(RED: { readonly settings: object }, name: string): string {
  const folder: unknown = Reflect.get(RED.settings, 'fileWorkingDirectory');
  return path.resolve(typeof folder === 'string' ? folder : '', name);
}

/** The last part of a name on a server, whose parts may be divided by `/` or `\`. */
export function lastPart(remoteName: string): string {
  return remoteName.split(/[\\/]/).pop() ?? '';
}
