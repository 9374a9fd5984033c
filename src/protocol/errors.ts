/**
 * What can end a transfer. `TftpError` says what happened (`code`), what the peer is told or has
 * said (`tftpCode`), and on what; its subclasses say who ended it.
 */

/**
 * Why something failed.
 *
 * The first nine are the ERROR codes of RFC 1350 section 5 and RFC 2347: EUNDEF is code 0, ENOENT
 * 1, EACCES 2, ENOSPC 3, EBADOP 4, EBADTID 5, EEXIST 6, ENOUSER 7, EOPTNEG 8. What a server tells
 * its clients of its files has these codes too. The others are found on this side:
 *
 * - ETIMEDOUT: the peer does not respond, or the deadline has passed.
 * - ECANCELED: the transfer was cancelled here.
 * - ETOOLARGE: a size limit.
 * - EQUEUEFULL: too many messages wait in a node.
 * - EADDRINUSE, EADDRNOTAVAIL: the local port is in use; this computer does not have the address.
 * - EDIGEST: the content has another checksum.
 * - EBADSIZE: fewer or more bytes came than were announced.
 * - ENOTFOUND, ECONNREFUSED: no such host; nothing listens on the peer's port.
 * - EBUSY: the server has too many transfers, or is paused.
 * - ENOFILE, ENOPERM, EFILEEXISTS, EDISKFULL: a local file or folder is missing, may not be used
 *   (nor may a port), exists already, or does not fit on the disk.
 * - EIO: a local file, disk or socket failed.
 * - ENOANSWER: the flow did not answer a read request in time.
 * - EINVAL: a setting or a message cannot be used.
 */
export type TftpErrorCode = (typeof TFTP_ERROR_CODES)[number];

const WIRE = [
  'EUNDEF',
  'ENOENT',
  'EACCES',
  'ENOSPC',
  'EBADOP',
  'EBADTID',
  'EEXIST',
  'ENOUSER',
  'EOPTNEG',
] as const;

/** Every {@link TftpErrorCode}. */
export const TFTP_ERROR_CODES = [
  ...WIRE,
  'ETIMEDOUT',
  'ECANCELED',
  'ETOOLARGE',
  'EQUEUEFULL',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EDIGEST',
  'EBADSIZE',
  'ENOTFOUND',
  'ECONNREFUSED',
  'EBUSY',
  'ENOFILE',
  'ENOPERM',
  'EFILEEXISTS',
  'EDISKFULL',
  'EIO',
  'ENOANSWER',
  'EINVAL',
] as const;

/** The names of the ERROR codes of RFC 1350 section 5 and RFC 2347, in their order: code 1 is ENOENT. */
export const WIRE_CODES: readonly TftpErrorCode[] = WIRE;

const WIRE_TEXTS: readonly string[] = [
  'Not defined',
  'File not found',
  'Access violation',
  'Disk full or allocation exceeded',
  'Illegal TFTP operation',
  'Unknown transfer ID',
  'File already exists',
  'No such user',
  'Option negotiation failed',
];

/** Where and on what an error happened. Every field may be missing. */
export interface TftpErrorContext {
  /** The ERROR code of RFC 1350 for the peer. Default: the one that belongs to `code`, else 0. */
  tftpCode?: number;
  /** The peer, as `address:port`. */
  peer?: string;
  /** The name on the server. */
  filename?: string;
  /** The position of the block, counted from 1 without rollover. */
  block?: number;
  /** What the peer is told, if that is not `message`, which may name local things. */
  peerMessage?: string;
  /** What caused this error. It is never shown to a peer. */
  cause?: unknown;
  /** True if the failure is normal for this request and no alarm should be raised. */
  expected?: boolean;
  /** `flow`: a Node-RED flow refused the request. */
  by?: 'flow';
}

const BRAND = Symbol.for('node-red-contrib-tftp.TftpError');

/** The base of everything that ends a transfer. Recognise one with {@link isTftpError}. */
export class TftpError extends Error {
  /** What happened. */
  readonly code: TftpErrorCode;
  /** The ERROR code of RFC 1350 section 5 that the peer gets, or has sent; 0 for what has none. */
  readonly tftpCode: number;
  /** The text for the peer. It holds no local path. */
  readonly peerMessage: string;
  /** The peer, as `address:port`. */
  declare peer?: string;
  /** The name on the server. */
  declare filename?: string;
  /** The position of the block, counted from 1 without rollover. */
  declare block?: number;
  /** True if the failure is normal for this request and no alarm should be raised. */
  declare expected?: boolean;
  /** `flow`: a Node-RED flow refused the request. */
  declare by?: 'flow';

  constructor(code: TftpErrorCode, message: string, context: TftpErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = new.target.name;
    this.code = code;
    this.tftpCode = context.tftpCode ?? wireCodeOf(code);
    this.peerMessage = context.peerMessage ?? message;
    if (context.peer !== undefined) this.peer = context.peer;
    if (context.filename !== undefined) this.filename = context.filename;
    if (context.block !== undefined) this.block = context.block;
    if (context.expected !== undefined) this.expected = context.expected;
    if (context.by !== undefined) this.by = context.by;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** The peer ended the transfer with an ERROR packet. The message is the peer's own text. */
export class PeerError extends TftpError {
  constructor(tftpCode: number, text: string, context: TftpErrorContext = {}) {
    const code = WIRE_CODES[tftpCode] ?? 'EUNDEF';
    super(code, text || errorText(tftpCode), { ...context, tftpCode });
  }
}

/** The peer broke the protocol, and we ended the transfer. */
export class ProtocolError extends TftpError {}

/** The peer fell silent, or the transfer passed its deadline. */
export class TimeoutError extends TftpError {
  constructor(message: string, context: TftpErrorContext = {}) {
    super('ETIMEDOUT', message, context);
  }
}

/** Our side refused or failed: a file, a disk, a limit, a setting. */
export class LocalError extends TftpError {}

/** The user ended the transfer. */
export class CancelError extends TftpError {
  constructor(message = 'The transfer was cancelled', context: TftpErrorContext = {}) {
    super('ECANCELED', message, context);
  }
}

/** True for a `TftpError`, also one from another copy of this package in the same process. */
export function isTftpError(value: unknown): value is TftpError {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** The RFC's own words for an ERROR code, for peers that sent none. */
export function errorText(tftpCode: number): string {
  return WIRE_TEXTS[tftpCode] ?? `Error ${tftpCode}`;
}

/** What peers are told where a code is our own. */
const ON_THE_WIRE: Readonly<Partial<Record<TftpErrorCode, TftpErrorCode>>> = {
  ETOOLARGE: 'ENOSPC',
  ENOFILE: 'ENOENT',
  ENOPERM: 'EACCES',
  EDISKFULL: 'ENOSPC',
  EFILEEXISTS: 'EEXIST',
};

function wireCodeOf(code: TftpErrorCode): number {
  return Math.max(0, WIRE_CODES.indexOf(ON_THE_WIRE[code] ?? code));
}
