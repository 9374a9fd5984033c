/** Packets to bytes. Strict: exactly what the RFCs draw, no padding, no trailing NUL. */

import { DATA_HEADER, MAX_ERROR_TEXT, Opcode } from './constants';
import { nameBytes } from './name-text';
import type { Packet, WireOption } from './packet';

const utf8 = new TextEncoder();

/** The datagram for a packet. Names (see `name-text`) and options go out as UTF-8, error texts as printable ASCII of at most 128 bytes. */
export function encode(packet: Packet): Uint8Array {
  switch (packet.type) {
    case 'RRQ':
    case 'WRQ':
      return strings(Opcode[packet.type], [
        packet.filename,
        packet.mode,
        ...flatten(packet.options),
      ]);
    case 'OACK':
      return strings(Opcode.OACK, flatten(packet.options));
    case 'DATA': {
      const bytes = new Uint8Array(DATA_HEADER + packet.payload.length);
      writeHeader(bytes, 0, Opcode.DATA, packet.block);
      bytes.set(packet.payload, DATA_HEADER);
      return bytes;
    }
    case 'ACK': {
      const bytes = new Uint8Array(4);
      writeHeader(bytes, 0, Opcode.ACK, packet.block);
      return bytes;
    }
    case 'ERROR': {
      const text = utf8.encode(`${printable(packet.message)}\0`);
      const bytes = new Uint8Array(4 + text.length);
      writeHeader(bytes, 0, Opcode.ERROR, packet.code);
      bytes.set(text, 4);
      return bytes;
    }
  }
}

/** Writes the four bytes that begin DATA, ACK and ERROR packets: two 16-bit numbers, most significant byte first. */
export function writeHeader(bytes: Uint8Array, at: number, opcode: number, word: number): void {
  bytes[at] = 0;
  bytes[at + 1] = opcode;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word & 0xff;
}

function flatten(options: readonly WireOption[]): string[] {
  return options.flatMap((option) => [option.name, option.value]);
}

function strings(opcode: number, texts: readonly string[]): Uint8Array {
  const body = nameBytes(texts.map((text) => `${text}\0`).join(''));
  const bytes = new Uint8Array(2 + body.length);
  bytes[1] = opcode;
  bytes.set(body, 2);
  return bytes;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_ERROR_TEXT);
}
