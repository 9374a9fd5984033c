/**
 * `complete` is a statement of fact: whatever the link does, and whenever a peer dies. Each seed is
 * another link, file, window and death.
 */

import should = require('should');
import { simulate } from '../helpers/simulation';
import type { Outcome, Scenario } from '../helpers/simulation';
import { seededBytes, seededRandom } from '../helpers/random';
import { retryPolicy } from '../../src/transfer/retry-policy';

const SEEDS = 4_000;
const BLKSIZES = [8, 64, 512];
const WINDOWS = [1, 1, 2, 4, 16, 64];
const LOSSES = [0, 0, 0.02, 0.1, 0.3];

function scenarioOf(seed: number, direction: Scenario['direction']): Scenario {
  const random = seededRandom(seed * 31 + (direction === 'read' ? 0 : 1));
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  const withOptions = random() < 0.8;
  const blksize = withOptions ? pick(BLKSIZES) : 512;
  const windowsize = pick(WINDOWS);
  const blocks = pick([0, 0, 1, 2, 5, 20]);
  const length = blocks * blksize + pick([0, 1, blksize - 1]);
  const loss = pick(LOSSES);
  return {
    direction,
    wanted: withOptions ? { blksize, windowsize, tsize: direction === 'read' ? 0 : length } : {},
    content: seededBytes(length, seed),
    link: { loss, duplication: pick([0, loss]), reordering: pick([0, loss]), delay: pick([1, 30]) },
    seed,
    chunk: pick([100, 5_000]),
    commit: pick([0, 0, 700]),
    policy: retryPolicy({ timeout: 1_000, retries: 6 }, random),
    ...(random() < 0.6 && {
      death: { side: pick(['client', 'server'] as const), after: Math.floor(random() * 12) },
    }),
  };
}

/** What must hold of each end. */
function check(scenario: Scenario, outcome: Outcome): void {
  const { sender, receiver } = outcome;
  const blksize = scenario.wanted.blksize ?? 512;
  const isWhole = outcome.received.equals(scenario.content);
  should(outcome.endless).eql([]);
  if (receiver?.type === 'done') should(isWhole && outcome.committed).be.true('the receiver');
  if (sender?.type !== 'done') return;
  if (sender.finalAck) {
    should(isWhole && outcome.committed).be.true('the sender');
  } else {
    should(scenario.direction).equal('read');
    should(outcome.answered).be.true();
    should(outcome.lastSent).equal(Math.floor(scenario.content.length / blksize) + 1);
  }
}

describe('complete', function () {
  this.timeout(120_000);

  for (const direction of ['read', 'write'] as const) {
    it(`is true on both sides, ${direction}, whatever the link does and whoever dies`, () => {
      const ends = { done: 0, failed: 0, unconfirmed: 0 };
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const scenario = scenarioOf(seed, direction);
        const outcome = simulate(scenario);
        try {
          check(scenario, outcome);
        } catch (error) {
          throw new Error(`seed ${seed}: ${outcome.trace.join('\n')}`, { cause: error });
        }
        const { sender } = outcome;
        if (sender?.type === 'done') ends[sender.finalAck ? 'done' : 'unconfirmed'] += 1;
        if (sender?.type === 'failed') ends.failed += 1;
      }
      // All kinds of ends are among them.
      should(ends.done).be.above(SEEDS / 4);
      should(ends.failed).be.above(SEEDS / 20);
      if (direction === 'read') should(ends.unconfirmed).be.above(SEEDS / 100);
      else should(ends.unconfirmed).equal(0);
    });

    it(`is never said of a file of another size than was told, ${direction}`, () => {
      for (let seed = 1; seed <= 500; seed += 1) {
        const scenario = scenarioOf(seed, direction);
        const { length } = scenario.content;
        const told = [length + 1, length + 64, Math.max(1, length - 1), 1][seed % 4]!;
        if (told === length || scenario.wanted.tsize === undefined) continue;
        const wanted = { ...scenario.wanted, tsize: direction === 'read' ? 0 : told };
        const outcome = simulate({ ...scenario, wanted, told });
        should(outcome.committed).be.false();
        should(outcome.receiver?.type).not.equal('done');
        if (direction === 'write') should(outcome.sender?.type).not.equal('done');
      }
    });
  }
});

describe('a receiver that acknowledges each block of a window', () => {
  // It is one that believes in a window of one block.
  for (const [windowsize, loss] of [
    [4, 0],
    [16, 0],
    [64, 0],
    [16, 0.01],
  ] as const) {
    it(`is sent little more than the file, windowsize ${windowsize}, loss ${loss * 100} %`, () => {
      const content = seededBytes(293 * 512 - 100, 1);
      const outcome = simulate({
        direction: 'read',
        wanted: { blksize: 512, windowsize },
        content,
        link: { loss, duplication: 0, reordering: 0, delay: 1 },
        seed: 3,
        believed: 1,
      });
      should(outcome.received.equals(content)).be.true();
      should(outcome.datagrams).be.belowOrEqual(2 * 293 + 3 + 2_000 * loss * windowsize);
    });
  }
});
