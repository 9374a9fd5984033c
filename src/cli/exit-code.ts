/** What the command tells the shell. */

import { LocalError, isTftpError } from '../protocol/errors';

/**
 * `refused` also stands for a host that is not found and a port where nothing listens, `usage` for
 * settings that cannot be used, `internal` (EX_INTERNAL of sysexits.h) for a mistake of our own.
 * `interrupted` and `terminated` are what shells report for SIGINT and SIGTERM.
 */
export const ExitCode = {
  done: 0,
  refused: 1,
  usage: 2,
  timeout: 3,
  local: 4,
  digest: 5,
  internal: 70,
  interrupted: 130,
  terminated: 143,
} as const;

/** The exit code for a failure that is not an interruption. */
export function exitCodeOf(error: unknown): number {
  if (!isTftpError(error)) return ExitCode.internal;
  switch (error.code) {
    case 'EINVAL':
      return ExitCode.usage;
    case 'ETIMEDOUT':
      return ExitCode.timeout;
    case 'EDIGEST':
      return ExitCode.digest;
    case 'ECANCELED':
      return ExitCode.interrupted;
    case 'ENOTFOUND':
    case 'ECONNREFUSED':
      return ExitCode.refused;
    default:
      return error instanceof LocalError ? ExitCode.local : ExitCode.refused;
  }
}
