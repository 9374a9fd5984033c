/** How far a transfer is, how fast, and when to say so. */

/** The figures of a record; see `TransferRecord`. */
export interface Progress {
  percent: number | null;
  rate: number;
  averageRate: number;
  eta: number | null;
  elapsed: number;
}

/** Rates over the time between two reports, and over the whole transfer. */
export class ProgressMeter {
  readonly #startedAt: number;
  readonly #interval: number;
  #mark: { at: number; bytes: number };
  #rate: number | undefined;

  /** @param interval milliseconds between two reports; 0 for never. */
  constructor(now: number, interval: number) {
    this.#startedAt = now;
    this.#interval = interval;
    this.#mark = { at: now, bytes: 0 };
  }

  /** True if a report is due. */
  isDue(now: number): boolean {
    return this.#interval > 0 && now - this.#mark.at >= this.#interval;
  }

  /** A report is made now: the next rate is that from here on. */
  mark(now: number, bytes: number): void {
    const passed = now - this.#mark.at;
    if (passed > 0) this.#rate = ((bytes - this.#mark.bytes) * 1000) / passed;
    this.#mark = { at: now, bytes };
  }

  /** The figures for this moment. */
  measure(now: number, bytes: number, size: number | null): Progress {
    const elapsed = now - this.#startedAt;
    const averageRate = elapsed > 0 ? (bytes * 1000) / elapsed : 0;
    const rest = size === null ? null : Math.max(0, size - bytes);
    return {
      percent: size === null ? null : percentOf(bytes, size),
      rate: Math.round(this.#rate ?? averageRate),
      averageRate: Math.round(averageRate),
      eta: rest === null || averageRate === 0 ? null : Math.round((rest * 1000) / averageRate),
      elapsed: Math.round(elapsed),
    };
  }
}

/** With one decimal, and 100 only at the end. */
function percentOf(bytes: number, size: number): number {
  if (bytes >= size) return 100;
  return Math.floor((bytes / size) * 1000) / 10;
}
