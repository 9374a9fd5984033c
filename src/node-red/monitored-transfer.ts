/** Transfers, and the nodes that they belong to. */

import type { TransferRecord } from '../net/transfer-record';

/** A node that transfers. */
export interface MonitoredNode {
  readonly id: string;
  /** The node to show in the editor: inside a subflow that is the one in the subflow's template. */
  readonly reveal: string;
  readonly type: string;
  /** Empty if it has none. */
  readonly name: string;
}

/** A transfer, and whose it is. */
export interface MonitoredTransfer {
  readonly node: MonitoredNode;
  /** The last that was told of it. It is the monitor's own copy: flows may change theirs. */
  readonly record: TransferRecord;
}
