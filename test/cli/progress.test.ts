import should = require('should');
import {
  ProgressBar,
  baseName,
  formatBytes,
  formatDuration,
  progressLine,
  summary,
} from '../../src/cli/progress';
import { FakeIo } from './fake-io';
import { transferRecord } from './record';

describe('progress', () => {
  it('draws name, bar, percent, bytes, rate and the rest of the time', () => {
    progressLine(transferRecord(), 80).should.equal(
      'firmware.bin  [=============              ]   50%  1.2 MB  3.1 MB/s  0.4 s left',
    );
  });

  it('keeps one column free, whatever the width', () => {
    for (let columns = 20; columns <= 200; columns += 1) {
      progressLine(transferRecord(), columns).length.should.be.below(columns);
    }
  });

  it('fills the bar at 100 %', () => {
    progressLine(transferRecord({ percent: 100, eta: 0 }), 80).should.match(/\[=+\]  100%/);
  });

  it('leaves out the bar where there is no room, then the end of the line', () => {
    progressLine(transferRecord(), 60).should.equal(
      'firmware.bin   50%  1.2 MB  3.1 MB/s  0.4 s left',
    );
    progressLine(transferRecord(), 24).should.equal('firmware.bin   50%  1.2');
  });

  it('shows bytes and rate while the size is not known', () => {
    const record = transferRecord({ size: null, percent: null, eta: null });
    progressLine(record, 80).should.equal('firmware.bin  1.2 MB  3.1 MB/s');
  });

  it('says that the peer is silent', () => {
    const retry = { attempt: 2, retries: 6 };
    progressLine(transferRecord({ percent: null, retry }), 80).should.equal(
      'firmware.bin  no answer, retry 2 of 6',
    );
  });

  it('shows no control characters of a file name', () => {
    const record = transferRecord({ filename: 'a\u001B[2J\r\nb', percent: null, eta: null });
    progressLine(record, 80).should.startWith('a [2J b  ');
  });

  it('draws over itself and leaves an empty line', () => {
    const io = new FakeIo({ isTTY: true });
    const bar = new ProgressBar(io);
    bar.clear();
    io.err.should.equal('');
    bar.show(transferRecord());
    bar.clear();
    bar.clear();
    io.err.should.equal(`\r\u001B[K${progressLine(transferRecord(), 80)}\r\u001B[K`);
  });

  it('sums up a transfer', () => {
    summary(transferRecord()).should.equal('1.2 MB in 0.4 s, 3.0 MB/s');
  });

  it('counts bytes in decimal units', () => {
    const table: [number, string][] = [
      [0, '0 B'],
      [999, '999 B'],
      [999.96, '1.0 kB'],
      [1000, '1.0 kB'],
      [1_234_567, '1.2 MB'],
      [999_949, '999.9 kB'],
      [999_960, '1.0 MB'],
      [5.5e9, '5.5 GB'],
      [2e15, '2000.0 TB'],
    ];
    for (const [bytes, text] of table) formatBytes(bytes).should.equal(text);
  });

  it('counts time in seconds, then minutes, then hours', () => {
    const table: [number, string][] = [
      [0, '0.0 s'],
      [59_949, '59.9 s'],
      [59_950, '1:00'],
      [65_000, '1:05'],
      [3_605_000, '1:00:05'],
    ];
    for (const [milliseconds, text] of table) formatDuration(milliseconds).should.equal(text);
  });

  it('takes the base name behind slashes of both kinds', () => {
    baseName('a/b').should.equal('b');
    baseName('a\\b').should.equal('b');
    baseName('b').should.equal('b');
    should(baseName('b/')).equal('');
  });
});
