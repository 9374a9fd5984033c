/** The ERROR packet that refuses a request. */

import { encode } from '../protocol/encode';
import type { TftpError } from '../protocol/errors';

/** Bytes of an ERROR packet beside its text (RFC 1350 section 5). */
const FRAME = 5;

/** @param most the length of the packet; a text that is longer is cut. An empty text takes 5 bytes. */
export function errorAnswer(error: TftpError, most = Infinity): Uint8Array {
  let message = error.peerMessage;
  while (message !== '' && FRAME + Buffer.byteLength(message) > most)
    message = message.slice(0, -1);
  return encode({ type: 'ERROR', code: error.tftpCode, message });
}
