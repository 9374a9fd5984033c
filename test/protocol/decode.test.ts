import fc = require('fast-check');
import should = require('should');
import { decodeRequest, decodeTransferPacket } from '../../src/protocol/decode';
import type { RequestPacket } from '../../src/protocol/packet';

/** Bytes written one character each, so that `\xff` is the byte 255. */
const bytes = (text: string) => Buffer.from(text, 'latin1');

function request(text: string): RequestPacket {
  const decoded = decodeRequest(bytes(text));
  if (decoded.type !== 'request') throw new Error(`It is no request: ${JSON.stringify(decoded)}`);
  return decoded.request;
}

function refusal(text: string): { code: string; tftpCode: number; message: string } {
  const decoded = decodeRequest(bytes(text));
  if (decoded.type !== 'refusal') throw new Error(`It is no refusal: ${JSON.stringify(decoded)}`);
  const { code, tftpCode, message } = decoded.error;
  return { code, tftpCode, message };
}

function asked(text: string): string[] {
  return request(`\0\x01f\0octet\0${text}`).options.map(({ name, value }) => `${name}=${value}`);
}

/** What both functions may return, whatever came. */
function checkTotal(datagram: Uint8Array): void {
  const decoded = decodeRequest(datagram);
  should(['request', 'refusal', 'ignore']).containEql(decoded.type);
  const opcode = datagram.length < 2 ? undefined : datagram[0]! * 256 + datagram[1]!;
  should(decoded.type === 'ignore').equal(opcode !== 1 && opcode !== 2);
  if (decoded.type === 'request') checkBounds(decoded.request);

  const packet = decodeTransferPacket(datagram);
  if (packet !== undefined) should(['DATA', 'ACK', 'ERROR', 'OACK']).containEql(packet.type);
}

function checkBounds({ filename, mode, options }: RequestPacket): void {
  should(filename.length).be.within(1, 255);
  for (const character of filename) {
    const code = character.charCodeAt(0);
    should(code < 0x20 || (code >= 0x7f && code <= 0x9f)).be.false();
  }
  should(['octet', 'netascii']).containEql(mode);
  should(options.length).be.belowOrEqual(16);
  should(new Set(options.map(({ name }) => name)).size).equal(options.length);
}

/** Random bytes behind every opcode that means something, and behind some that do not. */
const junk = fc
  .tuple(fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: 600 }))
  .map(([opcode, rest]) => Uint8Array.of(0, opcode, ...rest));

/** Requests from the letters that matter to the parser. */
const crafted = fc
  .tuple(
    fc.constantFrom('\0\x01', '\0\x02', '\0\x06'),
    fc.array(
      fc.constantFrom(
        '\0',
        '\0',
        'octet',
        'netascii',
        'blksize',
        '512',
        'é',
        '\x80',
        '/',
        '\xef\xbb\xbf',
      ),
      { maxLength: 60 },
    ),
  )
  .map(([opcode, parts]) => bytes(opcode + parts.join('')));

const VALID: readonly string[] = [
  '\0\x01pxelinux.0\0octet\0tsize\x000\0blksize\x001408\0',
  '\0\x02caf\xc3\xa9\0NetASCII\0windowsize\x0016\0rollover\x001\0utimeout\x00500000\0',
  '\0\x03\x01\x02payload',
  '\0\x04\x01\x02',
  '\0\x05\0\x01File not found\0',
  '\0\x06blksize\x001408\0tsize\x0026579\0',
];

describe('decodeRequest and decodeTransferPacket are total', () => {
  it('over random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), checkTotal), { numRuns: 500 });
    fc.assert(fc.property(junk, checkTotal), { numRuns: 500 });
    fc.assert(fc.property(crafted, checkTotal), { numRuns: 1000 });
  });

  it('over every truncation of valid packets', () => {
    for (const text of VALID) {
      const whole = bytes(text);
      for (let length = 0; length <= whole.length; length += 1) {
        checkTotal(whole.subarray(0, length));
      }
    }
  });

  it('over one changed byte anywhere in valid packets', () => {
    fc.assert(
      fc.property(fc.constantFrom(...VALID), fc.nat(), fc.nat(255), (text, at, byte) => {
        const changed = bytes(text);
        changed[at % changed.length] = byte;
        checkTotal(changed);
      }),
      { numRuns: 1000 },
    );
  });

  it('over datagrams of 64 KiB', () => {
    for (const opcode of [0, 1, 2, 3, 4, 5, 6, 7, 255]) {
      for (const filler of [0, 0x41, 0x80, 0xff]) {
        const datagram = Buffer.alloc(65536, filler);
        datagram.writeUInt16BE(opcode, 0);
        checkTotal(datagram);
      }
    }
  });

  it('over every opcode at every length up to 16', () => {
    for (const opcode of [0, 1, 2, 3, 4, 5, 6, 7, 0x0100, 0xffff]) {
      const datagram = Buffer.alloc(16);
      datagram.writeUInt16BE(opcode, 0);
      for (let length = 0; length <= 16; length += 1) checkTotal(datagram.subarray(0, length));
    }
  });
});

