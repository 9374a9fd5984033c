import should = require('should');
import { RequestRate } from '../../src/server/request-rate';

function taken(rate: RequestRate, address: string, times: number, now: number): number {
  return Array.from({ length: times }, () => rate.take(address, now)).filter(Boolean).length;
}

describe('RequestRate', () => {
  it('lets a burst through, then so many per second', () => {
    const rate = new RequestRate({ perSecond: 2, burst: 5 });
    should(taken(rate, 'a', 10, 0)).equal(5);
    should(taken(rate, 'a', 10, 499)).equal(0);
    should(taken(rate, 'a', 10, 500)).equal(1);
    should(taken(rate, 'a', 10, 2000)).equal(3);
    should(taken(rate, 'a', 10, 1_000_000)).equal(5);
  });

  it('counts each address for itself', () => {
    const rate = new RequestRate({ perSecond: 1, burst: 1 });
    should(rate.take('a', 0)).equal(true);
    should(rate.take('b', 0)).equal(true);
    should(rate.take('a', 0)).equal(false);
  });

  it('begins anew after a refill', () => {
    const rate = new RequestRate({ perSecond: 1, burst: 2 });
    should(taken(rate, 'a', 5, 0)).equal(2);
    rate.refill('a');
    should(taken(rate, 'a', 5, 0)).equal(2);
  });

  it('keeps a bounded number of addresses in mind, and forgets who asked longest ago', () => {
    const rate = new RequestRate({ perSecond: 1, burst: 1, addresses: 3 });
    for (const address of ['a', 'b', 'c', 'a', 'd']) rate.take(address, 0);
    should(rate.size).equal(3);
    should(rate.take('a', 0)).equal(false);
    should(rate.take('b', 0)).equal(true);
    for (let n = 0; n < 10_000; n += 1) rate.take(`${n}`, 0);
    should(rate.size).equal(3);
  });
});
