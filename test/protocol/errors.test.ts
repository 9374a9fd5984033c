import should = require('should');
import type * as errors from '../../src/protocol/errors';
import {
  CancelError,
  LocalError,
  PeerError,
  ProtocolError,
  TftpError,
  TimeoutError,
  errorText,
  isTftpError,
} from '../../src/protocol/errors';
import type { TftpErrorCode } from '../../src/protocol/errors';

const RFC_CODES: readonly TftpErrorCode[] = [
  'EUNDEF',
  'ENOENT',
  'EACCES',
  'ENOSPC',
  'EBADOP',
  'EBADTID',
  'EEXIST',
  'ENOUSER',
  'EOPTNEG',
];

const OWN_CODES: readonly TftpErrorCode[] = [
  'ETIMEDOUT',
  'ECANCELED',
  'EQUEUEFULL',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EDIGEST',
  'EBADSIZE',
  'ENOTFOUND',
  'ECONNREFUSED',
  'EBUSY',
  'EIO',
  'EINVAL',
];

/** The same file loaded a second time, as happens when two packages bring a copy each. */
function secondCopy(): typeof errors {
  const file = require.resolve('../../src/protocol/errors');
  const first = require.cache[file];
  delete require.cache[file];
  try {
    const copy: typeof errors = require(file);
    return copy;
  } finally {
    require.cache[file] = first;
  }
}

describe('errors', () => {
  it('maps each code of the RFC to its number and back', () => {
    for (const [tftpCode, code] of RFC_CODES.entries()) {
      should(new LocalError(code, 'x').tftpCode).equal(tftpCode);
      should(new PeerError(tftpCode, 'x').code).equal(code);
    }
  });

  it('tells the peer 3 for a size limit, and 0 for all that the RFC has no number for', () => {
    should(new LocalError('ETOOLARGE', 'x').tftpCode).equal(3);
    for (const code of OWN_CODES) should(new LocalError(code, 'x').tftpCode).equal(0);
  });

  it('takes another code for the peer where one is given', () => {
    should(new LocalError('EIO', 'x', { tftpCode: 2 }).tftpCode).equal(2);
    should(new LocalError('ENOENT', 'x', { tftpCode: 0 }).tftpCode).equal(0);
  });

  it('keeps a code of a peer that the RFC does not know', () => {
    const error = new PeerError(4711, '');
    should(error.code).equal('EUNDEF');
    should(error.tftpCode).equal(4711);
    should(error.message).equal('Error 4711');
  });

  it("shows a peer's own text, or the RFC's where it sent none", () => {
    should(new PeerError(1, 'no such image').message).equal('no such image');
    should(new PeerError(1, '').message).equal('File not found');
    should(RFC_CODES.map((_, code) => errorText(code))).deepEqual([
      'Not defined',
      'File not found',
      'Access violation',
      'Disk full or allocation exceeded',
      'Illegal TFTP operation',
      'Unknown transfer ID',
      'File already exists',
      'No such user',
      'Option negotiation failed',
    ]);
  });

  it('says where and on what it happened', () => {
    const cause = new Error('below');
    const context = { peer: '192.0.2.1:69', filename: 'f', block: 7, expected: true };
    const error = new ProtocolError('EBADOP', 'x', { ...context, cause });
    should(error).have.properties(context);
    should(error.cause).equal(cause);
  });

  it('tells the peer its message, or another that names no local thing', () => {
    should(new LocalError('EIO', 'x').peerMessage).equal('x');
    const error = new LocalError('EIO', '/srv/tftp/f: disk error', { peerMessage: 'disk error' });
    should(error).have.properties({
      message: '/srv/tftp/f: disk error',
      peerMessage: 'disk error',
    });
  });

  it('has no empty fields', () => {
    should(Object.keys(new TftpError('EIO', 'x')).toSorted()).deepEqual([
      'code',
      'name',
      'peerMessage',
      'tftpCode',
    ]);
    should('cause' in new TftpError('EIO', 'x')).be.false();
  });

  it('is named after its class', () => {
    should(new TftpError('EIO', 'x').name).equal('TftpError');
    should(new PeerError(0, 'x').name).equal('PeerError');
    should(new ProtocolError('EBADOP', 'x').name).equal('ProtocolError');
    should(new TimeoutError('x')).have.properties({ name: 'TimeoutError', code: 'ETIMEDOUT' });
    should(new LocalError('EIO', 'x').name).equal('LocalError');
    should(new CancelError()).have.properties({
      name: 'CancelError',
      code: 'ECANCELED',
      message: 'The transfer was cancelled',
    });
    should(new CancelError('stopped', { block: 3 })).have.properties({
      message: 'stopped',
      block: 3,
    });
  });

  it('isTftpError knows them, and nothing else', () => {
    should(isTftpError(new PeerError(1, 'x'))).be.true();
    for (const other of [new Error('x'), { code: 'EIO' }, null, undefined, 'EIO', 5, () => {}]) {
      should(isTftpError(other)).be.false();
    }
  });

  it('isTftpError knows those of a second copy of the package', () => {
    const copy = secondCopy();
    const theirs = new copy.TimeoutError('x');
    should(copy.TftpError).not.equal(TftpError);
    should(theirs instanceof TftpError).be.false();
    should(isTftpError(theirs)).be.true();
    should(copy.isTftpError(new TimeoutError('x'))).be.true();
  });

  it('does not print the brand', () => {
    should(JSON.parse(JSON.stringify(new TftpError('EIO', 'x')))).deepEqual({
      name: 'TftpError',
      code: 'EIO',
      tftpCode: 0,
      peerMessage: 'x',
    });
  });
});
