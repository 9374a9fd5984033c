/** Which read follows a probe: the client first asked for the size, and now wants the file. */

import type { TransferRecord } from '../net/transfer-record';
import { RecentMap } from './recent-map';

/** Milliseconds in which the read must follow. */
const PERIOD = 30_000;
const PROBES_KEPT = 1000;

export class ProbeMemory {
  readonly #probes = new RecentMap<string, { readonly id: string; readonly at: number }>(
    PROBES_KEPT,
  );

  /** How many probes wait for their read. */
  get size(): number {
    return this.#probes.size;
  }

  /** @param now in milliseconds. */
  remember({ host, filename, id }: TransferRecord, now: number): void {
    this.#probes.set(keyOf(host, filename), { id, at: now });
  }

  /** The record's id of the probe that this read follows. It is told once. */
  take(host: string, filename: string, now: number): string | undefined {
    const key = keyOf(host, filename);
    const probe = this.#probes.get(key);
    this.#probes.delete(key);
    return probe && now - probe.at <= PERIOD ? probe.id : undefined;
  }
}

function keyOf(host: string, filename: string): string {
  return `${host}\n${filename}`;
}
