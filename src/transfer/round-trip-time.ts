/** The retransmission timeout from measured round trips (RFC 6298 section 2). */
export class RoundTripTime {
  #smoothed: number | undefined;
  #variation = 0;
  readonly #initial: number;

  /** @param initial the timeout until a round trip was measured, in milliseconds. */
  constructor(initial: number) {
    this.#initial = initial;
  }

  /**
   * Takes a measurement in milliseconds. Karn's rule (RFC 6298 section 3) is the caller's: a packet
   * that was sent twice measures nothing.
   */
  measure(sample: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = sample;
      this.#variation = sample / 2;
      return;
    }
    this.#variation += (Math.abs(this.#smoothed - sample) - this.#variation) / 4;
    this.#smoothed += (sample - this.#smoothed) / 8;
  }

  /** The timeout in milliseconds, not yet bounded. */
  get timeout(): number {
    if (this.#smoothed === undefined) return this.#initial;
    return this.#smoothed + 4 * this.#variation;
  }
}
