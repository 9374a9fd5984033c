/** One of the folders that names are looked up in, with a place of its own for some clients. */

import type { Stats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LocalError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import type { CaseLookup } from './case-lookup';
import { disk } from './disk';
import { FileError, isMissing } from './file-error';
import { FoundFile } from './found-file';
import { checkUnmoved, Jail, type Place } from './jail';
import type { NeighbourTable } from './neighbour-table';
import type { OpenFiles } from './open-files';
import { openRegularFile, type OpenedFile } from './opened-file';
import { isPartName } from './part-file';
import { remotePath, type SafePath } from './remote-path';
import type { DataSource } from './storage';

/** How names are looked up. */
export interface LookupOptions {
  /** By what a client's own folder is named; undefined if there is none. */
  readonly perClient: 'ip' | 'mac' | undefined;
  /** Finds names that are spelled otherwise; undefined if case counts. */
  readonly otherCase: CaseLookup | undefined;
}

export class SearchFolder {
  /** Absolute. */
  readonly path: string;
  readonly #jail: Jail;
  readonly #options: LookupOptions;
  readonly #neighbours: NeighbourTable;

  constructor(folder: string, options: LookupOptions, neighbours: NeighbourTable) {
    this.path = path.resolve(folder);
    this.#jail = new Jail(this.path);
    this.#options = options;
    this.#neighbours = neighbours;
  }

  /**
   * Where a name leads to for a client: into its own folder if it has one here, else into this one.
   *
   * @throws {TftpError} EACCES if that is out of this folder or a part of an upload, EIO if this
   * folder is missing.
   */
  async locate(name: SafePath, client: Peer): Promise<Place> {
    checkParts(name.split('/'));
    const place = await this.#find(await this.#wholeName(name, client));
    checkParts([path.basename(place.existing)]);
    return place;
  }

  /**
   * Opens what a name leads to for a client. In which folder it is looked for is decided anew each
   * time; a file that was found there lately and has not changed is not opened again.
   *
   * @param files the files that are open.
   * @returns undefined if there is nothing of this name.
   * @throws {TftpError} as `locate` does, and if it is no regular file or may not be read.
   */
  async open(name: SafePath, client: Peer, files: OpenFiles): Promise<DataSource | undefined> {
    checkParts(name.split('/'));
    const whole = await this.#wholeName(name, client);
    return files.open(path.join(this.path, whole), () => this.#open(whole));
  }

  /**
   * Looks whether the folder can be used.
   *
   * @throws {LocalError} EINVAL if it is missing or no folder, ENOPERM if it may not be read.
   */
  async check(): Promise<void> {
    const found = await this.#stat();
    if (!found.isDirectory()) {
      throw new LocalError('EINVAL', `${this.path} is not a folder: choose a folder`);
    }
    try {
      const folder = await opendir(this.path);
      await folder.close();
      // A folder may be listed although nothing in it can be opened.
      await stat(`${this.path}${path.sep}.`);
    } catch (cause) {
      throw this.#unreadable(cause);
    }
  }

  /** A name of this folder, for a client that may have a folder of its own. */
  async #wholeName(name: SafePath, { address }: Peer): Promise<SafePath> {
    const own = await this.#folderOf(address);
    return own === undefined ? name : remotePath(`${own}/${name}`);
  }

  async #open(name: SafePath): Promise<OpenedFile | undefined> {
    const found = await this.#jail.find(name);
    if (found instanceof FoundFile) return openFound(found);
    // A name that is spelled otherwise was not looked for yet.
    const place = this.#options.otherCase ? await this.#find(name) : found;
    checkParts([path.basename(place.existing)]);
    return place.missing.length === 0 ? openByPath(place.existing) : undefined;
  }

  #find(name: SafePath): Promise<Place> {
    const { otherCase } = this.#options;
    return this.#jail.locate(
      name,
      otherCase && ((folder, part) => otherCase.spelling(folder, part)),
    );
  }

  /** The name of a client's own folder, if there is one. */
  async #folderOf(address: string): Promise<SafePath | undefined> {
    const folder = this.#folderName(address);
    if (folder === undefined) return undefined;
    const name = remotePath(folder);
    const { existing, missing } = await this.#jail.locate(name);
    return missing.length === 0 && (await disk.stat(existing)).isDirectory() ? name : undefined;
  }

  /** IPv6 addresses have `-` for `:`, which is no part of a file name on Windows. */
  #folderName(address: string): string | undefined {
    const { perClient } = this.#options;
    if (perClient === undefined) return undefined;
    const name = perClient === 'ip' ? address.split('%')[0] : this.#neighbours.macOf(address);
    return name?.replaceAll(':', '-');
  }

  async #stat(): Promise<Stats> {
    try {
      return await stat(this.path);
    } catch (cause) {
      if (!isMissing(cause)) throw this.#unreadable(cause);
      const text = `The folder ${this.path} does not exist: create it or choose another`;
      throw new LocalError('EINVAL', text, { cause });
    }
  }

  #unreadable(cause: unknown): LocalError {
    const text = `The folder ${this.path} may not be read: change its permissions or choose another`;
    return new LocalError('ENOPERM', text, { cause });
  }
}

async function openFound(found: FoundFile): Promise<OpenedFile> {
  try {
    checkParts([path.basename(found.realPath)]);
    return await found.open();
  } finally {
    found.close();
  }
}

/** Opens what was found by its path: that must lead to no other place meanwhile. */
async function openByPath(realPath: string): Promise<OpenedFile> {
  const opened = await openRegularFile(realPath);
  try {
    await checkUnmoved(realPath);
    return opened;
  } catch (error) {
    await opened.handle.close();
    throw error;
  }
}

/** No part of an upload is touched. The real name counts as well: a link or a short name of Windows may lead to one. */
function checkParts(parts: readonly string[]): void {
  if (parts.some(isPartName)) throw new FileError('denied');
}
