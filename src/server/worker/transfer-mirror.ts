/** The transfers of the worker, as the main thread knows them. */

import { isLast } from '../../net/transfer-record';
import type { TransferRecord } from '../../net/transfer-record';

interface MirroredTransfer {
  readonly host: string;
  record: TransferRecord | undefined;
  /** It was aborted, and will end. */
  ending: boolean;
}

export class TransferMirror {
  readonly #transfers = new Map<string, MirroredTransfer>();

  /** The last known record of each transfer, as a `progress` event would have it. */
  get records(): TransferRecord[] {
    return [...this.#transfers.values()].flatMap(({ record }) => record ?? []);
  }

  /** Marks one transfer as ending. @returns how many that are. */
  endOne(id: string): number {
    return this.#end((transfer) => transfer.record?.id === id);
  }

  /** Marks the transfers of one address, or all, as ending. @returns how many they are. */
  endAll(host: string | undefined): number {
    return this.#end((transfer) => host === undefined || transfer.host === host);
  }

  /** A transfer that continues another one under the same id is known already. */
  begun(id: string, host: string): void {
    if (this.#transfers.has(id)) return;
    this.#transfers.set(id, { host, record: undefined, ending: false });
  }

  /** Does nothing for transfers that have ended. */
  report(record: TransferRecord): void {
    const transfer = this.#transfers.get(record.id);
    if (transfer === undefined) return;
    if (isLast(record)) this.#transfers.delete(record.id);
    else transfer.record = { ...record, event: 'progress' };
  }

  ended(id: string): void {
    this.#transfers.delete(id);
  }

  clear(): void {
    this.#transfers.clear();
  }

  #end(which: (transfer: MirroredTransfer) => boolean): number {
    const ending = [...this.#transfers.values()].filter((one) => !one.ending && which(one));
    for (const transfer of ending) transfer.ending = true;
    return ending.length;
  }
}
