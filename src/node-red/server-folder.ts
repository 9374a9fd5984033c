/** The folder of a server node. */

import { mkdir, stat } from 'node:fs/promises';
import { LocalError } from '../protocol/errors';
import { localPath } from './local-path';
import { asksFlow, needsFolder } from './node-config';
import type { FolderStorageOptions } from '../storage/folder-storage';
import type { ServerConfig } from './node-config';

/**
 * How the folder is served; undefined if the server uses none. Paths in the settings count from the
 * working directory that Node-RED was given.
 */
export function folderOptions(
  RED: Parameters<typeof localPath>[0],
  config: ServerConfig,
): FolderStorageOptions | undefined {
  const { root, overwrite, createDir, folder } = config;
  // The flow may name files of a folder too.
  const isUsed = needsFolder(config) || (asksFlow(config) && root !== '');
  if (!isUsed) return undefined;
  const { extraRoots, writeRoot, ...lookup } = folder;
  return {
    ...lookup,
    root: [root, ...extraRoots].map((path) => localPath(RED, path)),
    ...(writeRoot !== '' && { writeRoot: localPath(RED, writeRoot) }),
    overwrite,
    createDirs: createDir,
  };
}

/** @throws {LocalError} ENOFILE if one of the folders is missing, and may not or cannot be created. */
export async function checkFolders(
  { root, writeRoot }: FolderStorageOptions,
  create: boolean,
): Promise<void> {
  for (const folder of [root, writeRoot ?? []].flat()) await checkFolder(folder, create);
}

async function checkFolder(folder: string, create: boolean): Promise<void> {
  if (create) await mkdir(folder, { recursive: true }).catch(() => undefined);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  const message = `The folder ${folder} does not exist: create it, or choose another one`;
  throw new LocalError('ENOFILE', message, { filename: folder });
}
