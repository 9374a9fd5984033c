/** What the world is told about a transfer: plain JSON, the same in messages, in `--json` and in lists. */

import type { TftpError } from '../protocol/errors';
import { DEFAULT_OPTIONS } from '../protocol/options';
import type { TransferMode } from '../protocol/packet';
import { randomId } from './random-id';

/** What a record tells of. `probe`: the client asked for the size and hung up, which is no failure. */
export type TransferEventName = 'start' | 'progress' | 'complete' | 'error' | 'probe';

/** What is known of a transfer. All sizes are in bytes, rates in bytes per second, spans in milliseconds, times in ISO 8601 (UTC). */
export interface TransferRecord {
  /** Unique among the transfers of all servers and clients of this process. */
  id: string;
  event: TransferEventName;
  /** Which side we are. */
  role: 'client' | 'server';
  /** `read`: the server's file goes to the client (RRQ, get); `write`: the other way (WRQ, put). */
  operation: 'read' | 'write';
  /** The name on the server, as it was asked for. */
  filename: string;
  /** The name that the server looked up in its place, where rules made another one of it. */
  servedAs?: string;
  mode: TransferMode;
  /** The peer's address; before a client knows it, the host that was given. */
  host: string;
  /** The peer's port: the one that was asked, then the one that the peer sends from. */
  port: number;
  /** Our own address; empty before it is known. */
  localAddress: string;
  /** Our own port; 0 before it is known. */
  localPort: number;
  /** Payload bytes that arrived safely so far. */
  bytes: number;
  /** The size of the file, if it is known. */
  size: number | null;
  /** 0 to 100, with one decimal; null while the size is not known. */
  percent: number | null;
  /** Bytes per second over the last progress interval. */
  rate: number;
  /** Bytes per second since the start. */
  averageRate: number;
  /** Milliseconds that the rest will take at the average rate; null while the size is not known. */
  eta: number | null;
  /** Milliseconds since the start. */
  elapsed: number;
  /** What was negotiated (RFC 2347): `blksize` and `tsize` in bytes, `windowsize` in blocks, `timeout` in milliseconds. */
  options: {
    blksize: number;
    windowsize: number;
    timeout?: number;
    tsize?: number;
    rollover?: 0 | 1;
  };
  /** True while the kernel cuts or joins datagrams (UDP segmentation offload): windows go to it in one piece. */
  offload?: boolean;
  /** Packets that we sent again: a measure of the link. */
  retransmits: number;
  /** Packets that came again. */
  duplicates: number;
  /** Present while the peer is silent: how often something was repeated, and how often it will be at most. */
  retry?: { attempt: number; retries: number };
  started: string;
  /** Present in the record that ends the transfer. */
  finished?: string;
  /**
   * False if a server sent all, and the client acknowledged all but the last block: many boot ROMs never
   * acknowledge that one. A put is complete only with that acknowledgement.
   */
  finalAck?: boolean;
  /** The checksum of the file in hexadecimal digits, where one was asked for. */
  sha256?: string;
  /** The client's hardware address, where it is known. */
  mac?: string;
  /** The id of the probe that this read follows: the same client asked for the size just before. */
  afterProbe?: string;
  /**
   * Why it failed: one of `TftpErrorCode`, its ERROR code on the wire, and a sentence; `expected` is
   * true for what is normal, `by` is `flow` if a Node-RED flow refused the request.
   */
  error?: { code: string; tftpCode: number; message: string; expected?: boolean; by?: 'flow' };
  /**
   * The flight recorder: the last packets, a line each. There once the transfer has failed, or has
   * completed although packets had to be repeated: why it was slow.
   */
  trace?: string[];
}

/** What a server knows of a client besides. */
export type TransferFacts = Pick<TransferRecord, 'mac' | 'afterProbe'>;

/** What is known of a transfer before anything has moved. */
export type TransferBeginning = Pick<
  TransferRecord,
  'role' | 'operation' | 'filename' | 'mode' | 'host' | 'port'
> &
  Partial<Pick<TransferRecord, 'id' | 'servedAs' | 'localAddress' | 'localPort'>> &
  TransferFacts;

/**
 * The records of a transfer that failed before anything moved: its `start` and its `error`.
 *
 * @param ending.at the time of both. @default now
 */
export function failedRecords(
  beginning: TransferBeginning,
  error: TftpError,
  ending: { readonly at?: Date; readonly trace?: string[] } = {},
): readonly [start: TransferRecord, error: TransferRecord] {
  const { at = new Date(), trace = [] } = ending;
  const now = at.toISOString();
  const start: TransferRecord = {
    id: randomId(),
    event: 'start',
    localAddress: '',
    localPort: 0,
    ...beginning,
    bytes: 0,
    size: null,
    percent: null,
    rate: 0,
    averageRate: 0,
    eta: null,
    elapsed: 0,
    options: { blksize: DEFAULT_OPTIONS.blksize, windowsize: DEFAULT_OPTIONS.windowsize },
    retransmits: 0,
    duplicates: 0,
    started: now,
  };
  return [start, { ...start, event: 'error', finished: now, error: describeError(error), trace }];
}

/** The record of a transfer that ended with this error and had nobody left to tell it. */
export function endedRecord(last: TransferRecord, error: TftpError): TransferRecord {
  const { trace = [] } = last;
  const finished = new Date().toISOString();
  return { ...last, event: 'error', finished, error: describeError(error), trace };
}

/** True for the record that ends a transfer. */
export function isLast({ event }: TransferRecord): boolean {
  return event !== 'start' && event !== 'progress';
}

/** True if packets were sent or came more than once. */
export function hadToRepeat({
  retransmits,
  duplicates,
}: Pick<TransferRecord, 'retransmits' | 'duplicates'>): boolean {
  return retransmits > 0 || duplicates > 0;
}

/** An error as a record tells it. */
export function describeError(error: TftpError): NonNullable<TransferRecord['error']> {
  const { code, tftpCode, message, expected, by } = error;
  return {
    code,
    tftpCode,
    message,
    ...(expected !== undefined && { expected }),
    ...(by !== undefined && { by }),
  };
}
