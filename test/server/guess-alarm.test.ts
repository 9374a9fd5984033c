import should = require('should');
import { GuessWatch } from '../../src/server/guess-alarm';

const START = Date.UTC(2030, 0, 1);

describe('GuessWatch', () => {
  it('raises the alarm with the name that is one too many, and begins anew', () => {
    const watch = new GuessWatch(12);
    for (let round = 0; round < 2; round += 1) {
      for (let n = 1; n < 12; n += 1) {
        should(watch.missed('192.0.2.1', `f${n}`, START + n)).equal(undefined);
      }
      should(watch.missed('192.0.2.1', 'f12', START + 12)).eql({
        host: '192.0.2.1',
        misses: 12,
        names: ['f3', 'f4', 'f5', 'f6', 'f7', 'f8', 'f9', 'f10', 'f11', 'f12'],
        since: '2030-01-01T00:00:00.001Z',
      });
    }
  });

  it('counts a name once, and each address for itself', () => {
    const watch = new GuessWatch(2);
    for (let n = 0; n < 100; n += 1) should(watch.missed('a', 'x', START)).equal(undefined);
    should(watch.missed('b', 'y', START)).equal(undefined);
    should(watch.missed('a', 'y', START)).have.properties({ host: 'a', misses: 2 });
  });

  it('forgets what is older than a minute, not a moment sooner', () => {
    const watch = new GuessWatch(3);
    watch.missed('a', '1', START);
    watch.missed('a', '2', START + 30_000);
    should(watch.missed('a', '3', START + 60_000)).equal(undefined);
    should(watch.missed('a', '4', START + 89_999)).have.property('misses', 3);
  });

  it('is never raised with 0', () => {
    const watch = new GuessWatch(0);
    for (let n = 0; n < 1000; n += 1) should(watch.missed('a', `${n}`, START)).equal(undefined);
    should(watch.size).equal(0);
  });

  it('counts the addresses of an IPv6 /64 together, and tells the one that asked last', () => {
    const watch = new GuessWatch(2);
    should(watch.missed('2001:db8::1', 'x', START)).equal(undefined);
    should(watch.missed('2001:db8:0:1::1', 'y', START)).equal(undefined);
    should(watch.missed('2001:db8::2', 'y', START)).have.properties({
      host: '2001:db8::2',
      misses: 2,
    });
  });

  it('keeps the count of a host that guesses, however many others ask', () => {
    const watch = new GuessWatch(1000);
    for (let n = 1; n < 1000; n += 1) {
      should(watch.missed('192.0.2.1', `${n}`, START)).equal(undefined);
      watch.missed(`host ${n}`, 'x', START);
    }
    should(watch.missed('192.0.2.1', '1000', START)).have.property('misses', 1000);
  });

  it('keeps a bounded number of names in mind, however many addresses there are', () => {
    const watch = new GuessWatch(1000);
    for (let n = 0; n < 1000; n += 1) watch.missed(`host ${n}`, 'x', START);
    should(watch.size).equal(20);
  });
});
