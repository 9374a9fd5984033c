/** Which names may be used, by a list of patterns. */

import { Glob } from './glob';

/**
 * A list of patterns. One that begins with `!` excludes what it matches, wherever it stands. A list
 * of nothing but exclusions includes all the rest, and so does an empty one.
 */
export class NameFilter {
  readonly #included: readonly Glob[];
  readonly #excluded: readonly Glob[];

  /**
   * @param patterns see {@link Glob}.
   * @param ignoreCase for the patterns that include. Those that exclude always ignore it, since the
   * folder behind may do so as well.
   * @throws {LocalError} EINVAL, saying which pattern is wrong and why.
   */
  constructor(patterns: readonly string[], ignoreCase = false) {
    const excludes = (pattern: string): boolean => pattern.startsWith('!');
    this.#included = patterns
      .filter((pattern) => !excludes(pattern))
      .map((pattern) => new Glob(pattern, ignoreCase));
    this.#excluded = patterns.filter(excludes).map((pattern) => new Glob(pattern.slice(1), true));
  }

  /** True if there is no pattern at all. */
  get isEmpty(): boolean {
    return this.#included.length === 0 && this.#excluded.length === 0;
  }

  /** @param name with `/` between its parts and none before the first. */
  includes(name: string): boolean {
    if (this.#excluded.some((glob) => glob.matches(name))) return false;
    return this.#included.length === 0 || this.#included.some((glob) => glob.matches(name));
  }
}
