import should = require('should');
import { closeNode } from '../../src/node-red/close-node';

describe('closeNode', () => {
  const closed = (close: () => Promise<void>): Promise<number> => {
    const before = Date.now();
    return new Promise((resolve) => closeNode(close, () => resolve(Date.now() - before)));
  };

  it('is done when closing is', async () => {
    should(await closed(() => Promise.resolve())).be.below(1000);
  });

  it('is done although closing failed', async () => {
    should(await closed(() => Promise.reject(new Error('no')))).be.below(1000);
  });

  it('is done within two seconds although closing takes for ever', async () => {
    should(await closed(() => new Promise(() => undefined))).be.belowOrEqual(2000);
  });
});
