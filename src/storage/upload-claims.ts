/** Which running upload has a name, where two cannot share it. */

import { FileError } from './file-error';

/** An upload that may have to give its name away. */
export interface Claimant {
  /** Whose upload it is; undefined if nobody else can be the same. */
  readonly owner: string | undefined;
  /** For error messages; none if they are for a remote client. */
  readonly userPath: string | undefined;
  /** Ends the upload, if it does not end just now, and resolves when it has. Never rejects. */
  readonly giveWay: () => Promise<void>;
}

/** The claims of the uploads that run in this thread, by their names. */
const held = new Map<string, NameClaim>();

/** What two names have in common that lead to the same file: Windows and macOS mostly ignore case. */
export function nameKey(file: string, platform: NodeJS.Platform = process.platform): string {
  const ignoresCase = platform === 'win32' || platform === 'darwin';
  return ignoresCase ? file.normalize('NFC').toLowerCase() : file;
}

/**
 * The claim of an upload to a name. One that runs keeps its name from all others but its owner's:
 * a device that asks again has mostly been restarted, and its first upload is dead. Since a request
 * can be forged, that one goes on until something has come for the new one.
 */
export class NameClaim {
  readonly #key: string;
  readonly #claimant: Claimant;

  /** @throws {FileError} EEXIST if somebody else writes this file now. */
  constructor(file: string, claimant: Claimant) {
    this.#key = nameKey(file);
    this.#claimant = claimant;
    const other = held.get(this.#key);
    if (other === undefined) held.set(this.#key, this);
    else this.#checkOwner(other);
  }

  /**
   * To be called when content has come: the name is ours from now on, and no older upload has it.
   *
   * @throws {FileError} EEXIST if somebody else has it meanwhile.
   */
  async take(): Promise<void> {
    for (let other = held.get(this.#key); other !== this; other = held.get(this.#key)) {
      if (other === undefined) {
        held.set(this.#key, this);
      } else {
        this.#checkOwner(other);
        await other.#claimant.giveWay();
        other.release();
      }
    }
  }

  /** The upload has ended. */
  release(): void {
    if (held.get(this.#key) === this) held.delete(this.#key);
  }

  #checkOwner(other: NameClaim): void {
    const { owner, userPath } = this.#claimant;
    if (owner === undefined || owner !== other.#claimant.owner)
      throw new FileError('busy', userPath);
  }
}
