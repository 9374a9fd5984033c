import fc = require('fast-check');
import should = require('should');
import { SendWindow } from '../../src/transfer/send-window';
import { datagramsOf } from '../helpers/script';

/** The oracle: the datagrams of a whole file, cut and numbered one by one. */
function slowDatagrams(file: Buffer, blksize: number, rollover: 0 | 1): string[] {
  const datagrams: string[] = [];
  let wire = 0;
  for (let at = 0; at <= file.length; at += blksize) {
    wire = wire === 65535 ? rollover : wire + 1;
    const header = Buffer.from([0, 3, wire >> 8, wire & 255]);
    datagrams.push(Buffer.concat([header, file.subarray(at, at + blksize)]).toString('hex'));
  }
  return datagrams;
}

/** What runs say, a datagram each. */
function hex(run: { datagrams: Uint8Array; segmentSize: number } | undefined): string[] {
  return run === undefined
    ? []
    : datagramsOf(run).map((bytes) => Buffer.from(bytes).toString('hex'));
}

/** Takes the blocks `from` to `to` in as few runs as the window gives. */
function take(window: SendWindow, from: number, to: number): string[] {
  const taken: string[] = [];
  for (let position = from; position <= to;) {
    const run = window.run(position, to - position + 1);
    if (run === undefined) throw new Error(`Block ${position} is missing`);
    should(hex(run)).have.length(run.count);
    taken.push(...hex(run));
    position += run.count;
  }
  return taken;
}

const letters = (text: string) => Buffer.from(text);

describe('SendWindow', () => {
  it('gives every block like the oracle, whatever the pieces that came in', () => {
    const file = fc.record({
      chunks: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 12 }),
      blksize: fc.integer({ min: 1, max: 17 }),
      rollover: fc.constantFrom<0 | 1>(0, 1),
      keep: fc.nat(6),
    });
    fc.assert(
      fc.property(file, ({ chunks, blksize, rollover, keep }) => {
        const window = new SendWindow(blksize, rollover);
        const expected = slowDatagrams(Buffer.concat(chunks), blksize, rollover);
        const last = expected.length;
        let pushed = 0;
        for (const chunk of chunks) {
          window.push(chunk);
          pushed += chunk.length;
          const { available } = window;
          should(available).equal(Math.floor(pushed / blksize));
          should(window.last).be.undefined();
          const first = Math.max(1, available - keep);
          should(take(window, first, available)).deepEqual(expected.slice(first - 1, available));
          window.release(first - 1);
        }
        window.end();
        should(window.last).equal(last);
        should(window.available).equal(last);
        const first = Math.max(1, last - keep);
        should(take(window, first, last)).deepEqual(expected.slice(first - 1));
        should(window.bytesUpTo(last)).equal(pushed);
      }),
      { numRuns: 1000 },
    );
  });

  it('copies what is pushed', () => {
    const window = new SendWindow(4, 0);
    const chunk = letters('abcd');
    window.push(chunk);
    chunk.fill(0);
    should(hex(window.run(1, 1))).deepEqual(slowDatagrams(letters('abcd'), 4, 0).slice(0, 1));
  });

  it('leaves the bytes of a run as they are until its blocks are released', () => {
    const window = new SendWindow(4, 0);
    window.push(letters('abcdef'));
    const run = window.run(1, 9);
    const before = hex(run);
    window.push(letters('ghijkl'));
    window.end();
    should(hex(run)).deepEqual(before);
  });

  it('lays the blocks of one piece end to end', () => {
    const window = new SendWindow(4, 0);
    window.push(letters('abcdefghij'));
    window.end();
    const run = window.run(1, 9)!;
    should(run).have.properties({ count: 3, segmentSize: 8 });
    should(run.datagrams).have.length(8 + 8 + 6);
    should(hex(window.run(2, 1))).have.length(1);
    should(window.run(3, 9)).have.properties({ count: 1, segmentSize: 6 });
  });

  it('gives no more blocks than asked, and none that are not there', () => {
    const window = new SendWindow(4, 0);
    should(window.run(1, 1)).be.undefined();
    window.push(letters('abcdefghij'));
    should(window.run(1, 1)).have.property('count', 1);
    should(window.run(1, 9)).have.property('count', 2);
    should(window.run(3, 1)).be.undefined(); // half a block waits for the rest
    window.end();
    should(window.run(4, 1)).be.undefined();
  });

  it('ends an empty file, and a file of whole blocks, with an empty block', () => {
    const empty = new SendWindow(4, 0);
    empty.end();
    should(hex(empty.run(1, 9))).deepEqual(['00030001']);
    const whole = new SendWindow(4, 0);
    whole.push(letters('abcd'));
    whole.end();
    should(whole.last).equal(2);
    should(hex(whole.run(2, 9))).deepEqual(['00030002']);
  });

  it('forgets released blocks, and keeps the others', () => {
    const window = new SendWindow(4, 0);
    window.push(letters('abcdefgh'));
    window.push(letters('ijkl'));
    window.release(2);
    should(window.run(1, 1)).be.undefined();
    should(window.run(2, 1)).be.undefined();
    should(hex(window.run(3, 1))).deepEqual(['00030003696a6b6c']);
    window.release(3);
    should(window.run(3, 1)).be.undefined();
    window.push(letters('mnop'));
    should(hex(window.run(4, 1))).deepEqual(['000300046d6e6f70']);
  });

  it('counts the bytes of the blocks up to a position', () => {
    const window = new SendWindow(4, 0);
    window.push(letters('abcdef'));
    window.end();
    should([0, 1, 2].map((position) => window.bytesUpTo(position))).deepEqual([0, 4, 6]);
  });
});
