/** Who writes a temporary file, and whether that process is surely gone. */

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemCode } from './file-error';
import { hexDigest } from './hex-digest';

/** A process, as the name of a file tells of it. */
export interface PartWriter {
  /** 8 hexadecimal digits: where its number means something. Linux: this start of the system, and the PID namespace, so a container is a place of its own. Elsewhere: the host's name. */
  readonly place: string;
  readonly pid: number;
  /** When it was started (Linux); 0 where that cannot be told. A number may have been given away again. */
  readonly started: number;
}

let own: PartWriter | undefined;

/** This process. Its place is blank where Linux does not tell it. */
export function thisWriter(): PartWriter {
  const { pid } = process;
  return (own ??= { place: placeOf(), pid, started: startOf(pid) ?? 0 });
}

/** True if a process is no more. False if it is there, or nothing can be known of it from here. */
export function isGone({ place, pid, started }: PartWriter): boolean {
  if (place !== thisWriter().place) return false;
  if (!isRunning(pid)) return true;
  const now = startOf(pid);
  return started !== 0 && now !== undefined && now !== started;
}

function placeOf(): string {
  try {
    const where =
      process.platform === 'linux'
        ? readFileSync('/proc/sys/kernel/random/boot_id', 'latin1') +
          readlinkSync('/proc/self/ns/pid')
        : hostname();
    return hexDigest(where).slice(0, 8);
  } catch {
    return '';
  }
}

/** Field 22 of proc_pid_stat(5). The second one is the name in brackets, which may hold anything. */
function startOf(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[22 - 3]) || undefined;
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process may not be signalled, but it is there.
    return systemCode(error) !== 'ESRCH';
  }
}
