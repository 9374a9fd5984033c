/** What a transfer sends and receives through: one peer of a port of ours. */

import type { LocalError } from '../protocol/errors';
import type { Peer } from '../transfer/peer-lock';
import type { Transmit } from '../transfer/transfer';

/** Who hears of what happens at a flow. None of these may throw. */
export interface FlowListener {
  /** @param datagram several that lie end to end, if they are coalesced. Its memory may be used again as soon as this returns. */
  message(datagram: Uint8Array, from: Peer): void;
  /** The host of a peer that was sent something reports that nothing listens at its port (ICMP port unreachable). Where the system tells it: on Linux, with `koffi`. */
  unreachable(peer: Peer): void;
  /** The socket cannot be used any more, or a datagram cannot be sent at all (too large, forbidden). */
  failed(error: LocalError): void;
}

/** What a transfer needs of UDP. */
export interface Flow {
  /** Our own address and port. */
  readonly local: Peer;
  /** True while datagrams leave or arrive several at a time. */
  readonly offload: boolean;
  /** Names the listener. Call once, before the first send. */
  subscribe(listener: FlowListener): void;
  /** Sends datagrams that lie end to end. A datagram that the system drops counts as lost on the way. */
  send(run: Transmit, to: Peer): void;
  /** Has datagrams that arrive in a burst handed out end to end. False if the system cannot, or if others share the port. */
  coalesce(): boolean;
  /** Lets the process end while the flow is open. */
  unref(): void;
  /** Extra calls do nothing. */
  close(): void;
}
