/** Tells the sidebar of the transfers: all of them when it asks, then what changes, while somebody looks. */

import { callListener } from '../net/call-listener';
import { systemClock } from '../net/clock';
import { needsWholeRow, progressRow, transferRow } from './transfer-rows';
import { CHART_BUCKETS, CHART_INTERVAL } from './transfer-totals';
import type { Clock, Timer } from '../net/clock';
import type { TransferRecord } from '../net/transfer-record';
import type { Throughput } from './throughput-history';
import type { MonitoredNode } from './monitored-transfer';
import type { TransferMonitor } from './transfer-monitor';
import type { ProgressRow, TransferRow } from './transfer-rows';
import type { Totals } from './transfer-totals';

/** Milliseconds for which changes are told after the sidebar has shown that it looks. */
export const LEASE = 30_000;
/** Milliseconds between two tellings at least. */
export const PAUSE = 500;
/** Times of day may be set anew; smaller differences, in milliseconds, are those of two clocks read one after the other. */
const CLOCK_STEP = 1000;

/** All that there is to show. */
export interface Snapshot {
  /** That of the last delta. Those up to it are in here, and the next one may repeat what is in here. */
  readonly sequence: number;
  /** The time of day, in ISO 8601. */
  readonly now: string;
  readonly nodes: readonly MonitoredNode[];
  /** The oldest first; not more than are held. */
  readonly live: readonly TransferRow[];
  /** How many there are in all. */
  readonly liveCount: number;
  /** The newest first. */
  readonly finished: readonly TransferRow[];
  readonly totals: Totals;
  /** Bytes a bucket of `interval` milliseconds, oldest first; `end` is when the last one ended. */
  readonly throughput: {
    readonly interval: number;
    readonly end: string;
    readonly down: readonly number[];
    readonly up: readonly number[];
  };
}

/** What has changed. */
export interface Delta {
  /** One more than that of the last delta; after a hole only a snapshot helps. */
  readonly sequence: number;
  /** Those that are new, or came anew. */
  readonly nodes?: readonly MonitoredNode[];
  /** Rows that are new, or changed in what progress rows do not tell. */
  readonly started: readonly TransferRow[];
  readonly progress: readonly ProgressRow[];
  /** The newest first; not more than are held. */
  readonly finished: readonly TransferRow[];
  /** Live rows that vanished, and are not among `finished`. */
  readonly gone?: readonly string[];
  readonly liveCount: number;
  readonly totals: Totals;
  /** The buckets that became complete, oldest first. */
  readonly throughput?: readonly {
    readonly end: string;
    readonly down: number;
    readonly up: number;
  }[];
}

/** What those who look have been told. */
interface Told {
  readonly live: ReadonlyMap<string, TransferRecord>;
  readonly nodes: ReadonlyMap<string, MonitoredNode>;
  readonly finishedCount: number;
  readonly chartEnd: number;
  /** The totals and the number of live transfers, as text. */
  readonly figures: string;
}

/** While no lease runs there is no timer, and no row is made. */
export class MonitorFeed {
  readonly #monitor: TransferMonitor;
  readonly #publish: (delta: Delta) => void;
  readonly #clock: Clock;
  #sequence = 0;
  #leaseEnd = 0;
  #told: Told | undefined;
  /** The time of day when the clock said 0. */
  #dayStart: number;

  /** @param publish takes a delta to all who look. What it throws ends nothing. */
  constructor(
    monitor: TransferMonitor,
    publish: (delta: Delta) => void,
    clock: Clock = systemClock,
  ) {
    this.#monitor = monitor;
    this.#publish = publish;
    this.#clock = clock;
    this.#dayStart = clock.date().getTime() - clock.now();
  }

