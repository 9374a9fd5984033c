import should = require('should');
import { RateLimiter } from '../../src/server/rate-limiter';

function taken(rate: RateLimiter, address: string, times: number, now: number): number {
  return Array.from({ length: times }, () => rate.take(address, now)).filter(Boolean).length;
}

describe('RateLimiter', () => {
  it('lets a burst through, then so many per second', () => {
    const rate = new RateLimiter({ perSecond: 2, burst: 5 });
    should(taken(rate, 'a', 10, 0)).equal(5);
    should(taken(rate, 'a', 10, 499)).equal(0);
    should(taken(rate, 'a', 10, 500)).equal(1);
    should(taken(rate, 'a', 10, 2000)).equal(3);
    should(taken(rate, 'a', 10, 1_000_000)).equal(5);
  });

  it('counts each address for itself', () => {
    const rate = new RateLimiter({ perSecond: 1, burst: 1 });
    should(rate.take('a', 0)).equal(true);
    should(rate.take('b', 0)).equal(true);
    should(rate.take('a', 0)).equal(false);
  });

  it('begins anew after a refill', () => {
    const rate = new RateLimiter({ perSecond: 1, burst: 2 });
    should(taken(rate, 'a', 5, 0)).equal(2);
    rate.refill('a');
    should(taken(rate, 'a', 5, 0)).equal(2);
  });

  it('takes several tokens, or none of them', () => {
    const rate = new RateLimiter({ perSecond: 10, burst: 10 });
    should(rate.take('a', 0, 8)).equal(true);
    should(rate.take('a', 0, 3)).equal(false);
    should(rate.take('a', 0, 2)).equal(true);
    should(rate.take('a', 0, 0)).equal(true);
    should(rate.take('a', 99)).equal(false);
    should(rate.take('a', 100)).equal(true);
  });

  it('keeps a bounded number of hosts', () => {
    const rate = new RateLimiter({ perSecond: 1, burst: 1, hosts: 30 });
    for (let n = 0; n < 10_000; n += 1) rate.take(`${n}`, 0);
    should(rate.size).be.belowOrEqual(30);
  });

  it('gives nobody a new bucket because many other hosts come', () => {
    const rate = new RateLimiter({ perSecond: 10, burst: 20, hosts: 100 });
    should(taken(rate, 'victim', 100, 0)).equal(20);
    // 500 forged addresses a second; the bucket of each is full again after 100 ms.
    let more = 0;
    for (let now = 1; now <= 1000; now += 1) {
      if (now % 2 === 0) rate.take(`host ${now}`, now);
      if (rate.take('victim', now)) more += 1;
    }
    should(more).equal(10);
  });

  it('gives up the buckets that have most in them if all are still filling', () => {
    const rate = new RateLimiter({ perSecond: 1, burst: 20, hosts: 8 });
    should(taken(rate, 'victim', 100, 0)).equal(20);
    for (let n = 0; n < 1000; n += 1) rate.take(`${n}`, 0);
    should(rate.take('victim', 0)).equal(false);
  });
});
