/**
 * Bytes to packets. Total: whatever the network sends, these functions return, and they never throw.
 * They are tolerant where the field is: option names in any case, blank options, trailing NULs, a
 * missing last NUL, an ERROR without text, an ACK with a tail.
 */

import {
  DATA_HEADER,
  MAX_FILENAME_BYTES,
  MAX_OPTIONS,
  MAX_REQUEST_BYTES,
  Opcode,
} from './constants';
import { ProtocolError } from './errors';
import { nameText } from './name-text';
import type { RequestPacket, TransferMode, TransferPacket, WireOption } from './packet';

/**
 * What arrived at the listening port: a request, something to refuse, or something not to answer at
 * all. The request of a refusal holds what could be read of it.
 */
export type DecodedRequest =
  | { readonly type: 'request'; readonly request: RequestPacket }
  | { readonly type: 'refusal'; readonly error: ProtocolError; readonly request: RequestPacket }
  | { readonly type: 'ignore'; readonly reason: string };

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NUL = 0;

/**
 * Reads a datagram that came to the listening port. Only RRQ and WRQ are ever answered: a reply to
 * anything else could start a loop between two servers (CVE-2024-2169).
 */
export function decodeRequest(bytes: Uint8Array): DecodedRequest {
  const opcode = opcodeOf(bytes);
  if (opcode !== Opcode.RRQ && opcode !== Opcode.WRQ) {
    return { type: 'ignore', reason: opcode === undefined ? 'too short' : `opcode ${opcode}` };
  }
  const type = opcode === Opcode.RRQ ? 'RRQ' : 'WRQ';
  const fields = splitAtNul(bytes.subarray(2, MAX_REQUEST_BYTES));
  const [name, mode] = fields;
  const filename = name === undefined ? '' : nameText(name.subarray(0, MAX_FILENAME_BYTES));
  const transferMode = mode === undefined ? undefined : modeOf(text(mode));
  const options = optionsOf(fields.slice(2));
  const request = { type, filename, mode: transferMode ?? 'octet', options } as const;
  const refuse = (message: string, code: 'EBADOP' | 'EACCES' = 'EBADOP'): DecodedRequest => ({
    type: 'refusal',
    error: new ProtocolError(code, message),
    request: { ...request, filename: printable(filename) },
  });

  if (bytes.length > MAX_REQUEST_BYTES) return refuse('The request is too long');
  if (mode === undefined) return refuse('The request has no file name or no mode');
  if (filename === '') return refuse('The file name is empty');
  if (name!.length > MAX_FILENAME_BYTES) return refuse('The file name is too long');
  if (hasControlCharacter(filename)) {
    return refuse('The file name holds a control character', 'EACCES');
  }
  if (transferMode === undefined) return refuse('The mode must be octet or netascii');
  return { type: 'request', request };
}

/** Reads a datagram of a running transfer. Anything that is not DATA, ACK, ERROR or OACK gives undefined. */
export function decodeTransferPacket(bytes: Uint8Array): TransferPacket | undefined {
  switch (opcodeOf(bytes)) {
    case Opcode.DATA:
      if (bytes.length < DATA_HEADER) return undefined;
      return { type: 'DATA', block: word(bytes, 2), payload: bytes.subarray(DATA_HEADER) };
    case Opcode.ACK:
      if (bytes.length < 4) return undefined;
      return { type: 'ACK', block: word(bytes, 2) };
    case Opcode.ERROR:
      if (bytes.length < 4) return undefined;
      return { type: 'ERROR', code: word(bytes, 2), message: errorTextOf(bytes.subarray(4)) };
    case Opcode.OACK:
      return { type: 'OACK', options: optionsOf(splitAtNul(bytes.subarray(2))) };
    case undefined:
    default:
      return undefined;
  }
}

function opcodeOf(bytes: Uint8Array): number | undefined {
  return bytes.length < 2 ? undefined : word(bytes, 0);
}

/** A 16-bit number that the caller knows to be there. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

/** The fields that NULs end; a last field without its NUL counts, unless it is empty. */
function splitAtNul(bytes: Uint8Array): Uint8Array[] {
  const fields: Uint8Array[] = [];
  let start = 0;
  while (start < bytes.length && fields.length < 2 + 2 * MAX_OPTIONS) {
    const nul = bytes.indexOf(NUL, start);
    const end = nul === -1 ? bytes.length : nul;
    fields.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return fields;
}

/** Pairs of name and value. Blank names and a name without a value are dropped; the first of two equal names wins. */
function optionsOf(fields: readonly Uint8Array[]): WireOption[] {
  const options = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length && options.size < MAX_OPTIONS; i += 2) {
    const name = text(fields[i]!).toLowerCase();
    if (name !== '' && !options.has(name)) options.set(name, text(fields[i + 1]!));
  }
  return [...options].map(([name, value]) => ({ name, value }));
}

function modeOf(mode: string): TransferMode | undefined {
  const lower = mode.toLowerCase();
  return lower === 'octet' || lower === 'netascii' ? lower : undefined;
}

/** A peer's error text, made safe to print. */
function errorTextOf(bytes: Uint8Array): string {
  const nul = bytes.indexOf(NUL);
  const shown = text(bytes.subarray(0, Math.min(nul === -1 ? bytes.length : nul, 512)));
  return printable(shown);
}

function printable(shown: string): string {
  return Array.from(shown, (c) => (hasControlCharacter(c) ? '?' : c)).join('');
}

/** UTF-8, or Latin-1 where the bytes are not UTF-8: old firmware sends the latter. */
function text(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  }
}

function hasControlCharacter(value: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  return /[\u0000-\u001f\u007f-\u009f]/.test(value);
}
