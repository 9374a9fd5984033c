/** What the records of a transfer say of its client. */

import { shownName } from '../protocol/name-text';
import type { RequestPacket } from '../protocol/packet';
import type { TransferFacts } from '../net/transfer-record';
import { NeighbourTable } from '../storage/neighbour-table';
import { clientMac } from './client-mac';
import type { ProbeMemory } from './probe-memory';

export class ClientFacts {
  readonly #probes: ProbeMemory;
  readonly #neighbours = new NeighbourTable();

  constructor(probes: ProbeMemory) {
    this.#probes = probes;
  }

  of({ type, filename }: RequestPacket, host: string): TransferFacts {
    const mac = clientMac(filename, host, this.#neighbours);
    const afterProbe = type === 'RRQ' ? this.#probes.asked(host, shownName(filename)) : undefined;
    return { ...(mac !== undefined && { mac }), ...(afterProbe !== undefined && { afterProbe }) };
  }
}
