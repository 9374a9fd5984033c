/** The transfers that have ended lately. Failures are held longer: a crowd that is served must not push them out. */

import { outcomeOf } from './transfer-totals';
import type { MonitoredTransfer } from './monitored-transfer';

/** So many are held, with their traces, however they ended. */
export const MAX_FINISHED = 100;
/** So many that failed before those are held besides. */
export const MAX_OLDER_FAILURES = 50;

/** A bounded list. What an end costs does not depend on how many there were. */
export class FinishedTransfers {
  readonly #latest = new Ring<MonitoredTransfer>(MAX_FINISHED);
  readonly #olderFailures = new Ring<Numbered>(MAX_OLDER_FAILURES);

  /** How many have ended so far. */
  get count(): number {
    return this.#latest.count;
  }

  add(transfer: MonitoredTransfer): void {
    const number = this.count - MAX_FINISHED;
    const leaving = this.#latest.add(transfer);
    if (leaving === undefined || outcomeOf(leaving.record) !== 'failed') return;
    this.#olderFailures.add({ number, transfer: leaving });
  }

  /** Those held that ended after so many had ended, newest first. */
  after(count: number): MonitoredTransfer[] {
    const latest = this.#latest.newest(this.count - count);
    const older = this.#olderFailures.newest(MAX_OLDER_FAILURES);
    return [
      ...latest,
      ...older.filter(({ number }) => number >= count).map(({ transfer }) => transfer),
    ];
  }
}

/** A transfer, and how many had ended before it. */
interface Numbered {
  readonly number: number;
  readonly transfer: MonitoredTransfer;
}

/** The last ones of a sequence: number `n` is at `n % size`. */
class Ring<T> {
  readonly #items: T[] = [];
  readonly #size: number;
  #count = 0;

  constructor(size: number) {
    this.#size = size;
  }

  get count(): number {
    return this.#count;
  }

  /** @returns the one that had to leave. */
  add(item: T): T | undefined {
    const place = this.#count % this.#size;
    const leaving = this.#items[place];
    this.#items[place] = item;
    this.#count += 1;
    return leaving;
  }

  /** Newest first; at most so many, and those that are left. */
  newest(most: number): T[] {
    const length = Math.min(most, this.#items.length);
    return Array.from(
      { length },
      (_, index) => this.#items[(this.#count - 1 - index) % this.#size]!,
    );
  }
}
