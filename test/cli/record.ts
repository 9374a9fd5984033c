/** A record of a transfer that is under way, to change where a test needs another. */

import type { TransferRecord } from '../../src/net/transfer-record';

export function transferRecord(changes: Partial<TransferRecord> = {}): TransferRecord {
  return {
    id: 't1',
    event: 'progress',
    role: 'client',
    operation: 'read',
    filename: 'boot/firmware.bin',
    mode: 'octet',
    host: '192.0.2.7',
    port: 40_000,
    localAddress: '192.0.2.1',
    localPort: 50_000,
    bytes: 1_200_000,
    size: 2_400_000,
    percent: 50,
    rate: 3_100_000,
    averageRate: 3_000_000,
    eta: 400,
    elapsed: 400,
    options: { blksize: 1428, windowsize: 16 },
    retransmits: 0,
    duplicates: 0,
    started: '2026-01-02T03:04:05.678Z',
    ...changes,
  };
}
