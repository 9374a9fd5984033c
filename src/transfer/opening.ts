/**
 * How a side begins: the one packet that it repeats until the peer answers, and how it reads the
 * answer. This is all in which the four roles differ.
 *
 * | role         | machine  | opening            | answered by                     |
 * | ------------ | -------- | ------------------ | ------------------------------- |
 * | client get   | Receiver | RRQ                | OACK, or DATA 1 without options |
 * | client put   | Sender   | WRQ                | OACK, or ACK 0 without options  |
 * | server read  | Sender   | OACK, or none      | ACK 0                           |
 * | server write | Receiver | OACK, or ACK 0     | DATA 1                          |
 */

import { encode } from '../protocol/encode';
import { ProtocolError, isTftpError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import { DEFAULT_OPTIONS, confirmOptions } from '../protocol/options';
import type { GrantedOptions, NegotiatedOptions } from '../protocol/options';
import type { RequestPacket, TransferMode, TransferPacket, WireOption } from '../protocol/packet';

/** How a side begins. */
export interface Opening {
  /** The packet to send and repeat, and its name for the flight recorder. None: the first DATA block begins. */
  readonly first: { readonly type: string; readonly datagram: Uint8Array } | undefined;
  /** True for a client: it may repeat its request as often as its retries allow, for nobody can forge our own request. */
  readonly persistent: boolean;
  /** True in octet mode: a `tsize` that was agreed upon is how many bytes there are (RFC 2349). */
  readonly exact: boolean;
  /** True for a server's read: many boot ROMs never acknowledge the last block, and have the file. */
  readonly lastAckOptional: boolean;
  /** The options in force if the peer grants none, or has no say: see `first`. */
  readonly options: NegotiatedOptions;
  /** Reads a packet of the peer, which is no ERROR. */
  answer(packet: TransferPacket): OpeningAnswer;
  /**
   * The opening to try once more with when the peer refuses the options or does not answer, if there
   * is one. An answer to the first request may still come, and is taken.
   */
  withoutOptions(): Opening | undefined;
}

/** What a packet means to an opening. */
export type OpeningAnswer =
  | { readonly type: 'begin'; readonly options: NegotiatedOptions }
  /** `options` are there if the peer granted what may be granted, and we do not want it. */
  | {
      readonly type: 'fail';
      readonly error: TftpError;
      readonly options?: NegotiatedOptions;
    }
  | { readonly type: 'ignore' };

const IGNORE: OpeningAnswer = { type: 'ignore' };

/** Decides whether a transfer goes on with the options that a server granted: if not, says why. It may be asked more than once. */
export type OptionsJudge = (options: NegotiatedOptions) => TftpError | undefined;

/**
 * A client's request (RFC 1350 section 4). DATA 1 or ACK 0 in answer means that the options were
 * ignored (RFC 2347).
 *
 * @param judge is asked before an OACK is acknowledged, so that no data moves if it refuses.
 */
export function requestOpening(
  request: RequestPacket,
  judge: OptionsJudge = () => undefined,
): Opening {
  return {
    first: { type: request.type, datagram: encode(request) },
    persistent: true,
    exact: request.mode === 'octet',
    lastAckOptional: false,
    options: DEFAULT_OPTIONS,
    answer(packet) {
      if (packet.type === 'OACK') return confirm(request.options, packet.options, judge);
      const plain =
        request.type === 'RRQ'
          ? packet.type === 'DATA' && packet.block === 1
          : packet.type === 'ACK' && packet.block === 0;
      return plain ? { type: 'begin', options: DEFAULT_OPTIONS } : IGNORE;
    },
    withoutOptions() {
      if (request.options.length === 0) return undefined;
      const datagram = encode({ ...request, options: [] });
      return { ...this, first: { type: request.type, datagram }, withoutOptions: () => undefined };
    },
  };
}

/** A server's answer to a read: an OACK, or, where nothing was granted, DATA 1 at once. */
export function readOpening(granted: GrantedOptions): Opening {
  return {
    ...serverOpening(granted, undefined, ({ type, block }) => type === 'ACK' && block === 0),
    exact: true,
    lastAckOptional: true,
  };
}

/** A server's answer to a write: an OACK, or, where nothing was granted, ACK 0. */
export function writeOpening(granted: GrantedOptions, mode: TransferMode): Opening {
  const ack = { type: 'ACK', datagram: encode({ type: 'ACK', block: 0 }) };
  return {
    ...serverOpening(granted, ack, ({ type, block }) => type === 'DATA' && block === 1),
    exact: mode === 'octet',
    lastAckOptional: false,
  };
}

function serverOpening(
  granted: GrantedOptions,
  plain: Opening['first'],
  begins: (packet: { readonly type: string; readonly block?: number }) => boolean,
): Omit<Opening, 'exact' | 'lastAckOptional'> {
  const oack = { type: 'OACK', datagram: encode({ type: 'OACK', options: granted.oack }) };
  return {
    first: granted.oack.length > 0 ? oack : plain,
    persistent: false,
    options: granted.options,
    answer: (packet) => (begins(packet) ? { type: 'begin', options: granted.options } : IGNORE),
    withoutOptions: () => undefined,
  };
}

function confirm(
  asked: readonly WireOption[],
  granted: readonly WireOption[],
  judge: OptionsJudge,
): OpeningAnswer {
  if (asked.length === 0) {
    return { type: 'fail', error: new ProtocolError('EOPTNEG', 'The server sent an OACK unasked') };
  }
  const options = confirmOptions(asked, granted);
  if (isTftpError(options)) return { type: 'fail', error: options };
  const error = judge(options);
  return error ? { type: 'fail', error, options } : { type: 'begin', options };
}
