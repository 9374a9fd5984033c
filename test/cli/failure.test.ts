import should = require('should');
import { exitCodeOf } from '../../src/cli/exit-code';
import { failureText, isBrokenPipe, stackText } from '../../src/cli/failure';
import {
  CancelError,
  LocalError,
  PeerError,
  ProtocolError,
  TimeoutError,
} from '../../src/protocol/errors';

describe('failures of the command', () => {
  const table: [error: Error, exitCode: number][] = [
    [new PeerError(1, 'File not found'), 1],
    [new PeerError(3, 'Disk full'), 1],
    [new ProtocolError('EBADOP', 'no such packet'), 1],
    [new LocalError('ENOTFOUND', 'no such host'), 1],
    [new LocalError('ECONNREFUSED', 'nothing listens'), 1],
    [new LocalError('EINVAL', 'blksize is 7'), 2],
    [new TimeoutError('silence'), 3],
    [new LocalError('EIO', 'bad disk'), 4],
    [new LocalError('EACCES', 'not yours'), 4],
    [new LocalError('ENOENT', 'not there'), 4],
    [new LocalError('ENOSPC', 'full'), 4],
    [new LocalError('EEXIST', 'there already'), 4],
    [new LocalError('ETOOLARGE', 'too large'), 4],
    [new LocalError('EADDRINUSE', 'taken'), 4],
    [new LocalError('EADDRNOTAVAIL', 'not here'), 4],
    [new LocalError('EDIGEST', 'other content'), 5],
    [new CancelError(), 130],
    [new TypeError('undefined is not a function'), 70],
  ];
  for (const [error, exitCode] of table) {
    it(`ends with ${exitCode} for ${error.name} ${'code' in error ? String(error.code) : ''}`, () => {
      should(exitCodeOf(error)).equal(exitCode);
    });
  }

  it("shows the peer's own words, cleaned, and what to change", () => {
    failureText(new PeerError(1, 'No\u001B[31m such\r\nfile\u202E')).should.equal(
      'the server says "No [31m such file" (ENOENT); check the name of the file on the server',
    );
  });

  it('tells which server said so', () => {
    failureText(new PeerError(0, 'out of paper', { peer: '192.0.2.1:69' })).should.startWith(
      '192.0.2.1:69 says "out of paper" (EUNDEF); ',
    );
  });

  it('shows our words and what to change', () => {
    failureText(new TimeoutError('No answer', { peer: '192.0.2.1:69' })).should.equal(
      'No answer (192.0.2.1:69); check the host, the port and the firewall, or give a longer --timeout',
    );
    failureText(new LocalError('EINVAL', 'blksize is 7: it must be 8')).should.equal(
      'blksize is 7: it must be 8',
    );
  });

  it('calls a mistake of ours by its name', () => {
    failureText(new TypeError('a\nb')).should.equal(
      'internal error: TypeError: a b; please report it, with what -v shows',
    );
  });

  it('shows the stacks of an error and of what caused it', () => {
    const cause = new TypeError('the cause');
    stackText(new LocalError('EIO', 'the error', { cause })).should.match(
      /^LocalError: the error\n {4}at [^]*\ncaused by TypeError: the cause\n {4}at /,
    );
    stackText('text').should.equal('text');
  });

  it('finds the broken pipe among the causes', () => {
    const pipe = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    isBrokenPipe(pipe).should.equal(true);
    isBrokenPipe(new LocalError('EIO', 'cannot write', { cause: pipe })).should.equal(true);
    isBrokenPipe(new LocalError('EIO', 'cannot write')).should.equal(false);
    isBrokenPipe(null).should.equal(false);
  });
});
