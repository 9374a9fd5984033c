/** What a machine has to say, until its driver drains it. */

import type { TransferEvent, Transmit } from './transfer';

/** Two queues, in order. */
export class Outbox {
  #transmits: Transmit[] = [];
  #events: TransferEvent[] = [];

  /** Queues one datagram. */
  send(datagram: Uint8Array): void {
    this.sendRun({ datagrams: datagram, segmentSize: datagram.length });
  }

  sendRun(run: Transmit): void {
    this.#transmits.push(run);
  }

  emit(event: TransferEvent): void {
    this.#events.push(event);
  }

  pollTransmit(): Transmit | undefined {
    return this.#transmits.shift();
  }

  pollEvent(): TransferEvent | undefined {
    return this.#events.shift();
  }
}
