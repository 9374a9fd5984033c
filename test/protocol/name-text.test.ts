import fc = require('fast-check');
import should = require('should');
import { decodeRequest } from '../../src/protocol/decode';
import { encode } from '../../src/protocol/encode';
import { hasRawBytes, nameBytes, nameText, shownName } from '../../src/protocol/name-text';

/** Bytes written one character each, so that `\xff` is the byte 255. */
const bytes = (text: string) => Buffer.from(text, 'latin1');

/** Bytes of names that are hard to tell apart: UTF-8, broken UTF-8, and what stands for bytes. */
const awkward = fc
  .array(
    fc.constantFrom('a', '<', '<<', '<FF>', '\xff', '\xc3\xa9', '\xc3', '\xe2\x82', '\xed\xb3\xbf'),
  )
  .map((parts) => bytes(parts.join('')));
const names = fc.oneof(fc.uint8Array({ maxLength: 255 }), awkward);

describe('names', () => {
  for (const [wire, text, shown] of [
    ['plain.cfg', 'plain.cfg', 'plain.cfg'],
    ['gr\xc3\xbcn', 'grün', 'grün'],
    ['netboot.kpxe\xff', 'netboot.kpxe\udcff', 'netboot.kpxe<FF>'],
    ['caf\xe9.cfg', 'caf\udce9.cfg', 'caf<E9>.cfg'],
    ['\xf0\x9f\x93\x80\x80', '\u{1f4c0}\udc80', '\u{1f4c0}<80>'],
    // Overlong forms of `/` and `.`, a surrogate, and what is beyond Unicode.
    ['\xc0\xaf', '\udcc0\udcaf', '<C0><AF>'],
    ['\xe0\x80\xae', '\udce0\udc80\udcae', '<E0><80><AE>'],
    ['\xed\xa0\x80', '\udced\udca0\udc80', '<ED><A0><80>'],
    ['\xf4\x90\x80\x80', '\udcf4\udc90\udc80\udc80', '<F4><90><80><80>'],
    ['boot\\x86\\a<b', 'boot\\x86\\a<b', 'boot\\x86\\a<b'],
    ['a<FF>', 'a<FF>', 'a<<FF>'],
    ['<\xff', '<\udcff', '<<<FF>'],
  ] as const) {
    it(`has ${JSON.stringify(wire)} as ${shown}`, () => {
      should(nameText(bytes(wire))).equal(text);
      should(Buffer.from(nameBytes(text)).toString('latin1')).equal(wire);
      should(shownName(text)).equal(shown);
    });
  }

  it('gives every name its bytes back', () => {
    fc.assert(
      fc.property(names, (name) => {
        should(Buffer.from(nameBytes(nameText(name))).equals(name)).be.true();
      }),
      { numRuns: 2000 },
    );
  });

  it('shows names that differ differently, in text that can be printed and sent', () => {
    fc.assert(
      fc.property(awkward, awkward, (one, other) => {
        const [first, second] = [shownName(nameText(one)), shownName(nameText(other))];
        should(first === second).equal(Buffer.from(one).equals(other));
        should(hasRawBytes(first)).be.false();
      }),
      { numRuns: 5000 },
    );
  });

  it('has the same bytes in a request that goes out as in one that came in', () => {
    const wire = bytes('\0\x01sub/\xfe\xff.bin\0octet\0');
    const decoded = decodeRequest(wire);
    if (decoded.type !== 'request') throw new Error('It is no request');
    should(decoded.request.filename).equal('sub/\udcfe\udcff.bin');
    should(Buffer.from(encode(decoded.request)).equals(wire)).be.true();
  });
});
