/** Which records a flow gets: the sidebar wants to hear of the progress even where a flow does not. */

import { isLast } from '../net/transfer-record';
import type { TransferRecord } from '../net/transfer-record';

/** Milliseconds between two reports to the sidebar, at most. */
const SIDEBAR_INTERVAL = 1000;

/** Thins out `progress`. All other events pass. */
export class EventPace {
  readonly #interval: number;
  /** By the ids of transfers: what `elapsed` was when the flow was told last. */
  readonly #told = new Map<string, number>();

  /** @param interval milliseconds between two `progress` events for the flow; 0 for none. */
  constructor(interval = SIDEBAR_INTERVAL) {
    this.#interval = interval;
  }

  /** Milliseconds between two reports of the engine. */
  get engineInterval(): number {
    return Math.min(this.#interval || SIDEBAR_INTERVAL, SIDEBAR_INTERVAL);
  }

  /** True if the flow is to hear of it. To be asked once for each record. */
  passes(record: TransferRecord): boolean {
    const { id, event, elapsed, percent, retry } = record;
    if (isLast(record)) this.#told.delete(id);
    if (event !== 'progress') return true;
    if (this.#interval <= this.engineInterval) return this.#interval > 0;
    const isDue = elapsed - (this.#told.get(id) ?? 0) >= this.#interval;
    if (!isDue && percent !== 100 && retry === undefined) return false;
    this.#told.set(id, elapsed);
    return true;
  }
}
