/** Errors on their way to another thread, where they are of the same class and say the same. */

import {
  CancelError,
  LocalError,
  PeerError,
  ProtocolError,
  TftpError,
  TimeoutError,
  isTftpError,
} from '../../protocol/errors';
import { FileError } from '../../storage/file-error';

/** An error as plain values. Without `tftp` it is any other error. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a system error. */
  readonly code?: string;
  readonly cause?: PackedError;
  readonly tftp?: Readonly<Record<string, unknown>>;
}

const CLASSES: readonly { readonly prototype: TftpError; readonly name: string }[] = [
  CancelError,
  FileError,
  LocalError,
  PeerError,
  ProtocolError,
  TimeoutError,
  TftpError,
];

/** What an error knows beside its message; `path` is that of a `FileError`. */
const FIELDS: readonly string[] = [
  ...['code', 'tftpCode', 'peerMessage'],
  ...['peer', 'filename', 'block', 'expected', 'by', 'path'],
];

export function packError(thrown: unknown): PackedError {
  if (!(thrown instanceof Error)) {
    return { name: 'Error', message: String(thrown), stack: undefined };
  }
  const { name, message, stack, cause } = thrown;
  return {
    name,
    message,
    stack,
    ...('code' in thrown && typeof thrown.code === 'string' && { code: thrown.code }),
    ...(cause !== undefined && { cause: packError(cause) }),
    ...(isTftpError(thrown) && { tftp: fieldsOf(thrown) }),
  };
}

export function unpackError(packed: PackedError): Error {
  const { name, message, stack, code, tftp } = packed;
  const cause = packed.cause && unpackError(packed.cause);
  const context = cause && { cause };
  const error =
    tftp === undefined
      ? Object.assign(new Error(message, context), code !== undefined && { code })
      : Object.assign(new TftpError('EUNDEF', message, context), tftp);
  const known = CLASSES.find((candidate) => candidate.name === name);
  if (tftp !== undefined && known) Object.setPrototypeOf(error, known.prototype);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** As `unpackError`, for what is known to be a `TftpError`. */
export function unpackTftpError(packed: PackedError): TftpError {
  const error = unpackError(packed);
  return isTftpError(error) ? error : new LocalError('EIO', error.message, { cause: error });
}

function fieldsOf(error: TftpError): Record<string, unknown> {
  const known = Object.entries(error).filter(([field]) => FIELDS.includes(field));
  return Object.fromEntries(known);
}
