/** The packets of TFTP: what stands on the wire, taken apart. */

/** How the bytes of a file are sent (RFC 1350 section 1): as they are, or as text with CR LF. */
export type TransferMode = 'octet' | 'netascii';

/**
 * One option as it stands on the wire (RFC 2347). `name` is in lower case after decoding, `value` is
 * the peer's own text, so that it can be echoed exactly.
 */
export interface WireOption {
  readonly name: string;
  readonly value: string;
}

/**
 * RFC 1350 section 5 and RFC 2347:
 * ```
 *  2 bytes   string   1   string  1   string   1   string   1
 * +--------+--------+---+-------+---+--------+---+--------+---+
 * |  1, 2  |  name  | 0 | mode  | 0 |  opt1  | 0 | value1 | 0 | …
 * +--------+--------+---+-------+---+--------+---+--------+---+
 * ```
 */
export interface RequestPacket {
  readonly type: 'RRQ' | 'WRQ';
  /** The name, byte for byte: one that is not UTF-8 is U+DC00 plus the byte (see `nameBytes`). */
  readonly filename: string;
  readonly mode: TransferMode;
  readonly options: readonly WireOption[];
}

/**
 * RFC 1350 section 5:
 * ```
 *  2 bytes  2 bytes   n bytes
 * +--------+--------+---------+
 * |   3    | block  | payload |
 * +--------+--------+---------+
 * ```
 * A payload shorter than the block size ends the file.
 */
export interface DataPacket {
  readonly type: 'DATA';
  /** The 16-bit number as sent; positions that do not wrap live in the machines. */
  readonly block: number;
  readonly payload: Uint8Array;
}

/**
 * RFC 1350 section 5:
 * ```
 *  2 bytes  2 bytes
 * +--------+--------+
 * |   4    | block  |
 * +--------+--------+
 * ```
 */
export interface AckPacket {
  readonly type: 'ACK';
  readonly block: number;
}

/**
 * RFC 1350 section 5:
 * ```
 *  2 bytes  2 bytes  string  1
 * +--------+--------+------+---+
 * |   5    |  code  | text | 0 |
 * +--------+--------+------+---+
 * ```
 */
export interface ErrorPacket {
  readonly type: 'ERROR';
  readonly code: number;
  readonly message: string;
}

/**
 * RFC 2347:
 * ```
 *  2 bytes   string   1   string   1
 * +--------+--------+---+--------+---+
 * |   6    |  opt1  | 0 | value1 | 0 | …
 * +--------+--------+---+--------+---+
 * ```
 */
export interface OackPacket {
  readonly type: 'OACK';
  readonly options: readonly WireOption[];
}

/** What the two sides of a running transfer say to each other. */
export type TransferPacket = DataPacket | AckPacket | ErrorPacket | OackPacket;

/** Every packet of TFTP. */
export type Packet = RequestPacket | TransferPacket;
