import should = require('should');
import { ThroughputHistory } from '../../src/node-red/throughput-history';

describe('ThroughputHistory', () => {
  it('puts bytes into the bucket of their time, and tells those that are complete', () => {
    const history = new ThroughputHistory(12_345, 1000, 3);
    history.add(12_400, 'down', 10);
    history.add(12_999, 'down', 1);
    history.add(13_000, 'up', 7);
    should(history.complete(13_500)).eql({ end: 13_000, down: [0, 0, 11], up: [0, 0, 0] });
    should(history.complete(14_000)).eql({ end: 14_000, down: [0, 11, 0], up: [0, 0, 7] });
    should(history.complete(16_999)).eql({ end: 16_000, down: [0, 0, 0], up: [7, 0, 0] });
  });

  it('forgets what was before a long rest', () => {
    for (const rest of [4000, 5000, 1_000_000]) {
      const history = new ThroughputHistory(0, 1000, 3);
      for (let at = 0; at < 4000; at += 1000) history.add(at, 'up', 1);
      history.add(3000 + rest, 'up', 5);
      const { up } = history.complete(4000 + rest);
      should(up).eql([0, 0, 5], `after ${rest}`);
    }
  });

  it('tells the rate of all complete buckets', () => {
    const history = new ThroughputHistory(0, 500, 4);
    history.add(0, 'down', 1000);
    should(history.rate(499, 'down')).equal(0);
    should(history.rate(500, 'down')).equal(500);
    history.add(600, 'down', 500);
    should(history.rate(1000, 'down')).equal(750);
    should(history.rate(1000, 'up')).equal(0);
    should(history.rate(3000, 'down')).equal(0);
  });
});