describe('decodeRequest', () => {
  it('answers nothing but RRQ and WRQ, so that no loop with another server can start', () => {
    for (const [text, reason] of [
      ['', 'too short'],
      ['\0', 'too short'],
      ['\0\0', 'opcode 0'],
      ['\0\x03\0\x01data', 'opcode 3'],
      ['\0\x04\0\x01', 'opcode 4'],
      ['\0\x05\0\x01x\0', 'opcode 5'],
      ['\0\x06blksize\x008\0', 'opcode 6'],
      ['\0\x07', 'opcode 7'],
      ['\x01\x01f\0octet\0', 'opcode 257'],
    ] as const) {
      should(decodeRequest(bytes(text))).deepEqual({ type: 'ignore', reason });
    }
  });

  it('ignores what is no request at any size', () => {
    should(decodeRequest(Buffer.alloc(5000, 4)).type).equal('ignore');
  });

  it('takes a request of 1468 bytes and refuses one of 1469', () => {
    const start = '\0\x01f\0octet\0x\0';
    const longest = start + 'v'.repeat(1468 - start.length - 1);
    should(request(`${longest}\0`).options).have.length(1);
    should(refusal(`${longest}v\0`)).deepEqual({
      code: 'EBADOP',
      tftpCode: 4,
      message: 'The request is too long',
    });
  });

  it('refuses a request without a name, or without a mode', () => {
    const message = 'The request has no file name or no mode';
    for (const text of ['\0\x01', '\0\x02f', '\0\x01f\0']) {
      should(refusal(text)).deepEqual({ code: 'EBADOP', tftpCode: 4, message });
    }
    should(refusal('\0\x01\0octet\0').message).equal('The file name is empty');
  });

  it('takes names of 1 to 255 bytes', () => {
    should(request('\0\x01f\0octet\0').filename).equal('f');
    const longest = 'n'.repeat(255);
    should(request(`\0\x01${longest}\0octet\0`).filename).equal(longest);
    should(refusal(`\0\x01${longest}n\0octet\0`)).deepEqual({
      code: 'EBADOP',
      tftpCode: 4,
      message: 'The file name is too long',
    });
  });

  it('reads names as UTF-8, and keeps bytes that are not', () => {
    should(request('\0\x01caf\xc3\xa9\0octet\0').filename).equal('café');
    should(request('\0\x01caf\xe9\0octet\0').filename).equal('caf\udce9');
    should(request('\0\x01\xf0\x9f\x93\x9e\0octet\0').filename).equal('\u{1f4de}');
  });

  it('keeps a byte order mark as part of a name, so that no name is empty', () => {
    should(request('\0\x01\xef\xbb\xbf\0octet\0').filename).equal('\ufeff');
    should(request('\0\x01\xef\xbb\xbff\0octet\0').filename).equal('\ufefff');
  });

  it('refuses names with a control character', () => {
    for (const control of [
      '\x01',
      '\n',
      '\r',
      '\x1b',
      '\x1f',
      '\x7f',
      '\xc2\x80',
      '\xc2\x85',
      '\xc2\x9f',
    ]) {
      should(refusal(`\0\x01a${control}b\0octet\0`)).deepEqual({
        code: 'EACCES',
        tftpCode: 2,
        message: 'The file name holds a control character',
      });
    }
  });

  it('leaves every other character to the storage', () => {
    const name = '../C:\\%2e?*"<>| ~';
    should(request(`\0\x01${name}\0octet\0`).filename).equal(name);
  });

  it('takes modes in any case', () => {
    for (const mode of ['octet', 'OCTET', 'Octet']) {
      should(request(`\0\x01f\0${mode}\0`).mode).equal('octet');
    }
    for (const mode of ['netascii', 'NETASCII', 'NetAscii']) {
      should(request(`\0\x02f\0${mode}\0`).mode).equal('netascii');
    }
  });

  it('refuses mail and every other mode with code 4', () => {
    for (const mode of ['mail', 'MAIL', 'binary', '', 'octet ', 'octets']) {
      should(refusal(`\0\x01f\0${mode}\0`)).deepEqual({
        code: 'EBADOP',
        tftpCode: 4,
        message: 'The mode must be octet or netascii',
      });
    }
  });

  it('does without the last NUL', () => {
    should(request('\0\x01f\0octet').options).deepEqual([]);
    should(asked('blksize\x001024')).deepEqual(['blksize=1024']);
  });

  it('tolerates trailing NULs', () => {
    should(asked('\0')).deepEqual([]);
    should(asked('blksize\x001024\0\0\0\0\0')).deepEqual(['blksize=1024']);
  });

  it('drops blank options, and a name without a value', () => {
    should(asked('\0\0blksize\x001024\0\0\0')).deepEqual(['blksize=1024']);
    should(asked('\x00512\0tsize\x000\0')).deepEqual(['tsize=0']);
    should(asked('blksize\x001024\0tsize\0')).deepEqual(['blksize=1024']);
    should(asked('blksize\x001024\0tsize')).deepEqual(['blksize=1024']);
  });

  it('keeps an empty value, which no option has use for', () => {
    should(asked('blksize\0\0tsize\x000\0')).deepEqual(['blksize=', 'tsize=0']);
  });

  it('takes the first of two equal options, in the order asked', () => {
    should(asked('tsize\x000\0blksize\x008\0TSIZE\x001\0blksize\x0016\0')).deepEqual([
      'tsize=0',
      'blksize=8',
    ]);
  });

  it('takes option names in any case, and values as they are', () => {
    should(asked('BlkSize\x00 008\0TSIZE\x00ABC\0')).deepEqual(['blksize= 008', 'tsize=ABC']);
  });

  it('gives values as the bytes that came, so that they can be echoed', () => {
    should(asked('x\0\xef\xbb\xbf1\0')).deepEqual(['x=\ufeff1']);
  });

  it('takes 16 options and leaves the rest', () => {
    const many = Array.from({ length: 20 }, (_, i) => `o${i}\0${i}\0`).join('');
    should(asked(many)).deepEqual(Array.from({ length: 16 }, (_, i) => `o${i}=${i}`));
  });
});

