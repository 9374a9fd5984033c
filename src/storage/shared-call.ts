/** One call for all who want its result at the same time. */

/**
 * Shares calls that take a while. Everybody gets the result of a call that began after they asked: who
 * comes while one runs waits for the next, with all others who came meanwhile.
 */
export class SharedCall<T> {
  readonly #make: () => Promise<T>;
  #running: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  /** @param make makes the call. It must not reject. */
  constructor(make: () => Promise<T>) {
    this.#make = make;
  }

  result(): Promise<T> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      return this.#start();
    });
    return this.#next;
  }

  async #start(): Promise<T> {
    this.#running = this.#make();
    const result = await this.#running;
    this.#running = undefined;
    return result;
  }
}