  /** All there is. Somebody looks from now on. */
  snapshot(): Snapshot {
    this.watch();
    const { nodes, live, liveCount, totals, throughput } = this.#monitor;
    const { end, down, up } = throughput;
    return {
      sequence: this.#sequence,
      now: this.#clock.date().toISOString(),
      nodes,
      live: [...live.values()].map(transferRow),
      liveCount,
      finished: this.#monitor.finished().map(transferRow),
      totals,
      throughput: { interval: CHART_INTERVAL, end: this.#timeOf(end), down, up },
    };
  }

  /**
   * Somebody still looks. After a time in which nobody did there is a hole in the sequence, as nobody
   * was told what happened then.
   *
   * @returns the number of the last delta.
   */
  watch(): number {
    this.#leaseEnd = this.#clock.now() + LEASE;
    if (this.#told === undefined) {
      this.#sequence += 1;
      this.#told = this.#now();
      this.#wait();
    }
    return this.#sequence;
  }

  #wait(): Timer {
    const timer = this.#clock.after(PAUSE, () => this.#look());
    timer.unref();
    return timer;
  }

  #look(): void {
    if (this.#told === undefined) return;
    if (this.#clock.now() >= this.#leaseEnd) {
      this.#told = undefined;
      return;
    }
    this.#wait();
    callListener(() => this.#tell(this.#told!));
  }

  #tell(before: Told): void {
    const now = this.#now();
    this.#told = now;
    const changes = {
      ...this.#rows(before),
      ...this.#newNodes(before, now),
      ...this.#newBuckets(before),
    };
    const lists = Object.values(changes);
    if (lists.every(({ length }) => length === 0) && before.figures === now.figures) return;
    this.#sequence += 1;
    const { liveCount, totals } = this.#monitor;
    this.#publish({ sequence: this.#sequence, ...changes, liveCount, totals });
  }

  #now(): Told {
    const { live, nodes, finishedCount, liveCount, totals, throughput } = this.#monitor;
    return {
      live: new Map([...live].map(([id, { record }]) => [id, record])),
      nodes: new Map(nodes.map((node) => [node.id, node])),
      finishedCount,
      chartEnd: throughput.end,
      figures: JSON.stringify([liveCount, totals]),
    };
  }

  #rows(before: Told): Pick<Delta, 'started' | 'progress' | 'finished' | 'gone'> {
    const { live } = this.#monitor;
    const started: TransferRow[] = [];
    const progress: ProgressRow[] = [];
    for (const [id, transfer] of live) {
      const known = before.live.get(id);
      if (known === transfer.record) continue;
      const whole = known === undefined || needsWholeRow(known, transfer.record);
      if (whole) started.push(transferRow(transfer));
      else progress.push(progressRow(transfer));
    }
    const finished = this.#monitor.finished(before.finishedCount).map(transferRow);
    return { started, progress, finished, ...this.#gone(before, finished) };
  }

  #gone(before: Told, finished: readonly TransferRow[]): Pick<Delta, 'gone'> {
    const ended = new Set(finished.map(({ id }) => id));
    const { live } = this.#monitor;
    const gone = [...before.live.keys()].filter((id) => !live.has(id) && !ended.has(id));
    return gone.length > 0 ? { gone } : {};
  }

  #newNodes(before: Told, now: Told): Pick<Delta, 'nodes'> {
    const nodes = [...now.nodes.values()].filter((node) => before.nodes.get(node.id) !== node);
    return nodes.length > 0 ? { nodes } : {};
  }

  #newBuckets(before: Told): Pick<Delta, 'throughput'> {
    const { throughput } = this.#monitor;
    const passed = (throughput.end - before.chartEnd) / CHART_INTERVAL;
    const count = Math.min(passed, CHART_BUCKETS);
    return count > 0 ? { throughput: this.#buckets(throughput, count) } : {};
  }

  #buckets({ end, down, up }: Throughput, count: number): NonNullable<Delta['throughput']> {
    return Array.from({ length: count }, (_, index) => {
      const age = count - 1 - index;
      const place = CHART_BUCKETS - 1 - age;
      return {
        end: this.#timeOf(end - age * CHART_INTERVAL),
        down: down[place]!,
        up: up[place]!,
      };
    });
  }

  /** The time of day at a time of the clock: always the same for the same one, unless the time was set. */
  #timeOf(at: number): string {
    const dayStart = this.#clock.date().getTime() - this.#clock.now();
    if (Math.abs(dayStart - this.#dayStart) >= CLOCK_STEP) this.#dayStart = dayStart;
    return new Date(this.#dayStart + at).toISOString();
  }
}
