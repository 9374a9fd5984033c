import should = require('should');
import {
  errorOf,
  eventOutput,
  failureRecords,
  intoSequence,
  requestMessage,
  requestOutput,
  sessionOf,
  toOutput,
  toTftpError,
  withoutPayload,
} from '../../src/node-red/messages';
import { CancelError, LocalError } from '../../src/protocol/errors';
import { requestFor } from '../helpers/content';

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

  it('of requests go down the last output', () => {
    should(requestOutput('none')).equal(1);
    should(requestOutput('one')).equal(2);
    should(requestOutput('separate')).equal(6);
  });

  it('of requests tell what was asked for, and by which id it is answered', () => {
    const options = [
      { name: 'tsize', value: '0' },
      { name: '__proto__', value: '1' },
    ];
    const mac = '00:04:f2:aa:bb:cc';
    const message = requestMessage(requestFor('a/b.cfg', { options, mac }), 'id 7');
    should(message).have.properties({
      topic: 'a/b.cfg',
      filename: 'a/b.cfg',
      event: 'request',
      ip: '127.0.0.1',
      clientPort: 50_000,
      mac,
      mode: 'octet',
      _session: { type: 'tftp', id: 'id 7' },
    });
    should(JSON.stringify(message['options'])).equal('{"tsize":"0","__proto__":"1"}');
    should(sessionOf(message)).equal('id 7');
    // get and put would take a port for that of their server, and a response a payload for its content.
    should(message).not.have.properties('payload', 'port', 'host');
    should(requestMessage(requestFor('a'), 'id')).not.have.property('mac');
  });

  it('of other nodes are no answers', () => {
    const others = [undefined, null, 'id', {}, { type: 'tcp', id: 'a' }, { type: 'tftp', id: 7 }];
    for (const _session of others) should(sessionOf({ _session })).be.undefined();
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
