/** Short datagrams to many peers that leave in one system call. */

import type { MessageVector } from './message-vector';
import type { SocketAddress } from './socket-address';
import type { Descriptor, SystemCalls } from './system-calls';

/** So many datagrams of so many bytes are gathered at most. */
const MOST = 64;
const LONGEST = 2048;

/** The memory of all batches: each is sent before another one begins. */
let vector: MessageVector | undefined;

export class ReplyBatch {
  readonly #calls: SystemCalls;
  readonly #descriptor: Descriptor;
  #count = 0;

  constructor(calls: SystemCalls, descriptor: Descriptor) {
    this.#calls = calls;
    this.#descriptor = descriptor;
  }

  /** False if a datagram is too long to be gathered. */
  add(datagram: Uint8Array, to: SocketAddress): boolean {
    if (datagram.length > LONGEST) return false;
    if (this.#count === MOST) this.flush();
    vector ??= this.#calls.vector(MOST, LONGEST);
    vector.put(this.#count, datagram, to);
    this.#count += 1;
    return true;
  }

  /** Sends what was gathered. False if nothing was. */
  flush(): boolean {
    const count = this.#count;
    this.#count = 0;
    for (let sent = 0; sent < count;) {
      const result = this.#calls.sendMany(this.#descriptor, vector!, sent, count - sent);
      // What cannot be sent now is lost on the way, and comes again.
      sent += Math.max(1, result);
    }
    return count > 0;
  }
}
