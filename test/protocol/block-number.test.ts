import fc = require('fast-check');
import should = require('should');
import { distance, distanceBack, toWire } from '../../src/protocol/block-number';
import type { Rollover } from '../../src/protocol/block-number';

const ROLLOVERS: readonly Rollover[] = [0, 1];
const THREE_WRAPS = 3 * 65536 + 2;

/** The oracle: the number that follows on the wire, one step at a time. */
function next(wire: number, rollover: Rollover): number {
  return wire === 65535 ? rollover : wire + 1;
}

/** The oracle's whole walk: the wire number of every position across three wraps. */
function walk(rollover: Rollover): number[] {
  const wires = [0];
  for (let position = 1; position <= THREE_WRAPS; position += 1) {
    wires.push(next(wires[position - 1]!, rollover));
  }
  return wires;
}

describe('block-number', () => {
  for (const rollover of ROLLOVERS) {
    describe(`rollover ${rollover}`, () => {
      const wires = walk(rollover);

      it('toWire counts like one step at a time, across three wraps', () => {
        should(wires.every((wire, position) => toWire(position, rollover) === wire)).be.true();
      });

      it('distance finds the first block with a number at or after a position', () => {
        fc.assert(
          fc.property(fc.nat(2 * 65536), fc.nat(65535), (position, wire) => {
            const found = wires.indexOf(wire, position);
            const expected =
              found === -1 || found - position > 65535 ? undefined : found - position;
            should(distance(position, wire, rollover)).equal(expected);
          }),
          { numRuns: 300 },
        );
      });

      it('distanceBack finds the last block with a number at or before a position', () => {
        fc.assert(
          fc.property(
            fc.integer({ min: 65536, max: THREE_WRAPS }),
            fc.integer({ min: rollover, max: 65535 }),
            (position, wire) => {
              const expected = position - wires.lastIndexOf(wire, position);
              should(distanceBack(position, wire, rollover)).equal(expected);
            },
          ),
          { numRuns: 300 },
        );
      });

      it('is right at every edge', () => {
        for (const position of [0, 1, 2, 65534, 65535, 65536, 65537, 131070, 131071, 131072]) {
          for (const ahead of [0, 1, 2, 64, 65534]) {
            const wire = toWire(position + ahead, rollover);
            should(distance(position, wire, rollover)).equal(ahead);
            if (position > 0) {
              should(distanceBack(position + ahead, toWire(position, rollover), rollover)).equal(
                ahead,
              );
            }
          }
        }
      });
    });
  }

  it('has no block 0 after the first where 65535 is followed by 1', () => {
    should(distance(0, 0, 1)).equal(0);
    should(distance(1, 0, 1)).be.undefined();
    should(distance(65535, 0, 1)).be.undefined();
  });

  it('stays exact far beyond any file of today', () => {
    should(toWire(2 ** 52, 0)).equal(0);
    should(toWire(2 ** 52 + 5, 0)).equal(5);
    should(toWire(65535 * 2 ** 36 + 7, 1)).equal(7);
  });
});
