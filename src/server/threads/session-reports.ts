/** Tells the main thread how far the sessions of this thread are, where their events do not. */

import { systemClock } from '../../net/clock';
import type { Timer } from '../../net/clock';
import type { TransferRecord } from '../../net/transfer-record';
import type { Line } from './line';
import type { HomeCalls, SessionKey } from './messages';

/** Milliseconds: what the main thread knows is never older than two of them. */
const INTERVAL = 500;

/** A session and how far it is. */
export type SessionState = readonly [key: SessionKey, record: TransferRecord];

export class SessionReports {
  readonly #line: Line<HomeCalls>;
  readonly #states: () => readonly SessionState[];
  /** Those that have told of themselves since the last look. */
  readonly #heard = new Set<SessionKey>();
  /** The bytes that each session had when it was last told of. */
  #told = new Map<SessionKey, number>();
  #timer: Timer;

  /** @param states those of the sessions that run here now. */
  constructor(line: Line<HomeCalls>, states: () => readonly SessionState[]) {
    this.#line = line;
    this.#states = states;
    this.#timer = this.#wait();
  }

  /** A session has told of itself. */
  heard(key: SessionKey): void {
    this.#heard.add(key);
  }

  /** Tells no more. */
  stop(): void {
    this.#timer.cancel();
  }

  #wait(): Timer {
    const timer = systemClock.after(INTERVAL, () => this.#look());
    timer.unref();
    return timer;
  }

  #look(): void {
    const silent = this.#states().filter(([key]) => !this.#heard.has(key));
    const news = silent.filter(([key, { bytes }]) => bytes !== (this.#told.get(key) ?? 0));
    if (news.length > 0) this.#line.tell('snapshots', [news]);
    this.#told = new Map(silent.map(([key, { bytes }]) => [key, bytes]));
    this.#heard.clear();
    this.#timer = this.#wait();
  }
}
