/** Notices clients that guess names: who asks for many files that do not exist looks for what it should not have. */

import { budgetKey } from './budget-key';

/** What the server's event `alarm` tells. */
export interface GuessAlarm {
  /** The address that asked last. The addresses of an IPv6 /64 are counted together. */
  readonly host: string;
  /** Different names within the last minute that do not exist. */
  readonly misses: number;
  /** The last ten of them. */
  readonly names: string[];
  /** When the first of them was asked for, in ISO 8601. */
  readonly since: string;
}

/** Milliseconds in which the misses are counted. */
const PERIOD = 60_000;
const NAMES_TOLD = 10;
/** Names that are kept in mind for all addresses together. */
const NAMES_KEPT = 20_000;

export class GuessWatch {
  readonly #limit: number;
  /** How many hosts are kept in mind. */
  readonly #hosts: number;
  /** For each host (see `budgetKey`) the missing names and when they were asked for, the last one last. */
  readonly #misses = new Map<string, Map<string, number>>();

  /** @param limit missing names of one address within a minute that raise the alarm; 0 for never. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#hosts = Math.max(1, Math.floor(NAMES_KEPT / Math.max(1, limit)));
  }

  /** How many hosts are kept in mind. */
  get size(): number {
    return this.#misses.size;
  }

  /**
   * Counts a missing name; the same name again counts once. After an alarm the count of the host
   * begins anew.
   *
   * @param now milliseconds since 1970.
   * @returns the alarm, if this name was one too many.
   */
  missed(host: string, name: string, now: number): GuessAlarm | undefined {
    if (this.#limit === 0) return undefined;
    const key = budgetKey(host);
    const names = this.#namesOf(key);
    names.delete(name);
    names.set(name, now);
    for (const [old, at] of names) {
      if (now - at < PERIOD) break;
      names.delete(old);
    }
    if (names.size < this.#limit) return undefined;
    this.#misses.delete(key);
    const [since = now] = names.values();
    return {
      host,
      misses: names.size,
      names: [...names.keys()].slice(-NAMES_TOLD),
      since: new Date(since).toISOString(),
    };
  }

  #namesOf(key: string): Map<string, number> {
    const known = this.#misses.get(key);
    if (known) return known;
    const names = new Map<string, number>();
    if (this.#misses.size >= this.#hosts) this.#forgetOne();
    this.#misses.set(key, names);
    return names;
  }

  /** The host with the fewest names goes: requests of many forged addresses do not hide one that guesses. */
  #forgetOne(): void {
    let fewest: readonly [key: string, count: number] = ['', Infinity];
    for (const [key, { size }] of this.#misses) if (size < fewest[1]) fewest = [key, size];
    this.#misses.delete(fewest[0]);
  }
}
