import should = require('should');
import { closeNode } from '../../src/node-red/close-node';
import { FakeClock } from '../helpers/fake-clock';

describe('closeNode', () => {
  let clock: FakeClock;
  beforeEach(() => {
    clock = new FakeClock();
  });

  const closed = (close: () => Promise<void>): Promise<void> =>
    new Promise((resolve) => closeNode(close, resolve, clock));

  it('is done when closing is, and waits no longer', async () => {
    await closed(() => Promise.resolve());
    should(clock.waiting).be.false();
  });

  it('is done although closing failed', async () => {
    await closed(() => Promise.reject(new Error('no')));
    should(clock.waiting).be.false();
  });

  it('is done within two seconds although closing takes for ever', async () => {
    const done = closed(() => new Promise(() => undefined));
    should(clock.waits).matchEach((wait: number) => should(wait).be.within(1000, 1950));
    clock.fire();
    await done;
  });

  it('is done once, also if closing ends later', async () => {
    let times = 0;
    let end = (): void => undefined;
    const close = (): Promise<void> => new Promise((resolve) => (end = resolve));
    closeNode(close, () => (times += 1), clock);
    clock.fire();
    end();
    await new Promise(setImmediate);
    should(times).equal(1);
  });
});
