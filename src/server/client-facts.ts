/** What the records of a transfer say of its client. */

import { shownName } from '../protocol/name-text';
import type { RequestPacket } from '../protocol/packet';
import type { TransferFacts, TransferRecord } from '../net/transfer-record';
import { NeighbourTable } from '../storage/neighbour-table';
import { clientMac } from './client-mac';
import { ProbeMemory } from './probe-memory';

export class ClientFacts {
  readonly #probes = new ProbeMemory();
  readonly #neighbours = new NeighbourTable();

  /** @param now in milliseconds. */
  of({ type, filename }: RequestPacket, host: string, now: number): TransferFacts {
    const mac = clientMac(filename, host, this.#neighbours);
    const afterProbe =
      type === 'RRQ' ? this.#probes.take(host, shownName(filename), now) : undefined;
    return { ...(mac !== undefined && { mac }), ...(afterProbe !== undefined && { afterProbe }) };
  }

  /** Keeps a probe in mind, for the read that follows. */
  ended(record: TransferRecord, now: number): void {
    if (record.event === 'probe') this.#probes.remember(record, now);
  }
}
