/** Numbers that the RFCs fix. None of them is a choice of ours unless its comment says so. */

/** The opcodes of RFC 1350 section 5 and, for OACK, RFC 2347. */
export const Opcode = { RRQ: 1, WRQ: 2, DATA: 3, ACK: 4, ERROR: 5, OACK: 6 } as const;

/** The well-known port that requests go to (RFC 1350 section 4). */
export const TFTP_PORT = 69;

/** Opcode and block number: what stands before the payload of a DATA packet (RFC 1350 section 5). */
export const DATA_HEADER = 4;

/** The block size when none was negotiated, in bytes (RFC 1350 section 2). */
export const DEFAULT_BLKSIZE = 512;
/** Bounds of the blksize option, in bytes (RFC 2348). */
export const MIN_BLKSIZE = 8;
export const MAX_BLKSIZE = 65464;

/** Bounds of the timeout option, in seconds (RFC 2349). */
export const MIN_TIMEOUT = 1;
export const MAX_TIMEOUT = 255;
/** Bounds of the utimeout option, in microseconds: those of tftp-hpa, which introduced it. */
export const MIN_UTIMEOUT = 10_000;
export const MAX_UTIMEOUT = 255_000_000;

/** Bounds of the windowsize option, in blocks (RFC 7440 section 3). */
export const MIN_WINDOWSIZE = 1;
export const MAX_WINDOWSIZE = 65535;

/**
 * The largest window granted, in bytes: our choice, and tftp-hpa's. It bounds what one forged
 * request can make us send, and the memory of one transfer.
 */
export const MAX_WINDOW_BYTES = 4 * 1024 * 1024;

/** Bounds of a request (our choice): one Ethernet frame, a file system's longest name, and enough options for anybody. */
export const MAX_REQUEST_BYTES = 1468;
export const MAX_FILENAME_BYTES = 255;
export const MAX_OPTIONS = 16;
export const MAX_DIGITS = 20;

/** The longest error text sent, in bytes (our choice): one line of a phone's screen. */
export const MAX_ERROR_TEXT = 128;
