/** When something is sent again, and how often. */

import { RoundTripTime } from './round-trip-time';

/** The law of retransmission. All times are in milliseconds. */
export interface RetryPolicy {
  /** The first timeout, before a round trip was measured. A negotiated timeout takes its place. */
  readonly timeout: number;
  /** No timeout is shorter: a peer's timer and a busy event loop need that long. */
  readonly minTimeout: number;
  /** Backing off ends here. A longer negotiated timeout still holds. */
  readonly maxTimeout: number;
  /** Timeouts without progress before giving up. */
  readonly retries: number;
  /** How often the first packet goes to a peer that has not answered (a forged request must not become a flood). */
  readonly openingSends: number;
  /** A number from 0 to below 1 for the jitter. */
  readonly random: () => number;
}

/** One deadline, with exponential back-off and jitter; progress resets the back-off. */
export class RetryTimer {
  readonly #policy: RetryPolicy;
  #minTimeout: number;
  #roundTrip: RoundTripTime;
  #attempt = 0;
  #deadline: number | undefined;

  constructor(policy: RetryPolicy) {
    this.#policy = policy;
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

  /** Takes the negotiated timeout in place of the policy's, and forgets earlier measurements. */
  negotiate(timeout: number | undefined): void {
    if (timeout === undefined) return;
    this.#roundTrip = new RoundTripTime(timeout);
    this.#minTimeout = Math.min(this.#minTimeout, timeout);
  }

  measure(sample: number): void {
    this.#roundTrip.measure(sample);
  }

  /** Starts waiting from `now`: doubled at each attempt, up to an eighth longer at random from the second on. */
  arm(now: number): void {
    const { maxTimeout, random } = this.#policy;
    const base = Math.max(this.#minTimeout, this.#roundTrip.timeout);
    const backedOff = Math.max(base, Math.min(maxTimeout, base * 2 ** this.#attempt));
    const jitter = this.#attempt === 0 ? 0 : (backedOff / 8) * random();
    this.#deadline = now + backedOff + jitter;
  }

  disarm(): void {
    this.#deadline = undefined;
  }

  progress(): void {
    this.#attempt = 0;
  }

  /** True if the deadline has passed; then one more attempt has been used. */
  expired(now: number): boolean {
    if (this.#deadline === undefined || now < this.#deadline) return false;
    this.#deadline = undefined;
    this.#attempt += 1;
    return true;
  }
}
