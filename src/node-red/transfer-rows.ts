/** Transfers as the sidebar shows them: rows of plain JSON. */

import type { TransferRecord } from '../net/transfer-record';
import type { MonitoredTransfer } from './monitored-transfer';

/** A row; see `TransferRecord` for what the fields mean. A live one has the event `start` or `progress`. */
export interface TransferRow extends Pick<
  TransferRecord,
  | 'id'
  | 'event'
  | 'role'
  | 'operation'
  | 'filename'
  | 'servedAs'
  | 'mode'
  | 'host'
  | 'port'
  | 'bytes'
  | 'size'
  | 'percent'
  | 'rate'
  | 'averageRate'
  | 'eta'
  | 'elapsed'
  | 'retransmits'
  | 'duplicates'
  | 'retry'
  | 'mac'
  | 'started'
  | 'finished'
  | 'error'
> {
  /** The id of its node. */
  readonly node: string;
  readonly blksize: number;
  readonly windowsize: number;
}

/** What moves in a row. The last one is `retry.attempt`, or 0 while the peer answers. */
export type ProgressRow = readonly [
  id: string,
  bytes: number,
  size: number | null,
  rate: number,
  averageRate: number,
  eta: number | null,
  elapsed: number,
  retransmits: number,
  duplicates: number,
  attempt: number,
];

export function transferRow({ node, record }: MonitoredTransfer): TransferRow {
  const { servedAs, retry, mac, finished, error } = record;
  return {
    id: record.id,
    node: node.id,
    event: record.event,
    role: record.role,
    operation: record.operation,
    filename: record.filename,
    ...(servedAs !== undefined && { servedAs }),
    mode: record.mode,
    host: record.host,
    port: record.port,
    bytes: record.bytes,
    size: record.size,
    percent: record.percent,
    rate: record.rate,
    averageRate: record.averageRate,
    eta: record.eta,
    elapsed: record.elapsed,
    retransmits: record.retransmits,
    duplicates: record.duplicates,
    blksize: record.options.blksize,
    windowsize: record.options.windowsize,
    ...(retry && { retry }),
    ...(mac !== undefined && { mac }),
    started: record.started,
    ...(finished !== undefined && { finished }),
    ...(error && { error }),
  };
}

export function progressRow({ record }: MonitoredTransfer): ProgressRow {
  const { id, bytes, size, rate, averageRate, eta, elapsed, retransmits, duplicates } = record;
  const attempt = record.retry?.attempt ?? 0;
  return [id, bytes, size, rate, averageRate, eta, elapsed, retransmits, duplicates, attempt];
}

/** True if a progress row is not enough to bring a row from one record to the next. */
export function needsWholeRow(before: TransferRecord, now: TransferRecord): boolean {
  const { blksize, windowsize } = before.options;
  // How many retries there are is told when the first one is.
  if (before.retry === undefined && now.retry !== undefined) return true;
  if (before.port !== now.port) return true;
  return blksize !== now.options.blksize || windowsize !== now.options.windowsize;
}
