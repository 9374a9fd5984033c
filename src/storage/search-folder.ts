/** One of the folders that names are looked up in, with a place of its own for some clients. */

import type { Stats } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LocalError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import { locateIgnoringCase } from './case-lookup';
import { FileError, isMissing } from './file-error';
import { Jail, type Place } from './jail';
import type { NeighbourTable } from './neighbour-table';
import { isPartName } from './part-file';
import { remotePath, type SafePath } from './remote-path';

/** How names are looked up. */
export interface LookupOptions {
  /** By what a client's own folder is named; undefined if there is none. */
  readonly perClient: 'ip' | 'mac' | undefined;
  readonly caseInsensitive: boolean;
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
  async locate(name: SafePath, { address }: Peer): Promise<Place> {
    const own = await this.#folderOf(address);
    const whole = own === undefined ? name : remotePath(`${own}/${name}`);
    const place = await this.#find(whole);
    // The real path counts as well: a link or a short name of Windows may lead to such a file.
    const parts = [...name.split('/'), path.basename(place.existing)];
    if (parts.some(isPartName)) throw new FileError('denied');
    return place;
  }

  /**
   * Looks whether the folder can be used.
   *
   * @throws {LocalError} EINVAL if it is missing or no folder, EACCES if it may not be read.
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

  #find(name: SafePath): Promise<Place> {
    return this.#options.caseInsensitive
      ? locateIgnoringCase(this.#jail, name)
      : this.#jail.locate(name);
  }

  /** The name of a client's own folder, if there is one. */
  async #folderOf(address: string): Promise<SafePath | undefined> {
    const folder = this.#folderName(address);
    if (folder === undefined) return undefined;
    const name = remotePath(folder);
    const { existing, missing } = await this.#jail.locate(name);
    return missing.length === 0 && (await stat(existing)).isDirectory() ? name : undefined;
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
    return new LocalError('EACCES', text, { cause });
  }
}
