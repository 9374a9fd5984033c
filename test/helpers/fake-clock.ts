import { EventEmitter, once } from 'node:events';
import { systemClock } from '../../src/net/clock';
import type { Clock } from '../../src/net/clock';

/** A clock on which time passes when a test says so. It holds one timer. */
export class FakeClock implements Clock {
  /** How long was to be waited, each time. */
  readonly waits: number[] = [];
  readonly #set = new EventEmitter();
  #action: (() => void) | undefined;

  now = (): number => 0;
  date = (): Date => new Date(0);
  afterPending = (action: () => void): void => action();

  after(milliseconds: number, action: () => void): ReturnType<Clock['after']> {
    this.waits.push(milliseconds);
    this.#action = action;
    this.#set.emit('set');
    return { cancel: () => (this.#action = undefined), unref: () => undefined };
  }

  get waiting(): boolean {
    return this.#action !== undefined;
  }

  /** The wait is over. */
  fire(): void {
    const action = this.#action;
    this.#action = undefined;
    action?.();
  }

  /** The wait is over; resolves when something is waited for again. */
  async fireAndWait(): Promise<void> {
    const set = once(this.#set, 'set');
    this.fire();
    await set;
  }
}

/**
 * The time of the engine, which goes on in a test only where the test moves it: a slow machine
 * changes no figure. Timers still take their real time. Call it inside `describe`.
 */
export function useSteppedTime(): SteppedTime {
  const real = { ...systemClock };
  const time = new SteppedTime();
  beforeEach(() => {
    time.now = 0;
    systemClock.now = () => time.now;
  });
  afterEach(() => Object.assign(systemClock, real));
  return time;
}

/** A time that a test moves. */
export class SteppedTime {
  /** Milliseconds. */
  now = 0;

  /** Until the end of the test each wait is over at once, and the time has gone on as if it had been waited. */
  skipWaits(): void {
    systemClock.after = (milliseconds, action) => {
      const at = this.now + milliseconds;
      const timer = setTimeout(() => {
        this.now = Math.max(this.now, at);
        action();
      });
      return { cancel: () => clearTimeout(timer), unref: () => void timer.unref() };
    };
  }
}
