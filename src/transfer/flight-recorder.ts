/**
 * The last packets of a transfer, headers only, with what we made of them: the answer to "why did
 * the phone not get its firmware?".
 */

/** Came in, went out, or neither. */
type Direction = '<- ' | '-> ' | '--';

/** One thing that happened. */
interface Entry {
  at: number;
  direction: Direction;
  what: string;
  block: number | undefined;
  last: number | undefined;
  size: number;
  note: string;
}

/** How many entries are kept. */
export const RECORDED = 64;

/** A bounded ring. Times are relative to the first entry. */
export class FlightRecorder {
  readonly #ring: Entry[] = [];
  #count = 0;
  #started: number | undefined;

  /** A packet, or the run of DATA blocks `block` to `last`, came in: numbers on the wire. */
  received(
    now: number,
    type: string,
    block: number | undefined,
    size: number,
    note: string,
    last?: number,
  ): void {
    this.#add(now, '<- ', type, block, last, size, note);
  }

  /** A packet, or the run of DATA blocks `block` to `last`, went out. */
  sent(
    now: number,
    type: string,
    block: number | undefined,
    size: number,
    note: string,
    last?: number,
  ): void {
    this.#add(now, '-> ', type, block, last, size, note);
  }

  /** Something happened without a packet. */
  note(now: number, note: string): void {
    this.#add(now, '--', '', undefined, undefined, 0, note);
  }

  /** One line an entry, oldest first: `+12.3 ms <- ACK 17 (4 B) in order`. */
  lines(): string[] {
    const kept = Math.min(this.#count, RECORDED);
    const oldest = this.#count - kept;
    const dropped = oldest > 0 ? [`… ${oldest} earlier entries left out`] : [];
    return [
      ...dropped,
      ...Array.from({ length: kept }, (_, i) => this.#line(this.#ring[(oldest + i) % RECORDED]!)),
    ];
  }

  /** Entries are reused once the ring is full: a long transfer allocates nothing here. */
  #add(
    now: number,
    direction: Direction,
    what: string,
    block: number | undefined,
    last: number | undefined,
    size: number,
    note: string,
  ): void {
    this.#started ??= now;
    const index = this.#count % RECORDED;
    this.#count += 1;
    const entry = this.#ring[index];
    if (entry === undefined) {
      this.#ring.push({ at: now, direction, what, block, last, size, note });
      return;
    }
    entry.at = now;
    entry.direction = direction;
    entry.what = what;
    entry.block = block;
    entry.last = last;
    entry.size = size;
    entry.note = note;
  }

  #line(entry: Entry): string {
    const block = entry.block === undefined ? '' : ` ${entry.block}`;
    const last = entry.last === undefined || entry.last === entry.block ? '' : `…${entry.last}`;
    const size = entry.size === 0 ? '' : ` (${entry.size} B)`;
    const note = entry.note === '' ? '' : ` ${entry.note}`;
    return `+${(entry.at - this.#started!).toFixed(1)} ms ${entry.direction}${entry.what}${block}${last}${size}${note}`;
  }
}
