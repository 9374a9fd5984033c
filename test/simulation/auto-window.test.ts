/** What `windowsize: 'auto'` comes to, from transfer to transfer, in virtual time. */

import should = require('should');
import { WindowMemory } from '../../src/client/window-memory';
import { seededBytes } from '../helpers/random';
import { simulate } from '../helpers/simulation';
import type { LinkQuality } from '../helpers/simulation';

const BLKSIZE = 512;
const BLOCKS = 1000;
const CONTENT = seededBytes(BLOCKS * BLKSIZE - 1, 11);
const FIXED_WINDOWS = [1, 2, 4, 8, 12, 16, 24, 32, 64];

type Direction = 'read' | 'write';

interface Result {
  readonly windowsize: number;
  /** Virtual milliseconds. */
  readonly elapsed: number;
  readonly datagramsPerBlock: number;
  readonly stalls: number;
}

/** A local network at 100 Mbit/s, with a switch that holds so many datagrams. */
function switched(length: number, loss = 0): LinkQuality {
  return { loss, duplication: 0, reordering: 0, delay: 0.2, queue: { length, spacing: 0.12 } };
}

function transfer(
  direction: Direction,
  link: LinkQuality,
  windowsize: number,
  seed: number,
  content = CONTENT,
): Result {
  const tsize = direction === 'read' ? 0 : content.length;
  const wanted = { blksize: BLKSIZE, windowsize, tsize };
  const outcome = simulate({ direction, wanted, content, link, seed });
  should(outcome.received.equals(content)).be.true();
  const datagramsPerBlock = outcome.datagrams / Math.ceil(content.length / BLKSIZE);
  return { windowsize, elapsed: outcome.elapsed, datagramsPerBlock, stalls: outcome.stalls };
}

/** Transfers one after another, each with the window that those before it have taught. */
function autoTransfers(
  count: number,
  direction: Direction,
  link: LinkQuality,
  content = CONTENT,
): Result[] {
  const windows = new WindowMemory();
  const blocks = Math.ceil(content.length / BLKSIZE);
  return Array.from({ length: count }, (_, i) => {
    const result = transfer(direction, link, windows.windowFor('h', i), i + 1, content);
    windows.learn('h', { windowsize: result.windowsize, blocks, stalls: result.stalls }, i);
    return result;
  });
}

function bestFixed(direction: Direction, link: LinkQuality): number {
  const times = FIXED_WINDOWS.map((window) => transfer(direction, link, window, 1).elapsed);
  return Math.min(...times);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('windowsize auto', function () {
  this.timeout(60_000);

  for (const direction of ['read', 'write'] as const) {
    for (const length of [6, 12, 40]) {
      const link = switched(length);

      it(`${direction}: finds the window for a switch of ${length} datagrams after one transfer`, () => {
        const [first, ...later] = autoTransfers(10, direction, link);
        should(first!.windowsize).equal(64);
        should(first!.datagramsPerBlock).be.above(3);
        const best = bestFixed(direction, link);
        for (const { windowsize, datagramsPerBlock, elapsed, stalls } of later) {
          windowsize.should.be.belowOrEqual(length).and.above(length / 2);
          datagramsPerBlock.should.be.below(1.5);
          stalls.should.equal(0);
          elapsed.should.be.below(1.5 * best);
          elapsed.should.be.below(first!.elapsed / 50);
        }
      });
    }

    it(`${direction}: finds it from small files too`, () => {
      const small = CONTENT.subarray(0, 20 * BLKSIZE - 1);
      const later = autoTransfers(10, direction, switched(12), small).slice(3);
      for (const { windowsize, stalls } of later) {
        windowsize.should.be.belowOrEqual(12);
        stalls.should.equal(0);
      }
    });

    it(`${direction}: a hundred transfers try more than the switch holds only a few times`, () => {
      const results = autoTransfers(100, direction, switched(12));
      const slow = results.filter(({ stalls }) => stalls > 0);
      slow.length.should.be.belowOrEqual(3);
    });

    it(`${direction}: finds the window for a switch that also loses 1 %`, () => {
      const later = autoTransfers(10, direction, switched(12, 0.01)).slice(1);
      for (const { windowsize } of later) windowsize.should.be.belowOrEqual(12).and.above(6);
    });

    // There a large window is the fastest: only the loss of its last block costs a timeout.
    for (const loss of [0, 0.001, 0.01]) {
      it(`${direction}: keeps the large window where ${loss * 100} % of single datagrams are lost`, () => {
        const results = autoTransfers(10, direction, switched(1000, loss));
        results.map(({ windowsize }) => windowsize).should.matchEach(64);
        const fixed = Array.from({ length: 10 }, (_, i) =>
          transfer(direction, switched(1000, loss), 16, i + 1),
        );
        const time = mean(results.map(({ elapsed }) => elapsed));
        time.should.be.belowOrEqual(1.1 * mean(fixed.map(({ elapsed }) => elapsed)));
      });
    }

    it(`${direction}: does not fall back to lock-step where a fifth of all is lost`, () => {
      for (const { windowsize } of autoTransfers(15, direction, switched(1000, 0.2))) {
        windowsize.should.be.above(4);
      }
    });
  }
});
