/**
 * How much the server does for addresses that may be forged. Whoever sends a request in somebody
 * else's name makes us send to that somebody: so what an address gets that never answers is
 * bounded, and so is what all of them get together.
 */

import { RequestRate } from './request-rate';

/** Limits that need no setting: no honest site comes near them. */
const ERRORS_PER_ADDRESS = { perSecond: 50, burst: 1000 };
const ERRORS_IN_ALL = { perSecond: 1000, burst: 2000 };
/** Transfers that are begun for an address that answers none of them; each draws three small packets at most. */
const UNANSWERED_PER_SECOND = 2;
const UNANSWERED_BURST = 100;

/** A burst of `requestRate` is what comes in so many seconds. */
const BURST_SECONDS = 4;

export class AbuseGuard {
  readonly #requests: RequestRate | undefined;
  readonly #errors = new RequestRate(ERRORS_PER_ADDRESS);
  readonly #allErrors = new RequestRate(ERRORS_IN_ALL);
  readonly #unanswered: RequestRate;

  /**
   * @param options.requestRate requests per second and address, 0 for no limit.
   * @param options.maxPerHost at least so many transfers may begin before the first answer.
   */
  constructor(options: { readonly requestRate: number; readonly maxPerHost: number }) {
    const { requestRate, maxPerHost } = options;
    if (requestRate > 0) {
      const burst = Math.max(1, BURST_SECONDS * requestRate);
      this.#requests = new RequestRate({ perSecond: requestRate, burst });
    }
    const burst = Math.max(UNANSWERED_BURST, maxPerHost);
    this.#unanswered = new RequestRate({ perSecond: UNANSWERED_PER_SECOND, burst });
  }

  /** May this address ask once more? */
  mayAsk(address: string, now: number): boolean {
    return this.#requests?.take(address, now) ?? true;
  }

  /** May this address get an ERROR packet? */
  mayRefuse(address: string, now: number): boolean {
    return this.#errors.take(address, now) && this.#allErrors.take('all', now);
  }

  /** May a transfer begin with this address, which may never answer? */
  mayBegin(address: string, now: number): boolean {
    return this.#unanswered.take(address, now);
  }

  /** The address has answered: it is real, and wants what it gets. */
  answered(address: string): void {
    this.#unanswered.refill(address);
    this.#errors.refill(address);
  }
}
