/** Preloaded into a program: as it ends, writes its largest resident size, in bytes, to a file. */

import { readFileSync, writeFileSync } from 'node:fs';

process.once('exit', () => {
  const file = process.env['TFTP_MEMORY_REPORT'];
  if (file !== undefined) writeFileSync(file, String(largestResidentSize()));
});

/** The figure of `resourceUsage` may be the parent's on Linux: it survives fork and exec there. */
function largestResidentSize(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] =
    /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
