/** Which ports the transfers of a server have, in memory that all its threads share. */

const PORTS = 65_536;
const TURN_BYTES = Uint32Array.BYTES_PER_ELEMENT;

export class PortTable {
  readonly memory: SharedArrayBuffer;
  readonly #owner: number;
  readonly #turn: Uint32Array;
  readonly #owners: Uint8Array;

  /**
   * @param owner the number of this thread, from 1 to 255.
   * @param memory that of a table in another thread, to have the same one.
   */
  constructor(owner: number, memory = new SharedArrayBuffer(TURN_BYTES + PORTS)) {
    this.memory = memory;
    this.#owner = owner;
    this.#turn = new Uint32Array(memory, 0, 1);
    this.#owners = new Uint8Array(memory, TURN_BYTES, PORTS);
  }

  /** Counts up, for all threads together. */
  next(): number {
    return Atomics.add(this.#turn, 0, 1);
  }

  /** Takes a port. False if somebody has it. */
  claim(port: number): boolean {
    return Atomics.compareExchange(this.#owners, port, 0, this.#owner) === 0;
  }

  /** Gives a port back. Does nothing if it is not ours. */
  release(port: number): void {
    Atomics.compareExchange(this.#owners, port, this.#owner, 0);
  }

  /** Gives back what a thread had that is no more. */
  releaseAllOf(owner: number): void {
    for (let port = 0; port < PORTS; port += 1) {
      Atomics.compareExchange(this.#owners, port, owner, 0);
    }
  }
}
