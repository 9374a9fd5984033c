import should = require('should');
import { ProgressMeter } from '../../src/net/progress-meter';

describe('ProgressMeter', () => {
  it('is due once an interval has passed since the last report', () => {
    const meter = new ProgressMeter(1000, 500);
    should(meter.isDue(1499)).equal(false);
    should(meter.isDue(1500)).equal(true);
    meter.mark(1600, 0);
    should(meter.isDue(2099)).equal(false);
    should(meter.isDue(2100)).equal(true);
  });

  it('is never due if the interval is 0', () => {
    should(new ProgressMeter(0, 0).isDue(1e9)).equal(false);
  });

  it('measures the rate since the last report, and over all', () => {
    const meter = new ProgressMeter(0, 1000);
    meter.mark(1000, 4000);
    meter.mark(2000, 10_000);
    should(meter.measure(4000, 12_000, 24_000)).eql({
      percent: 50,
      rate: 6000,
      averageRate: 3000,
      eta: 4000,
      elapsed: 4000,
    });
  });

  it('takes the average for the rate before the first report', () => {
    should(new ProgressMeter(0, 1000).measure(500, 100, null)).eql({
      percent: null,
      rate: 200,
      averageRate: 200,
      eta: null,
      elapsed: 500,
    });
  });

  it('divides by no time at all', () => {
    const meter = new ProgressMeter(7, 1000);
    meter.mark(7, 5);
    should(meter.measure(7, 5, 10)).eql({
      percent: 50,
      rate: 0,
      averageRate: 0,
      eta: null,
      elapsed: 0,
    });
  });

  for (const [bytes, size, percent] of [
    [0, 1000, 0],
    [1, 1000, 0.1],
    [999_999, 1_000_000, 99.9],
    [1000, 1000, 100],
    [1001, 1000, 100],
    [0, 0, 100],
  ] as const) {
    it(`calls ${bytes} of ${size} bytes ${percent} %`, () => {
      const { percent: shown, eta } = new ProgressMeter(0, 1000).measure(1000, bytes, size);
      should(shown).equal(percent);
      if (bytes > size) should(eta).equal(0);
    });
  }
});
