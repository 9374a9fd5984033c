/** What the command tells the shell. */

import { LocalError, isTftpError } from '../protocol/errors';
import type { TftpErrorCode } from '../protocol/errors';

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

/** For codes that tell more than whose fault it was. */
const BY_ERROR_CODE: Readonly<Partial<Record<TftpErrorCode, number>>> = {
  EINVAL: ExitCode.usage,
  ETIMEDOUT: ExitCode.timeout,
  EDIGEST: ExitCode.digest,
  ECANCELED: ExitCode.interrupted,
  ENOTFOUND: ExitCode.refused,
  ECONNREFUSED: ExitCode.refused,
};

/** The exit code for a failure. */
export function exitCodeOf(error: unknown): number {
  if (!isTftpError(error)) return ExitCode.internal;
  const byOrigin = error instanceof LocalError ? ExitCode.local : ExitCode.refused;
  return BY_ERROR_CODE[error.code] ?? byOrigin;
}
