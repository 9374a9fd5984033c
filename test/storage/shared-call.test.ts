import should = require('should');
import { setImmediate as turn } from 'node:timers/promises';
import { SharedCall } from '../../src/storage/shared-call';

describe('SharedCall', () => {
  /** A call that counts, and ends when told. */
  function counted() {
    const ends: (() => void)[] = [];
    let begun = 0;
    const call = new SharedCall(() => {
      const number = (begun += 1);
      return new Promise<number>((resolve) => ends.push(() => resolve(number)));
    });
    return { call, end: () => ends.shift()!(), begun: () => begun };
  }

  it('gives all who come while a call runs the result of the next', async () => {
    const { call, end, begun } = counted();
    const first = call.result();
    const later = [call.result(), call.result(), call.result()];
    should(begun()).equal(1);
    end();
    should(await first).equal(1);
    await turn();
    should(begun()).equal(2);
    end();
    should(await Promise.all(later)).deepEqual([2, 2, 2]);
  });

  it('gives nobody the result of a call that began before they asked', async () => {
    const { call, end } = counted();
    const first = call.result();
    const second = call.result();
    end();
    await first;
    await turn();
    const third = call.result();
    end();
    should(await second).equal(2);
    await turn();
    end();
    should(await third).equal(3);
    const fourth = call.result();
    end();
    should(await fourth).equal(4);
  });
});
