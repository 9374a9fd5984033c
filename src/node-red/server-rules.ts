/** The name rules of a tftp server node: those of its dialog, or those of a file. */

import { loadMapFile, reloadMapFile } from '../server/names/map-file';
import type { NameRules, RuleHits } from '../server/names/name-rules';

/** A file wins over what was typed. */
export class ServerRules {
  readonly #file: string | undefined;
  #rules: NameRules | undefined;

  /** @param file the whole path; undefined for none. */
  constructor(file: string | undefined, typed: NameRules | undefined) {
    this.#file = file;
    this.#rules = file === undefined ? typed : undefined;
  }

  /** The hits of each rule. Empty if there are none. */
  get hits(): RuleHits[] {
    return this.#rules?.hits ?? [];
  }

  /**
   * The rules for a server; undefined if there are none. A file is read again each time, and its
   * rules hold at once, also for a server that has them already.
   *
   * @throws {LocalError} as `loadMapFile`; then the old rules hold.
   */
  async load(): Promise<NameRules | undefined> {
    if (this.#file === undefined) return this.#rules;
    if (this.#rules === undefined) this.#rules = await loadMapFile(this.#file);
    else await reloadMapFile(this.#rules, this.#file);
    return this.#rules;
  }
}
