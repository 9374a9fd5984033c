/** How a node ends. */

import { systemClock } from '../net/clock';
import type { Clock } from '../net/clock';

/** Node-RED and its user wait for it at each deploy. In milliseconds. */
const PATIENCE = 1900;

/** Closes, and tells Node-RED when that is done, within two seconds in any case. */
export function closeNode(
  close: () => Promise<void>,
  done: () => void,
  clock: Pick<Clock, 'after'> = systemClock,
): void {
  const finish = once(done);
  const patience = clock.after(PATIENCE, finish);
  close()
    .catch(() => undefined)
    .finally(() => {
      patience.cancel();
      finish();
    })
    .catch(() => undefined);
}

function once(action: () => void): () => void {
  let called = false;
  return () => {
    if (!called) action();
    called = true;
  };
}