describe('decodeTransferPacket', () => {
  const packet = (text: string) => decodeTransferPacket(bytes(text));

  it('reads an ACK with a tail, and DATA 0', () => {
    should(packet('\0\x04\0\x07tail')).deepEqual({ type: 'ACK', block: 7 });
    should(packet('\0\x03\0\0')).have.properties({ type: 'DATA', block: 0 });
  });

  it('shares the memory of a payload instead of copying it', () => {
    const datagram = bytes('\0\x03\0\x01abc');
    const data = decodeTransferPacket(datagram);
    should(data?.type === 'DATA' && data.payload.buffer).equal(datagram.buffer);
  });

  it('reads an ERROR without text, without NUL and with a tail', () => {
    should(packet('\0\x05\0\x03')).deepEqual({ type: 'ERROR', code: 3, message: '' });
    should(packet('\0\x05\0\x03full')).deepEqual({ type: 'ERROR', code: 3, message: 'full' });
    should(packet('\0\x05\0\x03full\0tail\0')).deepEqual({
      type: 'ERROR',
      code: 3,
      message: 'full',
    });
  });

  it("makes a peer's error text safe to print", () => {
    should(packet('\0\x05\0\0a\x1b[31m\r\n\x7fb\xc3\xa9\0')).have.property(
      'message',
      'a?[31m???bé',
    );
    should(packet('\0\x05\0\0caf\xe9\x9b\0')).have.property('message', 'café?');
  });

  it('reads at most 512 bytes of an error text', () => {
    should(packet(`\0\x05\0\0${'x'.repeat(60_000)}\0`)).have.property('message', 'x'.repeat(512));
  });

  it('reads an OACK with options in any case, blank ones and trailing NULs', () => {
    should(packet('\0\x06BLKSIZE\x001024\0\0\0tsize\x005\0\0\0')).deepEqual({
      type: 'OACK',
      options: [
        { name: 'blksize', value: '1024' },
        { name: 'tsize', value: '5' },
      ],
    });
  });

  it('gives undefined for what is cut short or no packet of a transfer', () => {
    for (const text of [
      '',
      '\0',
      '\0\x03',
      '\0\x03\0',
      '\0\x04\0',
      '\0\x05',
      '\0\x05\0',
      '\0\x01f\0octet\0',
      '\0\x02f\0octet\0',
      '\0\x07\0\0',
      '\0\0\0\x04',
    ]) {
      should(packet(text)).be.undefined();
    }
  });
});
