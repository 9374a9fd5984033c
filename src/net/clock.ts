/** Time and timers, so that tests can have their own. */

import { performance } from 'node:perf_hooks';

/** A timer that has been set. */
export interface Timer {
  cancel(): void;
  /** Lets the process end while the timer waits. */
  unref(): void;
}

export interface Clock {
  /** Milliseconds of a clock that only goes forward. */
  now(): number;
  /** The time of day. */
  date(): Date;
  after(milliseconds: number, action: () => void): Timer;
  /** Runs the action after the datagrams that have already arrived were handed out. */
  afterPending(action: () => void): void;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  date: () => new Date(),
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds);
    return { cancel: () => clearTimeout(timer), unref: () => void timer.unref() };
  },
  afterPending: (action) => void setImmediate(action),
};
