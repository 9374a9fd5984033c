/** A record of a transfer that is under way, to change where a test needs another. */

import { recordOf } from '../helpers/records';
import type { TransferRecord } from '../../src/net/transfer-record';

/** A get, half done. */
export function transferRecord(changes: Partial<TransferRecord> = {}): TransferRecord {
  return recordOf({
    id: 't1',
    event: 'progress',
    role: 'client',
    filename: 'boot/firmware.bin',
    port: 40_000,
    localPort: 50_000,
    bytes: 1_200_000,
    size: 2_400_000,
    percent: 50,
    rate: 3_100_000,
    averageRate: 3_000_000,
    eta: 400,
    elapsed: 400,
    options: { blksize: 1428, windowsize: 16 },
    started: '2026-01-02T03:04:05.678Z',
    ...changes,
  });
}
