/**
 * netascii as a stream (RFC 1350 section 1, after RFC 764): a line ends with CR LF, a bare CR is CR
 * NUL. Local text has LF at the end of a line, so that both directions together change nothing.
 */

const CR = 0x0d;
const LF = 0x0a;
const NUL = 0x00;

/** Local text to netascii. Every chunk stands alone: no state crosses an edge. */
export function toNetascii(chunk: Uint8Array): Uint8Array {
  const out = new Uint8Array(chunk.length * 2);
  let length = 0;
  for (const byte of chunk) {
    if (byte === LF) out[length++] = CR;
    out[length++] = byte;
    if (byte === CR) out[length++] = NUL;
  }
  return out.subarray(0, length);
}

/** netascii to local text, chunk by chunk: a CR at a chunk's end waits for what follows it. */
export class NetasciiDecoder {
  #pendingCr = false;

  /** The local text of the next chunk. */
  decode(chunk: Uint8Array): Uint8Array {
    const out = new Uint8Array(chunk.length + 1);
    let length = 0;
    for (const byte of chunk) {
      if (this.#pendingCr) {
        this.#pendingCr = false;
        if (byte === LF || byte === NUL) {
          out[length++] = byte === LF ? LF : CR;
          continue;
        }
        out[length++] = CR;
      }
      if (byte === CR) this.#pendingCr = true;
      else out[length++] = byte;
    }
    return out.subarray(0, length);
  }

  /** What is left at the end: a lone CR, if the text ends with one. */
  end(): Uint8Array {
    const rest = this.#pendingCr ? [CR] : [];
    this.#pendingCr = false;
    return Uint8Array.from(rest);
  }
}
