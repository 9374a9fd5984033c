/** How many bytes moved lately, in buckets of equal length: a chart, or a rate. */

/** Which way the bytes went: `down` from a server to a client (reads), `up` the other way (writes). */
export type Direction = 'down' | 'up';

/** The buckets that are complete, oldest first. */
export interface Throughput {
  /** When the last one ended, in milliseconds of the clock that `now` is of. */
  readonly end: number;
  /** Bytes a bucket. */
  readonly down: readonly number[];
  readonly up: readonly number[];
}

/** A ring of buckets. It costs the same however much moves, and nothing while nothing does. */
export class ThroughputHistory {
  readonly #interval: number;
  /** One more than are told: the running one. */
  readonly #size: number;
  readonly #bytes: Readonly<Record<Direction, number[]>>;
  /** The number of the running bucket, counted from when the clock said 0. */
  #running: number;

  /**
   * @param interval milliseconds a bucket.
   * @param count how many complete buckets are kept.
   */
  constructor(now: number, interval: number, count: number) {
    this.#interval = interval;
    this.#size = count + 1;
    const empty = (): number[] => Array<number>(this.#size).fill(0);
    this.#bytes = { down: empty(), up: empty() };
    this.#running = Math.floor(now / interval);
  }

  /** Bytes have moved. */
  add(now: number, direction: Direction, bytes: number): void {
    this.#advance(now);
    this.#bytes[direction][this.#running % this.#size]! += bytes;
  }

  /** What has moved, without what moves in the running bucket. Before the first one nothing did. */
  complete(now: number): Throughput {
    this.#advance(now);
    return {
      end: this.#running * this.#interval,
      down: this.#oldestFirst('down'),
      up: this.#oldestFirst('up'),
    };
  }

  /** Bytes a second, over all complete buckets. */
  rate(now: number, direction: Direction): number {
    this.#advance(now);
    const bytes = this.#oldestFirst(direction).reduce((sum, bucket) => sum + bucket, 0);
    return Math.round((bytes * 1000) / (this.#interval * (this.#size - 1)));
  }

  #oldestFirst(direction: Direction): number[] {
    const ring = this.#bytes[direction];
    return Array.from(
      { length: this.#size - 1 },
      (_, index) => ring[(this.#running + 1 + index) % this.#size]!,
    );
  }

  /** Empties the buckets that have begun since the last call. */
  #advance(now: number): void {
    const number = Math.floor(now / this.#interval);
    const passed = Math.min(number - this.#running, this.#size);
    for (let i = 0; i < passed; i += 1) {
      const place = (number - i) % this.#size;
      this.#bytes.down[place] = 0;
      this.#bytes.up[place] = 0;
    }
    if (passed > 0) this.#running = number;
  }
}
