/** The end of a sink that wraps another. */

import type { DataSink } from './storage';

/** Runs the commit of a sink around `sink`. If it fails, nothing of the content may stay. */
export async function commitOrDiscard(sink: DataSink, commit: () => Promise<void>): Promise<void> {
  try {
    await commit();
  } catch (error) {
    await sink.discard();
    throw error;
  }
}
