/** Waiting with a limit. */

import type { Clock } from '../net/clock';

/** Settles with the work, or resolves after so many milliseconds. */
export function waitAtMost(
  milliseconds: number,
  work: Promise<unknown>,
  clock: Pick<Clock, 'after'>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(milliseconds, () => resolve(undefined));
    timer.unref();
    work.finally(() => timer.cancel()).then(resolve, reject);
  });
}
