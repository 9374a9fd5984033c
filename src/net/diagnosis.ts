import type { TransferRecord } from './transfer-record';

/** A sentence. */
export interface Diagnosis {
  readonly key: string;
  readonly values: Readonly<Record<string, string | number>>;
}

export function diagnose(_record: TransferRecord): Diagnosis[] {
  return [];
}
