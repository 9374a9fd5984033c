import should = require('should');
import { EventPace } from '../../src/node-red/event-pace';
import { recordOf } from '../helpers/records';
import type { TransferRecord } from '../../src/net/transfer-record';

describe('EventPace', () => {
  const progress = (elapsed: number, more: Partial<TransferRecord> = {}): TransferRecord =>
    recordOf({ event: 'progress', elapsed, percent: 5, ...more });
  const passing = (pace: EventPace, records: TransferRecord[]): number[] =>
    records.filter((record) => pace.passes(record)).map(({ elapsed }) => elapsed);
  const seconds = [1000, 2000, 3000, 4000, 5000].map((elapsed) => progress(elapsed));

  it('has the engine report once a second at least', () => {
    const intervals = [undefined, 0, 200, 1000, 60_000];
    const engine = intervals.map((interval) => new EventPace(interval).engineInterval);
    should(engine).eql([1000, 1000, 200, 1000, 1000]);
  });

  it('tells a flow as often as it wants', () => {
    should(passing(new EventPace(), seconds)).eql([1000, 2000, 3000, 4000, 5000]);
    should(passing(new EventPace(200), [progress(200), progress(400)])).eql([200, 400]);
    should(passing(new EventPace(2000), seconds)).eql([2000, 4000]);
    should(passing(new EventPace(60_000), seconds)).eql([]);
  });

  it('tells a flow nothing of the progress where it wants nothing', () => {
    const end = progress(6000, { percent: 100 });
    should(passing(new EventPace(0), [...seconds, end])).eql([]);
  });

  it('tells at once that the peer is silent, and that all is across', () => {
    const silent = progress(100, { retry: { attempt: 1, retries: 6 } });
    const end = progress(200, { percent: 100 });
    should(passing(new EventPace(60_000), [silent, progress(150), end])).eql([100, 200]);
  });

  it('lets all other events pass, and counts anew for each transfer', () => {
    const pace = new EventPace(2000);
    should(pace.passes(progress(2000))).equal(true);
    should(pace.passes(recordOf({ id: 'b', event: 'start' }))).equal(true);
    should(pace.passes(recordOf({ id: 'b', event: 'progress', elapsed: 2000 }))).equal(true);
    for (const event of ['complete', 'error', 'probe'] as const) {
      should(pace.passes(recordOf({ event, elapsed: 2100 }))).equal(true);
    }
    should(pace.passes(progress(2500))).equal(true);
  });
});
