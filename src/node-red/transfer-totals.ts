/** What all transfers have moved, and how they ended. */

import { ThroughputHistory } from './throughput-history';
import type { Clock } from '../net/clock';
import type { TransferRecord } from '../net/transfer-record';
import type { Throughput } from './throughput-history';

/** Milliseconds a bucket of the chart, and how many it has: ten minutes. */
export const CHART_INTERVAL = 5000;
export const CHART_BUCKETS = 120;

/** The rate of all transfers is that of the last three seconds: most tell how far they are once a second. */
const RATE_INTERVAL = 1000;
const RATE_BUCKETS = 3;

/** What has been counted since the monitor began. */
export interface Totals {
  /** When that was, in ISO 8601. */
  readonly since: string;
  readonly completed: number;
  /** Without those in `expected` and `cancelled`. */
  readonly failed: number;
  /** Failures that are normal. */
  readonly expected: number;
  readonly probes: number;
  readonly cancelled: number;
  /** Payload bytes of reads and of writes. */
  readonly bytesDown: number;
  readonly bytesUp: number;
  readonly retransmits: number;
  /** Bytes per second, over the last three seconds. */
  readonly rateDown: number;
  readonly rateUp: number;
}

/** How a transfer ended. `failed`: neither normal (`expected`) nor cancelled. */
export type Outcome = 'completed' | 'failed' | 'expected' | 'probes' | 'cancelled';

/** The books. What a record costs does not depend on how many there were. */
export class TransferTotals {
  readonly #clock: Clock;
  readonly #since: string;
  readonly #ends: Record<Outcome, number> = {
    completed: 0,
    failed: 0,
    expected: 0,
    probes: 0,
    cancelled: 0,
  };
  readonly #bytes = { down: 0, up: 0 };
  readonly #chart: ThroughputHistory;
  readonly #lately: ThroughputHistory;
  #retransmits = 0;

  constructor(clock: Clock) {
    const now = clock.now();
    this.#clock = clock;
    this.#since = clock.date().toISOString();
    this.#chart = new ThroughputHistory(now, CHART_INTERVAL, CHART_BUCKETS);
    this.#lately = new ThroughputHistory(now, RATE_INTERVAL, RATE_BUCKETS);
  }

  get figures(): Totals {
    const now = this.#clock.now();
    return {
      since: this.#since,
      ...this.#ends,
      bytesDown: this.#bytes.down,
      bytesUp: this.#bytes.up,
      retransmits: this.#retransmits,
      rateDown: this.#lately.rate(now, 'down'),
      rateUp: this.#lately.rate(now, 'up'),
    };
  }

  /** The chart of the last ten minutes. */
  get throughput(): Throughput {
    return this.#chart.complete(this.#clock.now());
  }

  /** Counts what a record tells beyond the one before it. */
  countMoved(record: TransferRecord, before?: TransferRecord): void {
    this.#retransmits += record.retransmits - (before?.retransmits ?? 0);
    const bytes = record.bytes - (before?.bytes ?? 0);
    if (bytes === 0) return;
    const direction = record.operation === 'read' ? 'down' : 'up';
    const now = this.#clock.now();
    this.#bytes[direction] += bytes;
    this.#chart.add(now, direction, bytes);
    this.#lately.add(now, direction, bytes);
  }

  /** Counts a transfer by the record of its end. */
  countEnd(record: TransferRecord): void {
    this.#ends[outcomeOf(record)] += 1;
  }
}

/** From the record of its end. */
export function outcomeOf({ event, error }: TransferRecord): Outcome {
  if (event === 'complete') return 'completed';
  if (event === 'probe') return 'probes';
  if (error?.expected) return 'expected';
  return error?.code === 'ECANCELED' ? 'cancelled' : 'failed';
}
