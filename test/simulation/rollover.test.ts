import 'should';
import { seededBytes } from '../helpers/random';
import { simulate } from '../helpers/simulation';

const BLOCKS = 140_001;

describe('more blocks than there are numbers', function () {
  this.timeout(60_000);

  for (const direction of ['read', 'write'] as const) {
    for (const rollover of [0, 1] as const) {
      it(`arrive over a bad link: ${direction}, 65535 followed by ${rollover}`, () => {
        const content = seededBytes(8 * BLOCKS - 3, 11);
        const outcome = simulate({
          direction,
          wanted: { blksize: 8, windowsize: 64, rollover },
          content,
          link: { loss: 0.002, duplication: 0.01, reordering: 0.002, delay: 1 },
          seed: 5,
          chunk: 65_536,
        });
        outcome.receiver!.type.should.equal('done', outcome.trace.join('\n'));
        outcome.received.equals(content).should.be.true();
      });
    }
  }
});
