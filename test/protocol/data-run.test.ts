import fc = require('fast-check');
import should = require('should');
import { toWire } from '../../src/protocol/block-number';
import type { Rollover } from '../../src/protocol/block-number';
import { DataRuns } from '../../src/protocol/data-run';
import { data, describePacket, error } from '../helpers/wire';

/** The packets of the blocks from one position to another, of a file of so many bytes. */
function blocks(
  [first, last]: readonly [number, number],
  { blksize, size, rollover }: { blksize: number; size: number; rollover: Rollover },
): Buffer[] {
  const packets: Buffer[] = [];
  for (let position = first; position <= last; position += 1) {
    const length = Math.max(0, Math.min(blksize, size - (position - 1) * blksize));
    packets.push(data(toWire(position, rollover), Buffer.alloc(length, position)));
  }
  return packets;
}

/** The oracle: what a system that joins packets does, one at a time. All are of one length, but the last may be shorter. */
function joined(packets: readonly Buffer[]): Buffer[] {
  const datagrams: Buffer[] = [];
  let run: Buffer[] = [];
  for (const packet of packets) {
    const previous = run.at(-1);
    const ended = previous !== undefined && previous.length < run[0]!.length;
    if (ended || packet.length > (run[0]?.length ?? Infinity)) {
      datagrams.push(Buffer.concat(run));
      run = [];
    }
    run.push(packet);
  }
  return [...datagrams, Buffer.concat(run)];
}

/** What a split gives, a packet each. */
function texts(packets: readonly Uint8Array[]): string[] {
  return packets.map((packet) => Buffer.from(packet).toString('hex'));
}

/** Four blocks of eight bytes and one of three. */
const FILE = { blksize: 8, size: 35, rollover: 0 } as const;
const runs = new DataRuns({ ...FILE, windowsize: 4 }, FILE.size);
const [one, two, three, four, five] = blocks([1, 5], FILE) as [
  Buffer,
  Buffer,
  Buffer,
  Buffer,
  Buffer,
];

