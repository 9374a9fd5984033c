import type { Clock, Timer } from '../../src/net/clock';

interface SetTimer {
  readonly at: number;
  readonly action: () => void;
}

/** A clock whose time passes when a test says so. All timers that become due are run, in their order. */
export class VirtualClock implements Clock {
  readonly #timers = new Set<SetTimer>();
  #now: number;
  #dayStart: number;

  /** @param now what the clock says, in milliseconds; its day began at `dayStart`, in milliseconds since 1970. */
  constructor(now = 0, dayStart = Date.UTC(2030, 0, 1)) {
    this.#now = now;
    this.#dayStart = dayStart;
  }

  now = (): number => this.#now;
  date = (): Date => new Date(this.#dayStart + this.#now);
  afterPending = (action: () => void): void => action();

  after(milliseconds: number, action: () => void): Timer {
    const timer = { at: this.#now + milliseconds, action };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer), unref: () => undefined };
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Lets time pass. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (let timer = this.#next(end); timer !== undefined; timer = this.#next(end)) {
      this.#timers.delete(timer);
      this.#now = timer.at;
      timer.action();
    }
    this.#now = end;
  }

  /** Somebody sets the time of day. */
  setDay(milliseconds: number): void {
    this.#dayStart += milliseconds;
  }

  #next(end: number): SetTimer | undefined {
    const [first] = [...this.#timers].sort((one, other) => one.at - other.at);
    return first !== undefined && first.at <= end ? first : undefined;
  }
}
