import fc = require('fast-check');
import should = require('should');
import { GatherBuffer } from '../../src/net/gather-buffer';

describe('GatherBuffer', () => {
  it('gives what was put in, in order, whatever the pieces', () => {
    const piece = fc.uint8Array({ maxLength: 6_000 });
    const work = fc.array(fc.oneof(piece, fc.constant('take')), { maxLength: 30 });
    fc.assert(
      fc.property(work, (steps) => {
        const gathered = new GatherBuffer();
        const put: Uint8Array[] = [];
        const taken: Uint8Array[] = [];
        let length = 0;
        for (const step of [...steps, 'take']) {
          if (typeof step === 'string') {
            taken.push(gathered.take());
            length = 0;
          } else {
            put.push(step);
            gathered.push(step);
            length += step.length;
          }
          should(gathered.length).equal(length);
        }
        should(Buffer.concat(taken).equals(Buffer.concat(put))).be.true();
      }),
    );
  });

  it('copies what is pushed', () => {
    const gathered = new GatherBuffer();
    const bytes = Buffer.from('abc');
    gathered.push(bytes);
    bytes.fill(0);
    should(Buffer.from(gathered.take()).toString()).equal('abc');
  });

  it('never touches again what was taken', () => {
    const gathered = new GatherBuffer();
    gathered.push(Buffer.from('first'));
    const first = gathered.take();
    gathered.push(Buffer.from('other'));
    should(Buffer.from(first).toString()).equal('first');
    should(first.buffer).not.equal(gathered.take().buffer);
  });

  it('holds little memory for a little file', () => {
    const gathered = new GatherBuffer();
    gathered.push(Buffer.from('abc'));
    should(gathered.take().buffer.byteLength).equal(4 * 1024);
  });

  it('takes at once as much memory as the last time', () => {
    const gathered = new GatherBuffer();
    gathered.push(Buffer.alloc(100_000));
    gathered.take();
    gathered.push(Buffer.from('abc'));
    should(gathered.take().buffer.byteLength).equal(100_000);
  });
});
