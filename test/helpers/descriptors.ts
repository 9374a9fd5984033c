import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

/** The descriptors of this process that lead to a path or below it (Linux). */
export function descriptorsOf(path: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((number) => {
    const target = targetOf(number);
    return target?.startsWith(path) ? [target] : [];
  });
}

/** Resolves when so many are open: files are closed by other threads. */
export async function untilOpen(path: string, count: number): Promise<void> {
  while (descriptorsOf(path).length !== count) await turn();
}

/** Undefined for the descriptor that listed them. */
function targetOf(number: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${number}`);
  } catch {
    return undefined;
  }
}
