/**
 * Throughput by loss and window, in virtual time: a change of behaviour shows as a change of this
 * table. After a change that is meant, run `UPDATE_SNAPSHOTS=1 npx mocha` and read the difference.
 */

import fs from 'node:fs';
import path from 'node:path';
import 'should';
import { seededBytes } from '../helpers/random';
import { simulate } from '../helpers/simulation';

const SNAPSHOT = path.resolve(__dirname, '../../../test/simulation/loss-table.snap');
const WINDOWS = [1, 2, 4, 8, 16, 32, 64];
const LOSSES = [0, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3];
const SEEDS = [1, 2, 3, 4, 5];
const CONTENT = seededBytes(1428 * 256, 42);

describe('loss and window', function () {
  this.timeout(60_000);

  it('give the throughput of the snapshot', () => {
    const rows = WINDOWS.map((windowsize) => {
      const cells = LOSSES.map((loss) => throughput(windowsize, loss).toFixed(1).padStart(9));
      return `${String(windowsize).padStart(10)} ${cells.join(' ')}`;
    });
    const heads = LOSSES.map((loss) => `${loss * 100} %`.padStart(9));
    const table = [
      'KiB/s, both directions, round trip 20 ms, blksize 1428, 357 KiB, mean of 5 seeds',
      `windowsize ${heads.join(' ')}`,
      ...rows,
      '',
    ].join('\n');
    if (process.env['UPDATE_SNAPSHOTS']) fs.writeFileSync(SNAPSHOT, table);
    table.should.equal(fs.readFileSync(SNAPSHOT, 'utf8'));
  });
});

function throughput(windowsize: number, loss: number): number {
  const times = SEEDS.flatMap((seed) =>
    (['read', 'write'] as const).map((direction) => {
      const outcome = simulate({
        direction,
        wanted: { blksize: 1428, windowsize },
        content: CONTENT,
        link: { loss, duplication: 0, reordering: 0, delay: 10 },
        seed,
        chunk: 65_536,
      });
      outcome.receiver!.type.should.equal('done', outcome.trace.join('\n'));
      return outcome.elapsed;
    }),
  );
  const seconds = times.reduce((sum, time) => sum + time, 0) / times.length / 1000;
  return CONTENT.length / 1024 / seconds;
}
