/** Transfers as the runtime tells the sidebar of them. */

import type { TransferRow } from '../../src/node-red/transfer-rows';

/** A running download of `a.bin`, half of it done. */
export function row(changes: Partial<TransferRow> = {}): TransferRow {
  return {
    id: 'a',
    node: 'n1',
    event: 'progress',
    role: 'server',
    operation: 'read',
    filename: 'a.bin',
    mode: 'octet',
    host: '192.0.2.1',
    port: 2000,
    bytes: 500,
    size: 1000,
    percent: 50,
    rate: 100,
    averageRate: 100,
    eta: 5000,
    elapsed: 5000,
    retransmits: 0,
    duplicates: 0,
    blksize: 512,
    windowsize: 1,
    started: '2026-01-02T03:04:05.000Z',
    ...changes,
  };
}

/** A download that has ended. */
export function ended(id: string, changes: Partial<TransferRow> = {}): TransferRow {
  return row({ id, event: 'complete', finished: '2026-01-02T03:04:15.000Z', ...changes });
}

export const TOTALS = {
  ...{ since: '2026-01-02T00:00:00.000Z', completed: 1, failed: 0, expected: 0, probes: 0 },
  ...{ cancelled: 0, bytesDown: 0, bytesUp: 0, retransmits: 0, rateDown: 0, rateUp: 0 },
};

/** One running transfer, one that is over, and two nodes. */
export function snapshot(changes: object = {}): object {
  return {
    sequence: 7,
    now: '2026-01-02T03:04:10.000Z',
    nodes: [
      { id: 'n1', reveal: 'n1', type: 'tftp-server', name: 'Phones' },
      { id: 'n2', reveal: 'n2', type: 'tftp-get', name: '' },
    ],
    live: [row()],
    liveCount: 1,
    finished: [ended('old')],
    totals: TOTALS,
    throughput: { interval: 5000, end: '2026-01-02T03:04:10.000Z', down: [1, 2, 3], up: [0, 0, 0] },
    ...changes,
  };
}

/** The delta that follows `snapshot()`, in which nothing happened. */
export function delta(changes: object = {}): object {
  return {
    ...{ sequence: 8, started: [], progress: [], finished: [], liveCount: 1, totals: TOTALS },
    ...changes,
  };
}
