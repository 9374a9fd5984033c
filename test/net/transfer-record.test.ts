import should = require('should');
import { describeError, failedRecords } from '../../src/net/transfer-record';
import { LocalError } from '../../src/protocol/errors';

describe('failedRecords', () => {
  const beginning = {
    role: 'client',
    operation: 'read',
    filename: 'f',
    mode: 'octet',
    host: 'phone',
    port: 69,
  } as const;

  it('makes a start and an error of one transfer, in plain JSON', () => {
    const [start, failed] = failedRecords(beginning, new LocalError('ENOTFOUND', 'no such host'));
    should(start).have.properties({ ...beginning, event: 'start', bytes: 0, size: null });
    should(start).have.property('options', { blksize: 512, windowsize: 1 });
    should(start).not.have.properties('error', 'finished', 'trace');
    should(failed).have.properties({
      ...beginning,
      event: 'error',
      id: start.id,
      error: { code: 'ENOTFOUND', tftpCode: 0, message: 'no such host' },
      trace: [],
    });
    should(new Date(failed.finished!).toISOString()).equal(failed.finished);
    should(JSON.parse(JSON.stringify(failed))).eql(failed);
  });

  it('gives each transfer an id of its own', () => {
    const error = new LocalError('EIO', 'x');
    const [[one], [other]] = [failedRecords(beginning, error), failedRecords(beginning, error)];
    should(one.id).not.equal(other.id);
  });

  it('says if the failure was expected', () => {
    const error = new LocalError('ENOENT', 'not there', { expected: true });
    should(describeError(error)).eql({
      code: 'ENOENT',
      tftpCode: 1,
      message: 'not there',
      expected: true,
    });
  });
});
