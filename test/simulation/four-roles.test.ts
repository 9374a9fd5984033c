import 'should';
import { seededBytes } from '../helpers/random';
import { simulate } from '../helpers/simulation';

const WINDOWS = [1, 2, 4, 16, 64];
const LOSSES = [0, 0.01, 0.05, 0.15, 0.3];
const LENGTHS = [0, 1, 511, 512, 513, 5120, 33_000];

describe('two of ours over a bad link', function () {
  this.timeout(120_000);

  for (const direction of ['read', 'write'] as const) {
    for (const options of [true, false]) {
      it(`${direction} ${options ? 'with' : 'without'} options always ends with the same bytes`, () => {
        let falseFailures = 0;
        let transfers = 0;
        for (const windowsize of options ? WINDOWS : [1]) {
          for (const loss of LOSSES) {
            for (const length of LENGTHS) {
              for (let seed = 1; seed <= (options ? 6 : 30); seed += 1) {
                const content = seededBytes(length, length + 1);
                const outcome = simulate({
                  direction,
                  wanted: options
                    ? { blksize: 512, windowsize, tsize: direction === 'read' ? 0 : length }
                    : {},
                  content,
                  link: { loss, duplication: loss, reordering: loss, delay: 10 },
                  seed: seed * 7919 + length,
                  chunk: 100 + 1000 * (seed % 5),
                  commit: seed % 3 === 0 ? 700 : 0,
                });
                transfers += 1;
                outcome.receiver!.type.should.equal('done', outcome.trace.join('\n'));
                outcome.received.equals(content).should.be.true();
                if (outcome.sender!.type === 'failed') falseFailures += 1;
              }
            }
          }
        }
        // The dally outlives all but the unluckiest losses of the last ACK. Without it a put has failed.
        falseFailures.should.be.belowOrEqual(transfers / 100);
      });
    }
  }

  // Each link alone would keep several windows in flight for ever, if a rewind could cause another.
  for (const [quality, link] of Object.entries({
    'loses 0.2 %': { loss: 0.002, duplication: 0, reordering: 0, delay: 1 },
    'duplicates 1 %': { loss: 0, duplication: 0.01, reordering: 0, delay: 1 },
    'reorders 0.2 %': { loss: 0, duplication: 0, reordering: 0.002, delay: 1 },
  })) {
    it(`sends little more than the file over a link that ${quality}`, () => {
      const blocks = 20_000;
      const outcome = simulate({
        direction: 'read',
        wanted: { blksize: 8, windowsize: 64 },
        content: seededBytes(8 * blocks, 1),
        link,
        seed: 5,
        chunk: 65_536,
      });
      outcome.receiver!.type.should.equal('done');
      outcome.datagrams.should.be.below(1.25 * blocks);
    });
  }
});
