import should = require('should');
import { decodeRequest, decodeTransferPacket } from '../../src/protocol/decode';
import { encode, writeHeader } from '../../src/protocol/encode';
import type { Packet, TransferPacket } from '../../src/protocol/packet';

/** Packets and their bytes, drawn by hand after RFC 1350 section 5, RFC 2347 and the tables of the RFCs for each option. */
const REQUESTS: readonly (readonly [Packet, string])[] = [
  [{ type: 'RRQ', filename: 'a', mode: 'octet', options: [] }, '\0\x01a\0octet\0'],
  [{ type: 'WRQ', filename: 'dir/b', mode: 'netascii', options: [] }, '\0\x02dir/b\0netascii\0'],
  [
    {
      type: 'RRQ',
      filename: 'foobar',
      mode: 'octet',
      options: [
        { name: 'blksize', value: '1432' },
        { name: 'tsize', value: '0' },
        { name: 'windowsize', value: '16' },
      ],
    },
    '\0\x01foobar\0octet\0blksize\x001432\0tsize\x000\0windowsize\x0016\0',
  ],
  [{ type: 'RRQ', filename: 'é', mode: 'octet', options: [] }, '\0\x01\xc3\xa9\0octet\0'],
];

const TRANSFER: readonly (readonly [TransferPacket, string])[] = [
  [{ type: 'DATA', block: 1, payload: Buffer.from('abc') }, '\0\x03\0\x01abc'],
  [{ type: 'DATA', block: 65535, payload: Buffer.alloc(0) }, '\0\x03\xff\xff'],
  [{ type: 'DATA', block: 0, payload: Buffer.from([0, 255]) }, '\0\x03\0\0\0\xff'],
  [{ type: 'ACK', block: 0 }, '\0\x04\0\0'],
  [{ type: 'ACK', block: 258 }, '\0\x04\x01\x02'],
  [{ type: 'ERROR', code: 1, message: 'File not found' }, '\0\x05\0\x01File not found\0'],
  [{ type: 'ERROR', code: 8, message: '' }, '\0\x05\0\x08\0'],
  [{ type: 'OACK', options: [] }, '\0\x06'],
  [
    {
      type: 'OACK',
      options: [
        { name: 'tsize', value: '673312' },
        { name: 'timeout', value: '1' },
      ],
    },
    '\0\x06tsize\x00673312\0timeout\x001\0',
  ],
];

const wire = (packet: Packet) => Buffer.from(encode(packet)).toString('latin1');

describe('encode', () => {
  for (const [packet, expected] of [...REQUESTS, ...TRANSFER]) {
    it(`writes ${JSON.stringify(expected)}`, () => {
      should(wire(packet)).equal(expected);
    });
  }

  for (const [packet, golden] of REQUESTS) {
    it(`is read back from ${JSON.stringify(golden)}`, () => {
      const decoded = decodeRequest(Buffer.from(golden, 'latin1'));
      should(decoded).deepEqual({ type: 'request', request: packet });
    });
  }

  for (const [packet, golden] of TRANSFER) {
    it(`is read back from ${JSON.stringify(golden)}`, () => {
      should(decodeTransferPacket(Buffer.from(golden, 'latin1'))).deepEqual(packet);
    });
  }

  it('sends an ERROR text as at most 128 printable bytes', () => {
    should(wire({ type: 'ERROR', code: 0, message: 'x'.repeat(128) })).have.length(4 + 128 + 1);
    should(wire({ type: 'ERROR', code: 0, message: 'x'.repeat(129) })).have.length(4 + 128 + 1);
    should(wire({ type: 'ERROR', code: 0, message: 'a\nb\0c\u007fé ~' })).equal(
      '\0\x05\0\0a?b?c?? ~\0',
    );
  });

  it('writes a header anywhere, and touches nothing else', () => {
    const bytes = new Uint8Array(8).fill(0xaa);
    writeHeader(bytes, 2, 3, 0x0102);
    should([...bytes]).deepEqual([0xaa, 0xaa, 0, 3, 1, 2, 0xaa, 0xaa]);
  });
});
