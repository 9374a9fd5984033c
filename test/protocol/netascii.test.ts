import fc = require('fast-check');
import should = require('should');
import { NetasciiDecoder, toNetascii } from '../../src/protocol/netascii';

/** The oracle for one direction: a character at a time. */
function slowEncode(local: string): string {
  return Array.from(local, (c) => (c === '\n' ? '\r\n' : c === '\r' ? '\r\0' : c)).join('');
}

/** The oracle for the other: it looks at the whole text, so that it knows no edges. */
function slowDecode(wire: string): string {
  let local = '';
  for (let i = 0; i < wire.length; i += 1) {
    const pair = wire.slice(i, i + 2);
    if (pair === '\r\n') local += '\n';
    else if (pair === '\r\0') local += '\r';
    else local += wire[i];
    if (pair === '\r\n' || pair === '\r\0') i += 1;
  }
  return local;
}

function decode(chunks: readonly Uint8Array[]): string {
  const decoder = new NetasciiDecoder();
  const parts = chunks.map((chunk) => Buffer.from(decoder.decode(chunk)));
  return Buffer.concat([...parts, decoder.end()]).toString('latin1');
}

const bytes = (text: string) => Buffer.from(text, 'latin1');

/** Texts in which line ends are frequent. */
const text = fc
  .array(fc.constantFrom('\r', '\n', '\0', 'a', 'é'), { maxLength: 24 })
  .map((letters) => letters.join(''));

describe('netascii', () => {
  it('writes LF as CR LF and CR as CR NUL (RFC 764)', () => {
    should(Buffer.from(toNetascii(bytes('a\nb\rc\r\n'))).toString('latin1')).equal(
      'a\r\nb\r\0c\r\0\r\n',
    );
  });

  it('reads CR LF and CR NUL, and leaves every other CR alone', () => {
    should(decode([bytes('a\r\nb\r\0c\rd\r\r\n\ne')])).equal('a\nb\rc\rd\r\n\ne');
  });

  it('keeps a lone CR at the end', () => {
    should(decode([bytes('a\r')])).equal('a\r');
    should(decode([bytes('a'), bytes('\r')])).equal('a\r');
  });

  it('has nothing left after the end', () => {
    const decoder = new NetasciiDecoder();
    decoder.decode(bytes('\r'));
    should(decoder.end()).have.length(1);
    should(decoder.end()).have.length(0);
  });

  it('encodes like the oracle, whole and in chunks', () => {
    fc.assert(
      fc.property(text, fc.nat(24), (local, at) => {
        const chunks = [bytes(local.slice(0, at)), bytes(local.slice(at))];
        const wire = Buffer.concat(chunks.map(toNetascii)).toString('latin1');
        should(wire).equal(slowEncode(local));
      }),
    );
  });

  it('decodes like the oracle, whole, byte by byte, and split in two at every place', () => {
    fc.assert(
      fc.property(text, (wire) => {
        const all = bytes(wire);
        const expected = slowDecode(wire);
        should(decode([all])).equal(expected);
        should(decode([...all].map((byte) => Uint8Array.of(byte)))).equal(expected);
        for (let at = 0; at <= all.length; at += 1) {
          should(decode([all.subarray(0, at), all.subarray(at)])).equal(expected);
        }
      }),
    );
  });

  it('gives back any bytes that went through both directions', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(400), (local, at) => {
        const wire = toNetascii(local);
        const back = decode([wire.subarray(0, at), wire.subarray(at)]);
        should(back).equal(Buffer.from(local).toString('latin1'));
      }),
    );
  });
});
