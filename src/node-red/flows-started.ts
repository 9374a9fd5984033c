/** When the flows of a start or a deploy all stand. */

import { callListener } from '../net/call-listener';
import type { EventEmitter } from 'node:events';

const waiting = new WeakMap<EventEmitter, Set<() => void>>();

/**
 * Calls back when all flows stand, and their Catch and Status nodes hear. All nodes share one
 * listener, since an emitter warns of more than ten.
 *
 * @returns what forgets the call.
 */
export function afterFlowsStarted(events: EventEmitter, action: () => void): () => void {
  const known = waiting.get(events);
  const actions = known ?? new Set();
  if (known === undefined) {
    waiting.set(events, actions);
    events.on('flows:started', () => {
      const due = [...actions];
      actions.clear();
      for (const one of due) callListener(one);
    });
  }
  actions.add(action);
  return () => void actions.delete(action);
}
