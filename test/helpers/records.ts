/** Records as a transfer tells them, for tests that need no transfer. */

import type { TransferRecord } from '../../src/net/transfer-record';

/** What a record says if a test says nothing else: a read that has just begun. */
export function recordOf(own: Partial<TransferRecord> = {}): TransferRecord {
  return {
    id: 'a',
    event: 'start',
    role: 'server',
    operation: 'read',
    filename: 'phone.bin',
    mode: 'octet',
    host: '192.0.2.7',
    port: 1234,
    localAddress: '192.0.2.1',
    localPort: 5678,
    bytes: 0,
    size: 100_000,
    percent: 0,
    rate: 0,
    averageRate: 0,
    eta: null,
    elapsed: 0,
    options: { blksize: 1428, windowsize: 4 },
    retransmits: 0,
    duplicates: 0,
    started: '2030-01-01T00:00:00.000Z',
    ...own,
  };
}
