/** What a client can be told, and what it does when it is not told. */

import { isIP } from 'node:net';
import { MAX_BLKSIZE, MAX_WINDOWSIZE, MIN_BLKSIZE, TFTP_PORT } from '../protocol/constants';
import { checkNumber, invalidSetting } from '../net/check-setting';
import type { TransferMode } from '../protocol/packet';
import type { TransferRecord } from '../net/transfer-record';

/**
 * How to reach a server and what to ask of it. Given to `new TftpClient` they hold for all its
 * transfers; given to a call they hold for that one.
 */
export interface ClientOptions {
  /** Name or address of the server, IPv4 or IPv6. A call fails with EINVAL if neither it nor the constructor has one. */
  host?: string;
  /** UDP port that the request goes to. @default 69 (RFC 1350) */
  port?: number;
  /**
   * The answer may come from another address of the server than the one that was asked: for servers
   * with several addresses that answer from the wrong one. Anybody who can guess the port may answer then.
   * @default false: other addresses are not listened to, and are named if the transfer fails
   */
  anyAddress?: boolean;
  /** How the bytes of a file are sent (RFC 1350 section 1). @default 'octet': the bytes as they are */
  mode?: TransferMode;
  /**
   * Bytes in a block, 8 to 65464; null does not ask, so that blocks have 512 bytes.
   * @default 1428: fits a 1500-byte Ethernet frame through IPv6 and a tunnel
   */
  blksize?: number | null;
  /**
   * Blocks sent before an acknowledgement, 1 to 65535; null does not ask, which is lock-step.
   *
   * `'auto'` asks an unknown host for 64 and learns from transfer to transfer what the path to it
   * carries, for all clients of the process. Within a transfer the window stays what was agreed upon
   * at its start (RFC 7440), and the server alone decides how much of what is asked it grants.
   *
   * @default 16: near the full speed of a local network, and small enough for the buffers of switches
   * and boot loaders. In simulations of a path that drops the end of windows above 40 blocks, a first
   * transfer of 500 kB took 24 seconds with 'auto', and 0.15 with 16; so 'auto' is for hosts that are
   * met again and again, for paths that lose single datagrams, and for those with long round trips.
   */
  windowsize?: number | 'auto' | null;
  /**
   * First retransmission timeout in milliseconds, 10 to 255000. It is asked of the server too (RFC
   * 2349), and if the server grants it, both sides keep to it; null does not ask, and uses 1000 on our
   * side. Without a granted timeout later ones follow the measured round trip: in windows down to 200,
   * otherwise not below this or 1000.
   * @default null
   */
  timeout?: number | null;
  /**
   * How often something is repeated to a silent server before giving up, 0 to 100. The first timeout is
   * doubled each time, up to 10 seconds; where round trips make it shorter, it is repeated more often in
   * the same time.
   *
   * @default 6: 45 seconds of patience with the default timeout
   */
  retries?: number;
  /**
   * Ask for the file's size (get), or tell it (put). In octet mode a get that has fewer or more bytes
   * than the server told fails with EBADSIZE.
   * @default true
   */
  tsize?: boolean;
  /** What follows block 65535; null does not ask. Nearly every server goes on with 0. @default null */
  rollover?: 0 | 1 | null;
  /** A get that is larger fails with ETOOLARGE. Bytes. @default Infinity */
  maxSize?: number;
  /** The whole transfer must end within this time. Milliseconds, 0 for no limit. @default 0 */
  deadline?: number;
  /** Local address to send from; blank for any. @default chosen by the system */
  localAddress?: string;
  /** Local port, or the first and last of a range to take the first free one from. @default any */
  localPort?: number | readonly [first: number, last: number];
  /** Milliseconds between `progress` events; 0 for none. @default 1000 */
  progressInterval?: number;
  /** The SHA-256 that the file must have, in hexadecimal digits. Another content fails with EDIGEST, and leaves no file. @default not checked */
  sha256?: string;
  /** The MD5 that the file must have, as `sha256`. @default not checked */
  md5?: string;
  /** Aborting it ends the transfer: the server gets an ERROR packet, the call rejects with ECANCELED. */
  signal?: AbortSignal;
  /** Hears of the transfer: one `start`, some `progress`, then one `complete` or `error`. */
  onEvent?: (record: TransferRecord) => void;
}

