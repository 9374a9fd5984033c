/** Tells the user that requests find no free slot: now and then, however many they are. */

import type { Clock, Timer } from '../net/clock';
import { LocalError } from '../protocol/errors';

/** What there are too few of: one of the options of a server, or open files of the process. */
export type ScarceOption = 'maxTransfers' | 'maxPerHost' | 'transferPorts' | 'open files';

const REMEDIES: Readonly<Record<ScarceOption, string>> = {
  maxTransfers: 'Increase the number of transfers at the same time (maxTransfers)',
  maxPerHost: 'Increase the number of transfers with one host (maxPerHost)',
  transferPorts: 'Use a larger range of ports for transfers (transferPorts)',
  'open files': 'Let the process open more files (ulimit -n)',
};

/** Milliseconds between the first such request and the report: the others of a crowd come within them. */
const DELAY = 1000;
/** Milliseconds between two reports. */
const INTERVAL = 60_000;

export class ShortageReport {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #tell: (problem: LocalError) => void;
  readonly #counts = new Map<ScarceOption, number>();
  #timer: Timer | undefined;

  /** @param tell is called at most once a minute for each option. */
  constructor(clock: Pick<Clock, 'after'>, tell: (problem: LocalError) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** A request found no free slot. */
  note(option: ScarceOption): void {
    this.#counts.set(option, (this.#counts.get(option) ?? 0) + 1);
    if (this.#timer === undefined) this.#wait(DELAY);
  }

  /** Reports nothing more. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#counts.clear();
  }

  #wait(milliseconds: number): void {
    this.#timer = this.#clock.after(milliseconds, () => this.#report());
    this.#timer.unref();
  }

  #report(): void {
    this.#timer = undefined;
    if (this.#counts.size === 0) return;
    const counts = [...this.#counts];
    this.#counts.clear();
    this.#wait(INTERVAL);
    for (const [option, count] of counts) this.#tell(shortage(option, count));
  }
}

function shortage(option: ScarceOption, count: number): LocalError {
  const message = `Requests that found no free slot and got no answer: ${count}. ${REMEDIES[option]}`;
  return new LocalError('EBUSY', message);
}
