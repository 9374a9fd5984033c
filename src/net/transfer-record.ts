/** What the world is told about a transfer: plain JSON, the same in messages, in `--json` and in lists. */

import type { TransferMode } from '../protocol/packet';

/** What a record tells of. `probe`: the client asked for the size and hung up, which is no failure. */
export type TransferEventName = 'start' | 'progress' | 'complete' | 'error' | 'probe';

/** Bytes, bytes per second, milliseconds, ISO 8601 times. */
export interface TransferRecord {
  /** Unique among the transfers of all servers and clients of this process. */
  id: string;
  event: TransferEventName;
  role: 'client' | 'server';
  /** `read`: the server's file goes to the client (RRQ, get); `write`: the other way (WRQ, put). */
  operation: 'read' | 'write';
  /** The name on the server, as it was asked for. */
  filename: string;
  mode: TransferMode;
  /** The peer's address (before a client knows it: the host that was given) and port. */
  host: string;
  port: number;
  localAddress: string;
  localPort: number;
  /** Payload bytes that arrived safely so far. */
  bytes: number;
  /** The size of the file, if it is known. */
  size: number | null;
  /** 0 to 100, with one decimal; null while the size is not known. */
  percent: number | null;
  /** Over the last progress interval. */
  rate: number;
  averageRate: number;
  /** Milliseconds that the rest will take at the average rate; null while the size is not known. */
  eta: number | null;
  elapsed: number;
  /** What was negotiated; `timeout` in milliseconds. */
  options: {
    blksize: number;
    windowsize: number;
    timeout?: number;
    tsize?: number;
    rollover?: 0 | 1;
  };
  /** Packets sent again, and packets received again. */
  retransmits: number;
  duplicates: number;
  started: string;
  finished?: string;
  /** False if all was sent but the last block was never acknowledged: many boot ROMs never do. */
  finalAck?: boolean;
  /** The checksum of the file in hexadecimal digits, where one was asked for. */
  sha256?: string;
  /** The client's hardware address, where it is known. */
  mac?: string;
  error?: { code: string; tftpCode: number; message: string; expected?: boolean };
  /** The flight recorder of a failed transfer: its last packets, a line each. */
  trace?: string[];
}