/** `ClientOptions` with nothing left open. */
export type RequiredClientOptions = {
  [
    K in Exclude<
      keyof ClientOptions,
      'localAddress' | 'localPort' | 'sha256' | 'md5' | 'signal' | 'onEvent'
    >
  ]-?: NonNullable<ClientOptions[K]> | (null extends ClientOptions[K] ? null : never);
} & Pick<ClientOptions, 'localAddress' | 'localPort' | 'sha256' | 'md5' | 'signal' | 'onEvent'>;

/** What holds where nothing is said: see {@link ClientOptions}. */
export const CLIENT_DEFAULTS = {
  port: TFTP_PORT,
  anyAddress: false,
  mode: 'octet',
  blksize: 1428,
  windowsize: 16,
  timeout: null,
  retries: 6,
  tsize: true,
  rollover: null,
  maxSize: Infinity,
  deadline: 0,
  progressInterval: 1000,
} as const satisfies ClientOptions;

/** The largest window that a client asks for, in bytes: what it may have to hold in memory. */
const MAX_ASKED_WINDOW = 64 * 1024 * 1024;

/**
 * Fills in the defaults and checks the limits.
 *
 * @throws {LocalError} EINVAL, saying which option is wrong and what it may be.
 */
export function parseClientOptions(...layers: readonly ClientOptions[]): RequiredClientOptions {
  const options: ClientOptions = { ...CLIENT_DEFAULTS };
  for (const layer of layers) {
    const given = Object.entries(layer).filter(([, value]) => value !== undefined);
    Object.assign(options, Object.fromEntries(given));
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest of this function makes it true
  const parsed = options as RequiredClientOptions;
  if (typeof parsed.host !== 'string' || parsed.host === '') {
    throw invalidSetting('host is missing: give the name or the address of the TFTP server');
  }
  checkNumber('port', parsed.port, 1, 65535);
  if (typeof parsed.anyAddress !== 'boolean') {
    throw invalidSetting(`anyAddress is ${String(parsed.anyAddress)}: it must be true or false`);
  }
  if (parsed.mode !== 'octet' && parsed.mode !== 'netascii') {
    throw invalidSetting(`mode is ${String(parsed.mode)}: it must be octet or netascii`);
  }
  checkAsked('blksize', parsed.blksize, MIN_BLKSIZE, MAX_BLKSIZE);
  checkWindow(parsed);
  checkAsked('timeout', parsed.timeout, 10, 255_000);
  checkAsked('rollover', parsed.rollover, 0, 1);
  checkNumber('retries', parsed.retries, 0, 100);
  if (!(typeof parsed.maxSize === 'number' && parsed.maxSize >= 0)) {
    throw invalidSetting(`maxSize is ${String(parsed.maxSize)}: it must be a number of bytes`);
  }
  checkNumber('deadline', parsed.deadline, 0, 2 ** 31 - 1);
  checkNumber('progressInterval', parsed.progressInterval, 0, 2 ** 31 - 1);
  checkLocal(parsed);
  checkDigest('sha256', parsed.sha256, 64);
  checkDigest('md5', parsed.md5, 32);
  return parsed;
}

/** null stands for an option that is not asked. */
function checkAsked(name: string, value: number | null, least: number, most: number): void {
  if (value !== null) checkNumber(name, value, least, most);
}

function checkWindow({ blksize, windowsize }: RequiredClientOptions): void {
  if (windowsize === null || windowsize === 'auto') return;
  if (typeof windowsize !== 'number') {
    throw invalidSetting(`windowsize is ${String(windowsize)}: it must be a whole number or auto`);
  }
  checkNumber('windowsize', windowsize, 1, MAX_WINDOWSIZE);
  if ((blksize ?? 512) * windowsize > MAX_ASKED_WINDOW) {
    throw invalidSetting('windowsize times blksize is more than 64 MiB: make one of them smaller');
  }
}

function checkLocal({ localAddress, localPort = 0 }: ClientOptions): void {
  if (localAddress && isIP(localAddress) === 0) {
    throw invalidSetting(
      `localAddress is ${localAddress}: it must be an address of this machine, such as 192.0.2.1`,
    );
  }
  const [first, last] = typeof localPort === 'number' ? [localPort, localPort] : localPort;
  checkNumber('localPort', first, 0, 65535);
  checkNumber('localPort', last, first, 65535);
}

function checkDigest(name: string, value: string | undefined, digits: number): void {
  if (value === undefined || (value.length === digits && /^[0-9a-fA-F]+$/.test(value))) return;
  throw invalidSetting(`${name} must be ${digits} hexadecimal digits`);
}
