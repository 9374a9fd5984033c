/**
 * Option negotiation (RFC 2347, 2348, 2349, 7440; blksize2, utimeout and rollover from tftp-hpa),
 * as three pure functions: what a client asks, what a server grants, what a client accepts.
 */

import {
  DEFAULT_BLKSIZE,
  MAX_BLKSIZE,
  MAX_DIGITS,
  MAX_TIMEOUT,
  MAX_UTIMEOUT,
  MAX_WINDOWSIZE,
  MAX_WINDOW_BYTES,
  MIN_BLKSIZE,
  MIN_TIMEOUT,
  MIN_UTIMEOUT,
  MIN_WINDOWSIZE,
} from './constants';
import type { Rollover } from './block-number';
import { ProtocolError } from './errors';
import type { TransferMode, WireOption } from './packet';

/** What both sides agreed on. */
export interface NegotiatedOptions {
  /** Bytes in a block. Default 512 (RFC 1350). */
  readonly blksize: number;
  /** Blocks in a window. Default 1, lock-step (RFC 7440). */
  readonly windowsize: number;
  /** The retransmission timeout in milliseconds, if one was negotiated. */
  readonly timeout?: number;
  /** The size of the file in bytes, if it was told. */
  readonly tsize?: number;
  /** What follows block 65535 on the wire. Default 0. */
  readonly rollover: Rollover;
}

/** What holds when nothing was negotiated (RFC 1350). */
export const DEFAULT_OPTIONS: NegotiatedOptions = {
  blksize: DEFAULT_BLKSIZE,
  windowsize: 1,
  rollover: 0,
};

/** What a client asks for. A missing field is not asked, and then not granted. */
export interface WantedOptions {
  /** 8 to 65464 bytes. */
  readonly blksize?: number;
  /** 1 to 65535 blocks. */
  readonly windowsize?: number;
  /** Milliseconds; sent as `timeout` if whole seconds, else as `utimeout`. */
  readonly timeout?: number;
  /** 0 to ask for the size of a file to read; the size of a file to write. */
  readonly tsize?: number;
  readonly rollover?: Rollover;
}

/** What a server is willing to grant. */
export interface OptionLimits {
  /** The largest block size, in bytes. */
  readonly blksizeMax: number;
  /** The largest window, in blocks. */
  readonly windowsizeMax: number;
}

/** The server's side of a negotiation. */
export interface GrantedOptions {
  /** The options of the OACK, in the order asked. Empty: send no OACK. */
  readonly oack: readonly WireOption[];
  readonly options: NegotiatedOptions;
}

/** The options of a client's request, in the order in which picky servers want them: blksize first. */
export function requestOptions(wanted: WantedOptions): WireOption[] {
  const options: WireOption[] = [];
  const ask = (name: string, value: number | undefined) => {
    if (value !== undefined) options.push({ name, value: String(value) });
  };
  ask('blksize', wanted.blksize);
  ask('tsize', wanted.tsize);
  if (wanted.timeout !== undefined) {
    if (wanted.timeout % 1000 === 0) ask('timeout', wanted.timeout / 1000);
    else ask('utimeout', Math.round(wanted.timeout * 1000));
  }
  ask('windowsize', wanted.windowsize);
  ask('rollover', wanted.rollover);
  return options;
}

/**
 * Answers the options of a request: only what was asked, in the order asked, never above what was
 * asked. A bad value drops that option and nothing else.
 *
 * @param transfer.size the file's size; on a write, what the client announced counts instead.
 *   An empty file's size is left out, because curl fails on `tsize=0` in an OACK (RFC 2347 lets a
 *   server drop any option), and so is the size of a netascii read, which nobody knows beforehand.
 */
export function grantOptions(
  asked: readonly WireOption[],
  limits: OptionLimits,
  transfer: { direction: 'read' | 'write'; mode: TransferMode; size?: number | undefined },
): GrantedOptions {
  const granted: { -readonly [K in keyof NegotiatedOptions]: NegotiatedOptions[K] } = {
    ...DEFAULT_OPTIONS,
  };
  const oack = new Map<string, string>();

  const blocks = asked.find(({ name, value }) => grantedBlksize(name, value, limits) !== undefined);
  if (blocks) {
    granted.blksize = grantedBlksize(blocks.name, blocks.value, limits)!;
    oack.set(blocks.name, String(granted.blksize));
  }
  if (asked.some(({ name, value }) => name === 'rollover' && numberOf(value) === 1)) {
    granted.rollover = 1;
  }

  for (const { name, value } of asked) {
    const number = numberOf(value);
    if (number === undefined) continue;
    switch (name) {
      case 'windowsize':
        if (number < MIN_WINDOWSIZE || number > MAX_WINDOWSIZE) break;
        granted.windowsize = Math.min(number, largestWindow(granted, limits));
        oack.set(name, String(granted.windowsize));
        break;
      case 'timeout':
      case 'utimeout': {
        const timeout = timeoutOf(name, number);
        if (timeout === undefined || granted.timeout !== undefined) break;
        granted.timeout = timeout;
        oack.set(name, value);
        break;
      }
      case 'tsize': {
        const size = grantedSize(number, transfer);
        if (size === undefined) break;
        granted.tsize = size;
        oack.set(name, String(size));
        break;
      }
      case 'rollover':
        if (number === 0 || number === 1) oack.set(name, value);
        break;
      default: // blksize was granted above; others are not ours to answer (RFC 2347)
    }
  }

  const inOrder = asked.filter(({ name }) => oack.has(name));
  return {
    oack: inOrder.map(({ name }) => ({ name, value: oack.get(name)! })),
    options: granted,
  };
}

