/** How often something may happen for each address: a token bucket for each of the last ones. */

import { RecentMap } from './recent-map';

/** How often, and for how many addresses this is kept in mind. */
export interface RateLimit {
  /** In the long run. */
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
  /** Addresses. The one that asked longest ago is forgotten for a new one. @default 4096 */
  readonly addresses?: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const ADDRESSES = 4096;

export class RequestRate {
  readonly #limit: RateLimit;
  readonly #buckets: RecentMap<string, Bucket>;

  constructor(limit: RateLimit) {
    this.#limit = limit;
    this.#buckets = new RecentMap(limit.addresses ?? ADDRESSES);
  }

  /** How many addresses are kept in mind. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Takes one token.
   *
   * @param now in milliseconds, never less than before.
   * @returns False if there is none left.
   */
  take(address: string, now: number): boolean {
    const { perSecond, burst } = this.#limit;
    const bucket = this.#buckets.get(address) ?? { tokens: burst, at: now };
    const gained = ((now - bucket.at) / 1000) * perSecond;
    const tokens = Math.min(burst, bucket.tokens + gained);
    const isEnough = tokens >= 1;
    this.#buckets.set(address, { tokens: isEnough ? tokens - 1 : tokens, at: now });
    return isEnough;
  }

  /** Fills the bucket of an address up again. */
  refill(address: string): void {
    this.#buckets.delete(address);
  }
}
