import { EventEmitter, once } from 'node:events';
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
