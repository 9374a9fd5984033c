/** How much each host may have: a token bucket for each of the last ones. */

/** The size of a bucket, and for how many hosts there is one. */
export interface RateLimit {
  /** Tokens that a bucket gains each second. */
  readonly perSecond: number;
  /** Tokens in a full bucket. */
  readonly burst: number;
  /** Hosts. @default 4096 */
  readonly hosts?: number;
}

const HOSTS = 4096;

/** The part of the buckets that is given up if all of them are still filling. */
const GIVEN_UP = 1 / 4;

export class RateLimiter {
  readonly #limit: RateLimit;
  /**
   * When the bucket of a host is full again, in milliseconds. That tells how many tokens are in it. A
   * host that is not here has a full bucket, so one that is full again is the same as none.
   */
  readonly #fullAt = new Map<string, number>();

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** How many hosts have a bucket that is not full. */
  get size(): number {
    return this.#fullAt.size;
  }

  /**
   * Takes tokens.
   *
   * @param key the host: see `budgetKey`.
   * @param now in milliseconds, never less than before.
   * @param tokens any number. Nothing is taken if there are fewer.
   * @returns false if there are fewer.
   */
  take(key: string, now: number, tokens = 1): boolean {
    const { perSecond, burst } = this.#limit;
    const perToken = 1000 / perSecond;
    const fullAt = Math.max(now, this.#fullAt.get(key) ?? 0) + tokens * perToken;
    // A thousandth of a token makes up for the rounding.
    if (fullAt - now > (burst + 0.001) * perToken) return false;
    if (!this.#fullAt.has(key)) this.#makeRoom(now);
    this.#fullAt.set(key, fullAt);
    return true;
  }

  /** Fills the bucket of a host. */
  refill(key: string): void {
    this.#fullAt.delete(key);
  }

  /** Those that are full again go first, then those that have most in them: a flood of other hosts gives nobody a new bucket who has emptied his. */
  #makeRoom(now: number): void {
    const { hosts = HOSTS } = this.#limit;
    if (this.#fullAt.size < hosts) return;
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key);
    if (this.#fullAt.size < hosts) return;
    const byTokens = [...this.#fullAt].sort(([, one], [, other]) => one - other);
    for (const [key] of byTokens.slice(0, Math.ceil(hosts * GIVEN_UP))) this.#fullAt.delete(key);
  }
}
