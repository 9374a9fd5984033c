/** When something is sent again, and how long a silent peer is waited for. */

import { RoundTripTime } from './round-trip-time';

/** The law of retransmission. All times are in milliseconds. */
export interface RetryPolicy {
  /** The first timeout, before a round trip was measured. A negotiated timeout takes its place. */
  readonly timeout: number;
  /** No measured timeout is shorter, where a window larger than 1 was negotiated. */
  readonly minTimeout: number;
  /** Backing off ends here. A longer negotiated timeout still holds. */
  readonly maxTimeout: number;
  /** How often something is repeated to a silent peer. Where round trips make timeouts shorter, it is more often in the same time. */
  readonly retries: number;
  /** How often the first packet goes to a peer that has not answered (a forged request must not become a flood). */
  readonly openingSends: number;
  /** A number from 0 to below 1 for the jitter. */
  readonly random: () => number;
}

/** Below this a busy event loop would look like a lost packet (Linux' TCP chose the same). A shorter setting still holds. */
const MIN_TIMEOUT = 200;
/** With six retries and a first timeout of one second a silent peer is waited for 45 seconds. */
const MAX_TIMEOUT = 10_000;
/** A client that never answers, perhaps a forged address, gets the first packet so many times. */
export const OPENING_SENDS = 3;
/**
 * In lock-step no measured timeout is shorter (RFC 6298 section 2.4): a device that is busy for a
 * moment gets no second copy, which hangs some of them. A shorter setting still holds.
 */
const LOCK_STEP_LEAST = 1000;
/** A peer that has not answered is listened to for so long, also after the last copy of the first packet. */
const HALF_OPEN_PATIENCE = 30_000;
/** However long the first timeout is, a peer is waited for so many of them, unless fewer retries are set. */
const LEAST_TIMEOUTS = 3;

/** The policy of both sides, from their settings: `timeout` in milliseconds, and `retries`. */
export function retryPolicy(
  { timeout, retries }: Pick<RetryPolicy, 'timeout' | 'retries'>,
  random: () => number,
): RetryPolicy {
  return {
    timeout,
    minTimeout: Math.min(MIN_TIMEOUT, timeout),
    maxTimeout: MAX_TIMEOUT,
    retries,
    openingSends: OPENING_SENDS,
    random,
  };
}

/**
 * One deadline, with exponential back-off and jitter. Only progress resets the back-off and the
 * silence: nothing else makes the wait for a peer longer.
 */
export class RetryTimer {
  readonly #policy: RetryPolicy;
  /** How long a silent peer is waited for by the settings, whatever was measured. */
  readonly #patience: number;
  readonly #roundTrip: RoundTripTime;
  #minTimeout: number;
  /** The negotiated timeout: measured round trips do not change it (RFC 2349). */
  #negotiated: number | undefined;
  #attempt = 0;
  #deadline: number | undefined;
  /** When the wait for something new from the peer began. */
  #silentSince: number | undefined;
  #halfOpen = false;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
    this.#patience = patienceOf(policy);
    this.#minTimeout = policy.minTimeout;
    this.#roundTrip = new RoundTripTime(policy.timeout);
  }

  get deadline(): number | undefined {
    return this.#deadline;
  }

  /** Timeouts since the last progress. */
  get attempt(): number {
    return this.#attempt;
  }

  /** How many timeouts fit into the patience, but for the one that ends it. */
  get retries(): number {
    let count = 0;
    for (let total = this.#wait(0); total < this.#longest; total += this.#wait(count)) count += 1;
    return count;
  }

  /** The wait before something is sent again for the first time. */
  get firstTimeout(): number {
    return this.#negotiated ?? Math.max(this.#minTimeout, this.#roundTrip.timeout);
  }

  /** While the peer has not answered it may be a forged address: it is waited for half a minute at most. */
  set halfOpen(halfOpen: boolean) {
    this.#halfOpen = halfOpen;
  }

  /** Takes what was agreed upon: a `timeout` in place of the policy's, and the least for this window. */
  negotiate({
    timeout,
    windowsize,
  }: {
    readonly timeout?: number;
    readonly windowsize: number;
  }): void {
    const { minTimeout, timeout: setting } = this.#policy;
    this.#negotiated = timeout;
    this.#minTimeout =
      windowsize > 1 ? minTimeout : Math.max(minTimeout, Math.min(LOCK_STEP_LEAST, setting));
  }

  measure(sample: number): void {
    this.#roundTrip.measure(sample);
  }

  /** Starts waiting from `now`: doubled at each attempt, up to an eighth longer at random from the second on. */
  arm(now: number): void {
    this.#silentSince ??= now;
    const wait = this.#wait(this.#attempt);
    const jitter = this.#attempt === 0 ? 0 : (wait / 8) * this.#policy.random();
    this.#deadline = Math.min(now + wait + jitter, this.#end);
  }

  /** Goes on waiting without anything to send, until the patience is used up. */
  listen(): void {
    this.#deadline = this.#end;
  }

  disarm(): void {
    this.#deadline = undefined;
  }

  progress(): void {
    this.#attempt = 0;
    this.#silentSince = undefined;
  }

  /** True if the deadline has passed; then one more attempt has been used. */
  expired(now: number): boolean {
    if (this.#deadline === undefined || now < this.#deadline) return false;
    this.#deadline = undefined;
    this.#attempt += 1;
    return true;
  }

  /** True if the peer has told nothing new for too long. */
  exhausted(now: number): boolean {
    return now >= this.#end;
  }

  get #end(): number {
    const most = this.#halfOpen ? HALF_OPEN_PATIENCE : Infinity;
    return (this.#silentSince ?? Infinity) + Math.min(most, this.#longest);
  }

  get #longest(): number {
    const timeouts = Math.min(LEAST_TIMEOUTS, this.#policy.retries + 1);
    return Math.max(this.#patience, timeouts * this.firstTimeout);
  }

  #wait(attempt: number): number {
    return waitOf(this.firstTimeout, attempt, this.#policy);
  }
}

function patienceOf(policy: RetryPolicy): number {
  let patience = 0;
  for (let i = 0; i <= policy.retries; i += 1) patience += waitOf(policy.timeout, i, policy);
  return patience;
}

/** A first timeout, backed off. */
function waitOf(first: number, attempt: number, { maxTimeout }: RetryPolicy): number {
  return Math.max(first, Math.min(maxTimeout, first * 2 ** attempt));
}
