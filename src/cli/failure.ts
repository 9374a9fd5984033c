/** Failures in words: what happened, and what to change. */

import { PeerError, TimeoutError, isTftpError } from '../protocol/errors';
import { cleanText } from './command-io';
import type { TftpError, TftpErrorCode } from '../protocol/errors';

type Advice = Readonly<Partial<Record<TftpErrorCode, string>>>;

const FOR_PEER_ERRORS: Advice = {
  EUNDEF: "look into the server's log",
  ENOENT: 'check the name of the file on the server',
  EACCES: 'check on the server who may do this with this file',
  ENOSPC: 'make room on the server, or raise its limit',
  EBADOP: 'try --no-options',
  EEXIST: 'choose another name, or let the server overwrite',
  EOPTNEG: 'try --no-options',
};

/** Where the message itself does not say it. */
const FOR_OUR_ERRORS: Advice = {
  ETIMEDOUT: 'check the host, the port and the firewall, or give a longer --timeout',
  ECONNREFUSED: 'check the port, and that a TFTP server runs there',
  ETOOLARGE: 'give a larger --max-size',
  EBADSIZE: 'look at the file on the side that sends it',
};

/** One line without the name of the command, for any failure. */
export function failureText(error: unknown): string {
  if (!isTftpError(error)) {
    return `internal error: ${cleanText(String(error))}; please report it, with what -v shows`;
  }
  const advice = error instanceof PeerError ? FOR_PEER_ERRORS : FOR_OUR_ERRORS;
  return [whatHappened(error), advice[error.code]].filter(Boolean).join('; ');
}

/** True if whoever read our output went away, which is their good right. */
export function isBrokenPipe(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === 'EPIPE') || isBrokenPipe(error.cause);
}

/** Each error, its stack, then what caused it. */
export function stackText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? String(error);
  return error.cause === undefined ? stack : `${stack}\ncaused by ${stackText(error.cause)}`;
}

function whatHappened(error: TftpError): string {
  const message = cleanText(error.message);
  const { peer } = error;
  if (error instanceof PeerError)
    return `${peer ?? 'the server'} says "${message}" (${error.code})`;
  return error instanceof TimeoutError && peer !== undefined ? `${message} (${peer})` : message;
}
