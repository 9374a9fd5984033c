/** What a server asks of the machine, so that tests can have their own. */

import { systemClock } from '../net/clock';
import { CAN_SHARE_PORTS } from '../udp/endpoint';
import { localAddresses } from '../udp/local-addresses';
import type { Clock } from '../net/clock';
import type { LocalAddress } from '../udp/local-addresses';
import type { StartWorker } from './worker/worker';

export interface ServerSystem {
  readonly clock: Clock;
  /** The addresses of this machine, as they are now. */
  readonly localAddresses: () => readonly LocalAddress[];
  /** True if of several sockets at one port the one at the most specific address gets a datagram. */
  readonly sharesPorts: boolean;
  /** How the worker is started. @default a worker thread */
  readonly startWorker?: StartWorker;
}

/** This machine. */
export const SERVER_SYSTEM: ServerSystem = {
  clock: systemClock,
  localAddresses,
  sharesPorts: CAN_SHARE_PORTS,
};
