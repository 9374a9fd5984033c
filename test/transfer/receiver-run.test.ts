import fc = require('fast-check');
import should = require('should');
import { toWire } from '../../src/protocol/block-number';
import { decodeTransferPacket } from '../../src/protocol/decode';
import type { Receiver } from '../../src/transfer/receiver';
import { clientGet, serverWrite } from '../helpers/script';
import { data, oack } from '../helpers/wire';

const BLKSIZE = 8;
const SEGMENT = BLKSIZE + 4;

/** What came out of a machine. Payloads count, and not in how many pieces they come. */
function outputOf(receiver: Receiver): string {
  const sent: string[] = [];
  const payloads: string[] = [];
  const events: string[] = [];
  for (let next = receiver.pollTransmit(); next; next = receiver.pollTransmit()) {
    sent.push(Buffer.from(next.datagrams).toString('hex'));
  }
  for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) {
    if (event.type === 'data') payloads.push(Buffer.from(event.payload).toString('hex'));
    else events.push(event.type);
  }
  const { finished, stats } = receiver;
  const deadline = receiver.nextTimeout();
  return JSON.stringify({ sent, payload: payloads.join(''), events, stats, finished, deadline });
}

function takeOne(receiver: Receiver, packet: Uint8Array, now: number): void {
  receiver.handlePacket(decodeTransferPacket(packet)!, now);
}

/** A client whose server has granted these windows, with an ACK out. */
function started(windowsize: number, rollover: 0 | 1): Receiver {
  const options = [`blksize=${BLKSIZE}`, `windowsize=${windowsize}`, `rollover=${rollover}`];
  const receiver = clientGet(options.join(' '));
  receiver.start(0);
  takeOne(receiver, oack(...options.flatMap((option) => option.split('='))), 1);
  outputOf(receiver);
  return receiver;
}

/** A run of blocks, made of pairs of position and length. */
function packetsOf(blocks: ReadonlyArray<readonly [number, number]>, rollover: 0 | 1): Buffer[] {
  return blocks.map(([position, length]) =>
    data(toWire(position, rollover), Buffer.alloc(length, position)),
  );
}

describe('Receiver.handleRun', () => {
  it('does with blocks in order what handlePacket does, and nothing with others', () => {
    // Mostly the next blocks, sometimes others; the last of a run may be short.
    const run = fc.record({
      skip: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: -5, max: 5 })),
      count: fc.integer({ min: 1, max: 6 }),
      last: fc.oneof({ weight: 8, arbitrary: fc.constant(BLKSIZE) }, fc.nat(BLKSIZE - 1)),
      swap: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.boolean()),
    });
    const setup = fc.record({
      windowsize: fc.integer({ min: 1, max: 6 }),
      rollover: fc.constantFrom<0 | 1>(0, 1),
      runs: fc.array(run, { maxLength: 12 }),
    });
    let fast = 0;
    fc.assert(
      fc.property(setup, ({ windowsize, rollover, runs }) => {
        const [one, other] = [started(windowsize, rollover), started(windowsize, rollover)];
        let now = 10;
        for (const { skip, count, last, swap } of runs) {
          now += 7;
          const first = Math.max(1, Math.floor(one.stats.bytes / BLKSIZE) + 1 + skip);
          const blocks = Array.from(
            { length: count },
            (_, i) => [first + i, i === count - 1 ? last : BLKSIZE] as const,
          );
          const packets = packetsOf(blocks, rollover);
          if (swap && count > 1) packets.unshift(packets.splice(1, 1)[0]!);
          if (one.handleRun(Buffer.concat(packets), SEGMENT, now)) fast += 1;
          else for (const packet of packets) takeOne(one, packet, now);
          for (const packet of packets) takeOne(other, packet, now);
          should(outputOf(one)).equal(outputOf(other));
        }
      }),
      { numRuns: 2000 },
    );
    should(fast).be.above(1000);
  });

  it('hands out the payloads in one piece, and writes one line of them', () => {
    const receiver = started(4, 0);
    const packets = packetsOf(
      [
        [1, 8],
        [2, 8],
        [3, 3],
      ],
      0,
    );
    should(receiver.handleRun(Buffer.concat(packets), SEGMENT, 10)).equal(true);
    const event = receiver.pollEvent();
    should(event?.type === 'data' && Buffer.from(event.payload).toString('hex')).equal(
      '01'.repeat(8) + '02'.repeat(8) + '03'.repeat(3),
    );
    should(receiver.pollEvent()).eql({ type: 'end' });
  });

  it('crosses from block 65535 to 0, or to 1', () => {
    for (const rollover of [0, 1] as const) {
      const receiver = started(65_535, rollover);
      const blocks = Array.from({ length: 65_530 }, (_, i) => [i + 1, BLKSIZE] as const);
      should(receiver.handleRun(Buffer.concat(packetsOf(blocks, rollover)), SEGMENT, 10)).be.true();
      const more = [65_531, 65_532, 65_533, 65_534, 65_535].map((at) => [at, BLKSIZE] as const);
      should(receiver.handleRun(Buffer.concat(packetsOf(more, rollover)), SEGMENT, 11)).be.true();
      const across = packetsOf(
        [
          [65_536, 8],
          [65_537, 1],
        ],
        rollover,
      );
      should(across.map((packet) => packet.readUInt16BE(2))).eql([rollover, rollover + 1]);
      should(receiver.handleRun(Buffer.concat(across), SEGMENT, 12)).equal(true);
      should(receiver.stats.bytes).equal(65_536 * BLKSIZE + 1);
    }
  });

  it('takes nothing before the options are settled, of another length, cut off, or after the end', () => {
    const asked = 'blksize=8 windowsize=4';
    const run = Buffer.concat(
      packetsOf(
        [
          [1, 8],
          [2, 8],
        ],
        0,
      ),
    );
    for (const receiver of [clientGet(asked), serverWrite(asked)]) {
      receiver.start(0);
      should(receiver.handleRun(run, SEGMENT, 1)).equal(false);
    }
    const receiver = started(4, 0);
    should(receiver.handleRun(run, SEGMENT + 1, 1)).equal(false);
    should(receiver.handleRun(run.subarray(0, SEGMENT + 2), SEGMENT, 1)).equal(false);
    should(receiver.handleRun(Buffer.concat([run, Buffer.from('\0\x05\0\x01')]), SEGMENT, 1)).equal(
      false,
    );
    should(receiver.stats.bytes).equal(0);
    should(receiver.handleRun(Buffer.concat(packetsOf([[1, 3]], 0)), SEGMENT, 2)).equal(true);
    should(receiver.handleRun(Buffer.concat(packetsOf([[2, 8]], 0)), SEGMENT, 3)).equal(false);
  });
});
