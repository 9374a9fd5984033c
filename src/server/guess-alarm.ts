/** Notices clients that guess names: who asks for many files that do not exist looks for what it should not have. */

import { RecentMap } from './recent-map';

/** What the server's event `alarm` tells. */
export interface GuessAlarm {
  /** The client's address. */
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
  /** For each address the missing names and when they were asked for, the last one last. */
  readonly #misses: RecentMap<string, Map<string, number>>;

  /** @param limit missing names of one address within a minute that raise the alarm; 0 for never. */
  constructor(limit: number) {
    this.#limit = limit;
    this.#misses = new RecentMap(Math.max(1, Math.floor(NAMES_KEPT / Math.max(1, limit))));
  }

  /** How many addresses are kept in mind. */
  get size(): number {
    return this.#misses.size;
  }

  /**
   * Counts a missing name; the same name again counts once. After an alarm the count of the address
   * begins anew.
   *
   * @param now milliseconds since 1970.
   * @returns the alarm, if this name was one too many.
   */
  missed(host: string, name: string, now: number): GuessAlarm | undefined {
    if (this.#limit === 0) return undefined;
    const names = this.#namesOf(host);
    names.delete(name);
    names.set(name, now);
    for (const [old, at] of names) {
      if (now - at < PERIOD) break;
      names.delete(old);
    }
    if (names.size < this.#limit) return undefined;
    this.#misses.delete(host);
    const [since = now] = names.values();
    return {
      host,
      misses: names.size,
      names: [...names.keys()].slice(-NAMES_TOLD),
      since: new Date(since).toISOString(),
    };
  }

  /** The address that missed last is the last; the first one is forgotten for a new one. */
  #namesOf(host: string): Map<string, number> {
    const names = this.#misses.get(host) ?? new Map<string, number>();
    this.#misses.set(host, names);
    return names;
  }
}
