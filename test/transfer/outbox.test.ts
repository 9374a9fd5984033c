import should = require('should');
import { Outbox } from '../../src/transfer/outbox';

describe('Outbox', () => {
  it('is empty at first, and after it was drained', () => {
    const outbox = new Outbox();
    should(outbox.pollTransmit()).be.undefined();
    should(outbox.pollEvent()).be.undefined();
    outbox.send(Buffer.from('a'));
    outbox.emit({ type: 'end' });
    should(outbox.pollTransmit()).not.be.undefined();
    should(outbox.pollEvent()).not.be.undefined();
    should(outbox.pollTransmit()).be.undefined();
    should(outbox.pollEvent()).be.undefined();
  });

  it('gives datagrams and runs in the order in which they were queued', () => {
    const outbox = new Outbox();
    const single = Buffer.from('abcd');
    const run = { datagrams: Buffer.from('efghijk'), segmentSize: 4 };
    outbox.send(single);
    outbox.sendRun(run);
    should(outbox.pollTransmit()).deepEqual({ datagrams: single, segmentSize: 4 });
    should(outbox.pollTransmit()).equal(run);
  });

  it('gives events in the order in which they came', () => {
    const outbox = new Outbox();
    outbox.emit({ type: 'need-data', bytes: 512 });
    outbox.emit({ type: 'done', finalAck: true });
    should(outbox.pollEvent()).deepEqual({ type: 'need-data', bytes: 512 });
    should(outbox.pollEvent()).deepEqual({ type: 'done', finalAck: true });
  });
});
