import should = require('should');
import {
  errorOf,
  eventOutput,
  failureRecords,
  intoSequence,
  toOutput,
  toTftpError,
  withoutPayload,
} from '../../src/node-red/messages';
import { contentOf } from '../../src/node-red/put-work';
import { CancelError, LocalError } from '../../src/protocol/errors';

describe('messages', () => {
  it('go to one output and to no other', () => {
    const message = { payload: 1 };
    should(toOutput(0, message)).eql([message]);
    should(toOutput(2, message)).eql([null, null, message]);
  });

  it('of events go down one output, down one for each kind, or nowhere', () => {
    should(eventOutput('one', 'probe')).equal(1);
    should(eventOutput('none', 'start')).be.undefined();
    const kinds = ['start', 'progress', 'complete', 'error', 'probe'] as const;
    should(kinds.map((kind) => eventOutput('separate', kind))).eql([1, 2, 3, 4, 5]);
  });

  it('lose their payload in a copy, and nothing else', () => {
    const msg = { payload: 1, topic: 't', req: {} };
    const copy = withoutPayload(msg);
    should(copy).eql({ topic: 't', req: {} });
    should(copy.req).be.exactly(msg.req);
    should(msg.payload).equal(1);
  });

  it('keep the sequence that they are in, within the new one', () => {
    const parts = { id: 'new', type: 'array', index: 0 } as const;
    should(intoSequence({}, parts).parts).eql(parts);
    should(intoSequence({ parts: { id: 'old' } }, parts).parts).eql({
      ...parts,
      parts: { id: 'old' },
    });
  });

  it('tell of a failure with all fields of a record', () => {
    const request = { operation: 'write', host: 'h', port: 7, filename: 'f' } as const;
    const [start, failed] = failureRecords(request, new LocalError('EACCES', 'no'));
    should(start).have.properties({ event: 'start', role: 'client', bytes: 0, size: null });
    should(failed.error).eql({ code: 'EACCES', tftpCode: 2, message: 'no' });
    should(failed.id).equal(start.id);
    const error = errorOf(failed);
    should(error).have.properties({ code: 'EACCES', tftpCode: 2, filename: 'f', peer: 'h:7' });
    should(error.message).equal('no (h:7 writing "f")');
  });

  it('tell of whatever was thrown as a TftpError', () => {
    const cancelled = new CancelError();
    should(toTftpError(cancelled)).be.exactly(cancelled);
    should(toTftpError(new TypeError('oops'))).have.properties({ code: 'EIO', message: 'oops' });
    should(toTftpError('oops').message).equal('oops');
  });
});

describe('contentOf', () => {
  it('refuses what has no bytes', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const value of [undefined, null, Symbol('s'), () => 1, circular]) {
      should(() => contentOf(value)).throw({ code: 'EINVAL' });
    }
  });
});
