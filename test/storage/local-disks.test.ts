import should = require('should');
import { LocalDisks } from '../../src/storage/local-disks';

describe('LocalDisks', () => {
  it('does not count what makes up its files, or cannot be asked', async () => {
    const disks = new LocalDisks();
    should(await disks.has('/proc', 1n)).be.false();
    should(await disks.has('/none/such', 2n)).be.false();
  });

  it('asks for each disk once', async () => {
    const disks = new LocalDisks();
    const first = await disks.has(__dirname, 1n);
    should(await disks.has('/proc', 1n)).equal(first);
    should(await disks.has('/proc', 2n)).be.false();
  });
});
