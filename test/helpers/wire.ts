/** The packets of TFTP, written and read without the code under test. */

function word(number: number): Buffer {
  return Buffer.from([number >> 8, number & 0xff]);
}

function strings(opcode: number, fields: readonly string[]): Buffer {
  return Buffer.concat([word(opcode), ...fields.map((text) => Buffer.from(`${text}\0`))]);
}

/** Names and values in turn: `rrq('a', 'blksize', '8')`. */
export function rrq(filename: string, ...options: string[]): Buffer {
  return strings(1, [filename, 'octet', ...options]);
}

export function wrq(filename: string, ...options: string[]): Buffer {
  return strings(2, [filename, 'octet', ...options]);
}

/** A request in another mode than octet. */
export function requestInMode(opcode: 1 | 2, mode: string, filename: string): Buffer {
  return strings(opcode, [filename, mode]);
}

export function data(block: number, payload: string | Uint8Array = ''): Buffer {
  return Buffer.concat([word(3), word(block), Buffer.from(payload)]);
}

export function ack(block: number): Buffer {
  return Buffer.concat([word(4), word(block)]);
}

export function error(code: number, text = ''): Buffer {
  return Buffer.concat([word(5), word(code), Buffer.from(`${text}\0`)]);
}

export function oack(...options: string[]): Buffer {
  return strings(6, options);
}

/**
 * A packet on one line: `RRQ name octet blksize 8`, `DATA 1 512 B`, `ACK 0`, `ERROR 1 File not
 * found`, `OACK tsize 7`.
 */
export function describePacket(bytes: Buffer): string {
  const number = bytes.readUInt16BE(2);
  switch (bytes.readUInt16BE(0)) {
    case 1:
      return ['RRQ', ...texts(bytes, 2)].join(' ');
    case 2:
      return ['WRQ', ...texts(bytes, 2)].join(' ');
    case 3:
      return `DATA ${number} ${bytes.length - 4} B`;
    case 4:
      return `ACK ${number}`;
    case 5:
      return ['ERROR', String(number), ...texts(bytes, 4)].join(' ');
    case 6:
      return ['OACK', ...texts(bytes, 2)].join(' ');
    default:
      return bytes.toString('hex');
  }
}

function texts(bytes: Buffer, from: number): string[] {
  return bytes.subarray(from).toString().split('\0').slice(0, -1);
}
