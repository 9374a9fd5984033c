/** The work of a thread: the first one has the reception, helpers have sessions. */

import type { ServerSystem } from '../server-system';
import { FirstThread } from './first-thread';
import { HelperThread } from './helper-thread';
import type { ThreadSetup } from './thread';

/** Does what a thread is there for. @returns what ends it. */
export function serveInThread(setup: ThreadSetup, system: ServerSystem): () => void {
  const work = setup.owner === 1 ? new FirstThread(setup, system) : new HelperThread(setup);
  return () => work.end();
}