/**
 * Reads a server's OACK. A server must not answer what was not asked, nor grant more than was
 * asked (RFC 2347, 2348, 2349, 7440). A value that is no number is ignored, as if the option had not
 * been granted; but for the two options that say how the file is cut and numbered.
 *
 * @returns the options in force, or the EOPTNEG error to end the transfer with.
 */
export function confirmOptions(
  asked: readonly WireOption[],
  oack: readonly WireOption[],
): NegotiatedOptions | ProtocolError {
  const confirmed: { -readonly [K in keyof NegotiatedOptions]: NegotiatedOptions[K] } = {
    ...DEFAULT_OPTIONS,
  };
  for (const { name, value } of oack) {
    const request = asked.find((option) => option.name === name);
    if (!request) return refuse(`The server granted ${name}, which was not asked`);
    const number = numberOf(value);
    const wanted = Number(request.value);
    if (number === undefined) {
      if (name === 'blksize' || name === 'rollover') return refuseValue(name, value, request.value);
      continue;
    }
    switch (name) {
      case 'blksize':
        if (number < MIN_BLKSIZE || number > wanted) return refuseValue(name, value, request.value);
        confirmed.blksize = number;
        break;
      case 'windowsize':
        if (number < MIN_WINDOWSIZE || number > wanted) {
          return refuseValue(name, value, request.value);
        }
        confirmed.windowsize = number;
        break;
      case 'timeout':
      case 'utimeout':
        if (number !== wanted) return refuseValue(name, value, request.value);
        confirmed.timeout = timeoutOf(name, number)!;
        break;
      case 'rollover':
        if (number !== wanted) return refuseValue(name, value, request.value);
        confirmed.rollover = wanted === 1 ? 1 : 0;
        break;
      default: // tsize, the only other option that a client of ours asks for
        confirmed.tsize = number;
    }
  }
  return confirmed;
}

function refuse(message: string): ProtocolError {
  return new ProtocolError('EOPTNEG', message);
}

function refuseValue(name: string, granted: string, asked: string): ProtocolError {
  return refuse(`The server granted ${name}=${granted} where ${asked} was asked`);
}

/** A decimal number of at most 20 digits that is exact in JavaScript. */
function numberOf(value: string): number | undefined {
  if (value.length > MAX_DIGITS || !/^[0-9]+$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

function grantedBlksize(name: string, value: string, limits: OptionLimits): number | undefined {
  if (name !== 'blksize' && name !== 'blksize2') return undefined;
  const number = numberOf(value);
  if (number === undefined || number < MIN_BLKSIZE || number > MAX_BLKSIZE) return undefined;
  const size = Math.min(number, limits.blksizeMax);
  return name === 'blksize' ? size : 2 ** Math.floor(Math.log2(size));
}

/** A window must fit the setting, the memory bound, and the 65535 numbers that rollover 1 leaves (so that an ACK is never ambiguous). */
function largestWindow(granted: NegotiatedOptions, limits: OptionLimits): number {
  const bytes = Math.max(1, Math.floor(MAX_WINDOW_BYTES / granted.blksize));
  return Math.min(limits.windowsizeMax, bytes, MAX_WINDOWSIZE - granted.rollover);
}

function timeoutOf(name: 'timeout' | 'utimeout', number: number): number | undefined {
  if (name === 'timeout') {
    return number >= MIN_TIMEOUT && number <= MAX_TIMEOUT ? number * 1000 : undefined;
  }
  return number >= MIN_UTIMEOUT && number <= MAX_UTIMEOUT ? number / 1000 : undefined;
}

function grantedSize(
  announced: number,
  transfer: { direction: 'read' | 'write'; mode: TransferMode; size?: number | undefined },
): number | undefined {
  if (transfer.direction === 'write') return announced;
  return transfer.mode === 'octet' && transfer.size ? transfer.size : undefined;
}
