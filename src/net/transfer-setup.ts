/** What a transfer is made of. */

import type { TftpError } from '../protocol/errors';
import type { TransferMode } from '../protocol/packet';
import type { DataSink, DataSource } from '../storage/storage';
import type { FlightRecorder } from '../transfer/flight-recorder';
import type { Peer, PeerLock } from '../transfer/peer-lock';
import type { Receiver } from '../transfer/receiver';
import type { Sender } from '../transfer/sender';
import type { Clock } from './clock';
import type { Flow } from '../udp/flow';
import type { TransferFacts, TransferRecord } from './transfer-record';

/** What moves: a machine with the end of the file that it belongs to. */
export type Cargo =
  | { readonly machine: Sender; readonly source: DataSource }
  | { readonly machine: Receiver; readonly sink: DataSink };

/** What it means that a transfer has failed: a failure, one that is normal, or that the client only wanted to know the size. */
export type FailureMeaning = 'failure' | 'expected' | 'probe';

/** A transfer, ready to run. */
export interface TransferSetup {
  /** The id of its records. @default a new one */
  readonly id?: string;
  readonly cargo: Cargo;
  readonly recorder: FlightRecorder;
  readonly socket: Flow;
  readonly lock: PeerLock;
  /** Where packets go until a peer is locked. */
  readonly destination: Peer;
  /** The first answer may come from another address than the destination's. @default false */
  readonly anyAddress?: boolean;
  readonly clock: Clock;
  readonly role: 'client' | 'server';
  readonly filename: string;
  /** What the server looked up in its place, if that is another name. */
  readonly servedAs?: string | undefined;
  readonly mode: TransferMode;
  /** The name that the user knows the peer by. @default the destination's address */
  readonly host?: string;
  /** Bytes, if known before the negotiation. A source must give exactly so many. */
  readonly size?: number | undefined;
  /** Milliseconds between `progress` events; 0 for none. */
  readonly progressInterval: number;
  /** Milliseconds for the whole transfer; 0 for no limit. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((record: TransferRecord) => void) | undefined;
  /** Called once, when the peer has answered for the first time. `accepts` is false for an ERROR. */
  readonly onAnswer?: ((accepts: boolean) => void) | undefined;
  /**
   * What a failure means. `began`: both sides had settled their options, and the file was on its way.
   * @default a failure
   */
  readonly meaning?: ((error: TftpError, began: boolean) => FailureMeaning) | undefined;
  /** What else every record says. */
  readonly facts?: TransferFacts | undefined;
  /** What else a `complete` record says. */
  readonly annotate?: (() => Partial<TransferRecord>) | undefined;
}
