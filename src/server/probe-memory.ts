/**
 * Which read follows a probe: the client first asked for the size, and now wants the file. And what
 * it means if none follows.
 *
 * One probe without a read is normal: a program may want to know nothing but the size. A client that
 * ends one transfer after the other at that point, and never reads the file, cannot live with the
 * options that it was granted, or with the size. So after five probes of the same file in a row the
 * memory waits a moment for a read, and then tells of it once.
 */

import type { Clock, Timer } from '../net/clock';
import { isLast } from '../net/transfer-record';
import type { TransferRecord } from '../net/transfer-record';
import { RecentMap } from './recent-map';

/** Milliseconds in which the next request for the file must follow, to belong to the probe. */
const PERIOD = 30_000;
/** So many probes in a row are too many: a Raspberry Pi that boots well looks three times at a file before it reads it. */
const MOST_IN_A_ROW = 5;
/** Milliseconds after the last of them in which a read can follow: several clients behind one NAT all probe, and then all read. */
const PATIENCE = 3000;
const FILES_KEPT = 1000;

/** The probes in a row of one client and one file. */
interface Probes {
  readonly last: TransferRecord;
  /** When that ended, in milliseconds. */
  readonly at: number;
  readonly count: number;
  /** True once the row was told of. */
  told: boolean;
  /** True once a request has followed the last one. */
  followed: boolean;
  wait?: Timer;
}

/** Hears of a client that asks for the size again and again, and never reads. */
export type NeverReadListener = (last: TransferRecord, count: number) => void;

export class ProbeMemory {
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #onNeverRead: NeverReadListener;
  readonly #files = new RecentMap<string, Probes>(FILES_KEPT);

  constructor(clock: Pick<Clock, 'now' | 'after'>, onNeverRead: NeverReadListener) {
    this.#clock = clock;
    this.#onNeverRead = onNeverRead;
  }

  /** How many files are kept in mind. */
  get size(): number {
    return this.#files.size;
  }

  /**
   * A client asks for a file.
   *
   * @returns the record's id of the probe that this request follows. It is told once.
   */
  asked(host: string, filename: string): string | undefined {
    const probes = this.#recent(keyOf(host, filename));
    if (probes === undefined) return undefined;
    probes.wait?.cancel();
    if (probes.followed) return undefined;
    probes.followed = true;
    return probes.last.id;
  }

  /** A record of a transfer: its end may be a probe, or the read that follows. */
  heard(record: TransferRecord): void {
    if (!isLast(record) || record.operation !== 'read') return;
    const key = keyOf(record.host, record.filename);
    const before = this.#recent(key);
    before?.wait?.cancel();
    if (record.event !== 'probe') return void this.#files.delete(key);
    const count = (before?.count ?? 0) + 1;
    const told = before?.told ?? false;
    const probes: Probes = { last: record, at: this.#clock.now(), count, told, followed: false };
    this.#files.set(key, probes);
    if (count >= MOST_IN_A_ROW && !told) {
      probes.wait = this.#clock.after(PATIENCE, () => this.#tell(key, probes));
      probes.wait.unref();
    }
  }

  /** Forgets all. */
  close(): void {
    for (const { wait } of this.#files.values()) wait?.cancel();
    this.#files.clear();
  }

  #tell(key: string, probes: Probes): void {
    if (this.#files.get(key) !== probes) return;
    probes.told = true;
    this.#onNeverRead(probes.last, probes.count);
  }

  #recent(key: string): Probes | undefined {
    const probes = this.#files.get(key);
    return probes && this.#clock.now() - probes.at <= PERIOD ? probes : undefined;
  }
}

function keyOf(host: string, filename: string): string {
  return `${host}\n${filename}`;
}
