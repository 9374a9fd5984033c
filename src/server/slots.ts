/** The transfers of a server: by their clients, and which of them gives way when slots are short. */

import { peerName } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import type { Slot } from './slot';

/**
 * A client has one slot, also while a transfer of its own is being replaced by its next one. An ended
 * upload has one as long as its last ACK may have to be repeated.
 */
export class Slots {
  /** The newest transfer of each client. */
  readonly #newest = new Map<string, Slot>();
  /** Those whose client has not answered, the oldest first. */
  readonly #halfOpen = new Set<Slot>();
  /** Ended uploads, the oldest first. */
  readonly #ended = new Set<Slot>();
  readonly #perHost = new Map<string, number>();

  get size(): number {
    return this.#newest.size + this.#ended.size;
  }

  /** How many slots a host has. */
  ofHost(key: string): number {
    return this.#perHost.get(key) ?? 0;
  }

  /** The newest transfer of a client. */
  find(client: Peer): Slot | undefined {
    return this.#newest.get(peerName(client));
  }

  /** All that run, as they are now: they may change while this is walked through. */
  all(): Slot[] {
    return [...this.#newest.values()].flatMap(chain);
  }

  /** Adds a transfer, which takes the place of the newest one of its client. */
  add(slot: Slot): void {
    const old = this.find(slot.client);
    if (old === undefined) this.#count(slot, 1);
    else this.#halfOpen.delete(old);
    this.#newest.set(peerName(slot.client), slot);
    if (slot.predecessor === undefined) this.#halfOpen.add(slot);
  }

  /** The client has answered: it exists, and wants this transfer. */
  answered(slot: Slot): void {
    this.#halfOpen.delete(slot);
  }

  /** A transfer is over. @returns false if it is not here any more. */
  remove(slot: Slot): boolean {
    this.#halfOpen.delete(slot);
    const newest = this.find(slot.client);
    const successor = newest && chain(newest).find(({ predecessor }) => predecessor === slot);
    if (successor) this.#unchain(successor);
    else if (newest === slot) this.#removeNewest(slot);
    return successor !== undefined || newest === slot;
  }

  /** An upload has ended, and keeps its slot until `closed` settles. */
  async keepUntil(closed: Promise<void>, slot: Slot): Promise<void> {
    this.#ended.add(slot);
    this.#count(slot, 1);
    await closed;
    this.#giveUp(slot);
  }

  /**
   * Removes the transfer that gives way to a new one: the oldest ended upload, or else the oldest
   * transfer whose client has had the time to answer and did not, or else a read that only lacks its
   * last ACK. Others never give way.
   *
   * @param now in milliseconds.
   * @param fits which of them may.
   * @returns undefined if there is none.
   */
  evict(now: number, fits: (slot: Slot) => boolean): Slot | undefined {
    const ended = first(this.#ended, fits);
    if (ended) {
      this.#giveUp(ended);
      return ended;
    }
    const slot =
      first(this.#halfOpen, (one) => one.isExpendable(now) && fits(one)) ??
      first(this.#newest.values(), (one) => one.session.lacksLastAck && fits(one));
    if (slot) this.remove(slot);
    return slot;
  }

  /** The transfer after it is the only one now, or the next one. */
  #unchain(successor: Slot): void {
    successor.predecessor = successor.predecessor?.predecessor;
    if (successor.predecessor) return;
    if (!successor.session.answered) this.#halfOpen.add(successor);
    successor.release();
  }

  #removeNewest(slot: Slot): void {
    const name = peerName(slot.client);
    const { predecessor } = slot;
    if (predecessor) {
      this.#newest.set(name, predecessor);
      return slot.silence();
    }
    this.#newest.delete(name);
    this.#count(slot, -1);
  }

  #giveUp(ended: Slot): void {
    if (this.#ended.delete(ended)) this.#count(ended, -1);
  }

  #count(slot: Slot, change: 1 | -1): void {
    const count = this.ofHost(slot.key) + change;
    if (count > 0) this.#perHost.set(slot.key, count);
    else this.#perHost.delete(slot.key);
  }
}

/** A transfer and those that it replaces, the newest first. */
function chain(slot: Slot): Slot[] {
  return [slot, ...(slot.predecessor ? chain(slot.predecessor) : [])];
}

function first(slots: Iterable<Slot>, fits: (slot: Slot) => boolean): Slot | undefined {
  for (const slot of slots) if (fits(slot)) return slot;
  return undefined;
}