describe('DataRuns', () => {
  it('gives the packets of every window like the oracle, whatever was joined', () => {
    const file = fc.record({
      blksize: fc.integer({ min: 8, max: 40 }),
      windowsize: fc.integer({ min: 2, max: 9 }),
      rollover: fc.constantFrom<Rollover>(0, 1),
      acknowledged: fc.constantFrom(0, 1, 65_530, 65_534, 65_535, 131_067),
      more: fc.integer({ min: 0, max: 400 }),
      copies: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(file, ({ blksize, windowsize, rollover, acknowledged, more, copies }) => {
        const size = acknowledged * blksize + more;
        const last = Math.floor(size / blksize) + 1;
        const end = Math.min(last, acknowledged + windowsize);
        const window = blocks([acknowledged + 1, end], { blksize, size, rollover });
        const repeated = Array.from({ length: copies }, () => window).flat();
        const split = new DataRuns({ blksize, windowsize, rollover }, size);
        let received = acknowledged * blksize;
        const packets = joined(repeated).flatMap((datagram) => {
          const found = split.split(datagram, received);
          received = Math.min(size, end * blksize);
          return found;
        });
        should(texts(packets)).deepEqual(texts(repeated));
      }),
      { numRuns: 2000 },
    );
  });

  it('gives a single packet as it is', () => {
    for (const packet of [one, five, error(0, 'stop'), Buffer.of(), Buffer.of(0, 3)]) {
      should(runs.split(packet, 0)).deepEqual([packet]);
    }
  });

  it('cuts without copying', () => {
    const datagram = Buffer.concat([one, two, three]);
    const packets = runs.split(datagram, 0);
    should(packets.map(({ buffer }) => buffer === datagram.buffer)).deepEqual([true, true, true]);
  });

  it('gives a window that came again, and one that begins behind a gap', () => {
    for (const packets of [
      [one, two, one, two],
      [three, four, five],
      [four, one],
      [two, two],
    ]) {
      should(texts(runs.split(Buffer.concat(packets), 0))).deepEqual(texts(packets));
    }
  });

  for (const size of [32, 33, 35, 39]) {
    it(`cuts a last block of ${size % 8} bytes that came three times`, () => {
      const last = data(5, Buffer.alloc(size % 8, 5));
      const split = new DataRuns({ ...FILE, windowsize: 4 }, size);
      const packets = split.split(Buffer.concat([last, last, last]), 32);
      should(texts(packets)).deepEqual(texts([last, last, last]));
    });
  }

  it('knows the last block of an empty file', () => {
    const split = new DataRuns({ ...FILE, windowsize: 4 }, 0);
    should(texts(split.split(Buffer.concat([data(1), data(1)]), 0))).deepEqual(
      texts([data(1), data(1)]),
    );
  });

  for (const rollover of [0, 1] as const) {
    it(`knows the last block behind 65535, rollover ${rollover}`, () => {
      const size = 65_536 * 8 + 1;
      const last = data(rollover === 0 ? 1 : 2, 'x');
      const split = new DataRuns({ blksize: 8, windowsize: 4, rollover }, size);
      const packets = split.split(Buffer.concat([last, last]), size - 1);
      should(texts(packets)).deepEqual(texts([last, last]));
    });
  }

  it('gives what is no copy of the last block whole', () => {
    const other = data(4, 'abc');
    const short = data(5, 'ab');
    for (const packets of [
      [five, other],
      [other, five],
      [five, short],
    ]) {
      const datagram = Buffer.concat(packets);
      should(runs.split(datagram, 32)).deepEqual([datagram]);
    }
  });

  it('takes no content for a copy before the last block is due', () => {
    const size = (65_536 + 4) * 8 + 2;
    const split = new DataRuns({ ...FILE, windowsize: 4 }, size);
    const block = data(5, Buffer.concat([Buffer.from('ab'), data(5, 'ab')]));
    should(split.split(block, 32)).deepEqual([block]);
    should(split.split(block, size - 2)).have.length(2);
  });

  describe('gives a block whole that is longer than agreed', () => {
    for (const [what, payload] of [
      ['one byte', Buffer.alloc(9)],
      ['a whole block', Buffer.alloc(20)],
      [
        'what looks like a packet of another kind',
        Buffer.concat([Buffer.alloc(8), Buffer.of(0, 4, 0, 2)]),
      ],
      ['the beginning of an ERROR', Buffer.concat([Buffer.alloc(8), Buffer.of(0, 5, 0)])],
      ['what looks like a block far away', Buffer.concat([Buffer.alloc(8), data(10, 'far')])],
    ] as const) {
      it(`by ${what}`, () => {
        const block = data(1, payload);
        should(runs.split(block, 0)).deepEqual([block]);
      });
    }
  });

  it('joins blocks no farther apart than two windows, in both directions', () => {
    for (const [block, count] of [
      [9, 2],
      [10, 1],
      [65_529, 2],
      [65_528, 1],
    ] as const) {
      const datagram = Buffer.concat([one, data(block, 'abc')]);
      should(runs.split(datagram, 0)).have.length(count);
    }
  });

  it('finds the ERROR behind blocks that the peer has sent just before', () => {
    for (const packets of [
      [one, two, error(0, 'no')],
      [four, five],
    ]) {
      should(texts(runs.split(Buffer.concat(packets), 0))).deepEqual(texts(packets));
    }
    const long = data(5, 'abcdefg');
    const packets = [long, error(0, 'no')];
    const split = new DataRuns({ ...FILE, windowsize: 4 }, 39);
    should(texts(split.split(Buffer.concat(packets), 32))).deepEqual(texts(packets));
  });

  describe('with a size that is wrong', () => {
    for (const size of [0, 7, 8, 20, 1000]) {
      it(`splits the runs of 35 bytes where ${size} were told`, () => {
        const split = new DataRuns({ ...FILE, windowsize: 4 }, size);
        const first = Buffer.concat([one, two, three, four]);
        should(
          split.split(first, 0).map((packet) => describePacket(Buffer.from(packet))),
        ).deepEqual(['DATA 1 8 B', 'DATA 2 8 B', 'DATA 3 8 B', 'DATA 4 8 B']);
        should(texts(split.split(Buffer.concat([four, five]), 24))).deepEqual(texts([four, five]));
        should(texts(split.split(five, 32))).deepEqual(texts([five]));
      });
    }
  });
});
