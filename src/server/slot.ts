/** A transfer of a server: when its events are told, and when it may give way to others. */

import { describeError, isLast } from '../net/transfer-record';
import type { TransferRecord } from '../net/transfer-record';
import type { TftpError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import type { Session } from './session';

/** Milliseconds for which a client may be silent after our first packet before another one gets its slot: a round trip, and a slow device. */
const TIME_TO_ANSWER = 500;
/** Milliseconds for which a storage may be opening the file: a flow may be slow to answer. */
const TIME_TO_OPEN = 5000;

export class Slot {
  readonly client: Peer;
  /** What limits and budgets count the client as. */
  readonly key: string;
  session!: Session;
  /**
   * The running transfer of the same client that this one replaces once the client has answered it.
   * Until it has ended nothing is told of this one: a request that was forged, or that came twice,
   * leaves no trace.
   */
  predecessor: Slot | undefined;
  /** True for a request over the rate that the client has not answered yet. Nothing is told of it either. */
  isExtra = false;
  /** True once the client has answered, and not with an ERROR. */
  accepted = false;
  /** Settles when nothing is held back any more. */
  readonly released: Promise<void>;
  /** When others may have its slot if the client has not answered, in milliseconds. */
  #expendableAt: number;
  readonly #tell: (record: TransferRecord) => void;
  #held: TransferRecord[] = [];
  /** The last record that was told. */
  #last: TransferRecord | undefined;
  #over = false;
  #resolveReleased!: () => void;

  /**
   * @param now in milliseconds.
   * @param tell gets the records: one `start`, and one that ends the transfer.
   * @param continued a transfer that this one goes on with, under the same id.
   */
  constructor(
    client: Peer,
    key: string,
    now: number,
    tell: (record: TransferRecord) => void,
    continued?: Slot,
  ) {
    this.#expendableAt = now + TIME_TO_OPEN;
    this.client = client;
    this.key = key;
    this.#tell = tell;
    if (continued) this.#last = continued.#last;
    this.released = new Promise((resolve) => (this.#resolveReleased = resolve));
  }

  /** True while nothing is told of it. */
  get held(): boolean {
    return this.predecessor !== undefined || this.isExtra;
  }

  /** The first packet is about to be sent. */
  opened(now: number): void {
    this.#expendableAt = now + TIME_TO_ANSWER;
  }

  /** True if a client that is silent has had its time. */
  isExpendable(now: number): boolean {
    return now >= this.#expendableAt;
  }

  /** True from its `start` to its end, as far as was told. */
  get runs(): boolean {
    return !this.#over && !this.held;
  }

  report(record: TransferRecord): void {
    if (this.#over) return;
    if (this.held) return void this.#held.push(record);
    if (record.event === 'start' && this.#last !== undefined) return;
    this.#last = record;
    this.#over = isLast(record);
    this.#tell(record);
  }

  /** Tells what was held back, unless there is still a reason to hold it back. */
  release(): void {
    if (this.held) return;
    for (const record of this.#held.splice(0)) this.report(record);
    this.#resolveReleased();
  }

  /** Tells nothing more. */
  silence(): void {
    this.#over = true;
    this.#held = [];
  }

  /** Tells the end of a transfer whose `start` was told and whose end was not. */
  fail(error: TftpError, now: Date): void {
    if (this.#last === undefined) return;
    const finished = now.toISOString();
    this.report({
      ...this.#last,
      event: 'error',
      error: describeError(error),
      finished,
      trace: [],
    });
  }
}
