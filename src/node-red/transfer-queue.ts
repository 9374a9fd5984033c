/** How many transfers of a node run at a time, and how many wait for their turn. */

import { CancelError, LocalError } from '../protocol/errors';

/** Runs tasks first in, first out, `concurrency` at a time; `limit` may wait. */
export class TransferQueue {
  readonly #concurrency: number;
  readonly #limit: number;
  readonly #waiting = new Set<() => void>();
  #active = 0;

  constructor(concurrency: number, limit: number) {
    this.#concurrency = concurrency;
    this.#limit = limit;
  }

  /** Tasks that run now. */
  get active(): number {
    return this.#active;
  }

  /** Tasks that wait. */
  get queued(): number {
    return this.#waiting.size;
  }

  /**
   * Runs a task when its turn comes, and settles as it does.
   *
   * @throws {LocalError} EQUEUEFULL, at once, if too many wait.
   * @throws {CancelError} if the signal aborts before the task's turn. A task that runs has to watch
   *   the signal itself.
   */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (signal.aborted) throw new CancelError();
    await this.#turn(signal);
    try {
      return await task();
    } finally {
      this.#next();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#active >= this.#concurrency) await this.#wait(signal);
    else this.#active += 1;
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#limit) {
      const message = `${this.#limit} messages are already waiting: send fewer, or increase "Waiting messages"`;
      return Promise.reject(new LocalError('EQUEUEFULL', message));
    }
    return new Promise((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', cancel);
        resolve();
      };
      const cancel = (): void => {
        this.#waiting.delete(start);
        reject(new CancelError());
      };
      this.#waiting.add(start);
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Hands the place of a task that has ended to the one that waits longest. */
  #next(): void {
    const [start] = this.#waiting;
    if (start === undefined) {
      this.#active -= 1;
      return;
    }
    this.#waiting.delete(start);
    start();
  }
}
