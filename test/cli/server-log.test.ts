import should = require('should');
import { ServerLog, logLine } from '../../src/cli/server-log';
import { LocalError } from '../../src/protocol/errors';
import { FakeIo } from './fake-io';
import { transferRecord } from './record';
import type { TransferRecord } from '../../src/net/transfer-record';

const FAILED: Partial<TransferRecord> = {
  event: 'error',
  finished: '2026-01-02T03:04:06.000Z',
  error: { code: 'ENOENT', tftpCode: 1, message: 'File\nnot found' },
  trace: ['+0.0 ms <- RRQ', '+0.1 ms -> ERROR 1'],
};

describe('the log of serve', () => {
  const table: [changes: Partial<TransferRecord>, outcome: string][] = [
    [{ event: 'start' }, 'started'],
    [{ event: 'complete' }, '1.2 MB in 0.4 s, 3.0 MB/s'],
    [
      { event: 'complete', finalAck: false },
      '1.2 MB in 0.4 s, 3.0 MB/s, last block never acknowledged',
    ],
    [{ event: 'probe' }, 'asked for the size only'],
    [{ ...FAILED, finished: '2026-01-02T03:04:05.678Z' }, 'failed: File not found (ENOENT)'],
    [
      {
        event: 'error',
        error: { code: 'ETOOLARGE', tftpCode: 3, message: 'The file is larger than allowed' },
      },
      'failed: The file is larger than allowed (ETOOLARGE); to allow larger files, raise --max-upload',
    ],
    [
      {
        ...FAILED,
        finished: '2026-01-02T03:04:05.678Z',
        error: { code: 'ENOENT', tftpCode: 1, message: 'File not found', expected: true },
      },
      'expected: File not found (ENOENT)',
    ],
  ];
  for (const [changes, outcome] of table) {
    it(`tells of ${changes.event}: ${outcome}`, () => {
      logLine(transferRecord({ role: 'server', ...changes })).should.equal(
        `2026-01-02T03:04:05.678Z 192.0.2.7:40000 read boot/firmware.bin: ${outcome}`,
      );
    });
  }

  it('puts IPv6 addresses in brackets, and no control characters on the screen', () => {
    const record = transferRecord({ event: 'start', host: '::1', filename: 'a\u001B[2J\nb' });
    should(logLine(record)).equal('2026-01-02T03:04:05.678Z [::1]:40000 read a [2J b: started');
  });

  it('tells of endings; with -v of beginnings and of the packets of failures too', () => {
    printed({ json: false, verbose: false }).length.should.equal(1);
    printed({ json: false, verbose: true })
      .join('\n')
      .should.match(/^.*started\n.*failed: .*\n {2}\+0\.0.*\n {2}\+0\.1.*$/);
  });

  it('tells of alarms, and as JSON of problems', () => {
    const alarm = {
      host: '192.0.2.7',
      misses: 100,
      names: ['a', 'b'],
      since: '2026-01-02T03:04:05.678Z',
    };
    const problem = new LocalError('EIO', 'broken');
    const said = [false, true].map((json) => {
      const io = new FakeIo();
      const log = new ServerLog(io, { json, verbose: false });
      log.alarm(alarm);
      log.problem(problem);
      return io.out;
    });
    should(said[0]).equal(
      '2026-01-02T03:04:05.678Z 192.0.2.7 alarm: requested 100 missing files and may be guessing file names\n',
    );
    const lines = said[1]!
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    should(lines).eql([
      { event: 'alarm', ...alarm },
      { event: 'problem', code: 'EIO', message: 'broken' },
    ]);
  });

  it('prints every record as JSON', () => {
    const lines = printed({ json: true, verbose: false });
    lines
      .map((line): TransferRecord => JSON.parse(line))
      .map(({ event }) => event)
      .should.deepEqual(['start', 'progress', 'error']);
  });
});

function printed(settings: { json: boolean; verbose: boolean }): string[] {
  const io = new FakeIo();
  const log = new ServerLog(io, settings);
  log.transfer(transferRecord({ event: 'start' }));
  log.transfer(transferRecord());
  log.transfer(transferRecord(FAILED));
  return io.out.trimEnd().split('\n');
}
