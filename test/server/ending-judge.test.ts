import should = require('should');
import {
  CancelError,
  LocalError,
  PeerError,
  ProtocolError,
  TimeoutError,
} from '../../src/protocol/errors';
import type { TftpError } from '../../src/protocol/errors';
import { EndingJudge } from '../../src/server/ending-judge';
import { parseServerOptions } from '../../src/server/server-options';
import type { ServerOptions } from '../../src/server/server-options';
import { MemoryStorage } from '../../src/storage/memory-storage';

const PI = ['set:raspberry-pi'];
const UEFI = ['set:uefi'];
const PHONES = ['set:yealink', 'set:grandstream', 'set:snom'];
const ALL = [...PI, ...UEFI, ...PHONES, 'set:cisco', 'set:polycom', '**'];

type Row = readonly [
  expectedMisses: readonly string[],
  error: TftpError,
  stage: 'OACK' | 'DATA',
  meaning: string,
];

/** Reads, and what their failures mean. */
const READS: readonly Row[] = [
  [[], new PeerError(0, 'TFTP Aborted'), 'OACK', 'probe'],
  [[], new PeerError(8, 'User aborted the transfer'), 'OACK', 'probe'],
  [[], new PeerError(4, 'Malformatted OACK'), 'OACK', 'failure'],
  [[], new PeerError(0, 'Early terminate'), 'DATA', 'failure'],
  [PI, new PeerError(0, 'Early terminate'), 'OACK', 'probe'],
  [PI, new PeerError(0, 'Early terminate'), 'DATA', 'expected'],
  [UEFI, new PeerError(0, 'closed'), 'DATA', 'expected'],
  [UEFI, new PeerError(8, 'User aborted the transfer'), 'DATA', 'failure'],
  [PHONES, new PeerError(0, ''), 'DATA', 'failure'],
  // Only the code counts: a text may be anything.
  [PI, new PeerError(0, 'disk full'), 'DATA', 'expected'],
  [ALL, new PeerError(3, 'closed'), 'OACK', 'failure'],
  [ALL, new PeerError(3, 'closed'), 'DATA', 'failure'],
  [ALL, new PeerError(1, 'File not found'), 'DATA', 'failure'],
  [ALL, new PeerError(5, ''), 'DATA', 'failure'],
  [ALL, new TimeoutError('silent'), 'OACK', 'failure'],
  [ALL, new TimeoutError('silent'), 'DATA', 'failure'],
  [ALL, new ProtocolError('EBADOP', ''), 'DATA', 'failure'],
  [ALL, new CancelError(), 'DATA', 'failure'],
  [ALL, new LocalError('ECONNREFUSED', ''), 'DATA', 'failure'],
  [ALL, new LocalError('EUNDEF', ''), 'OACK', 'failure'],
  [ALL, new LocalError('EACCES', ''), 'OACK', 'failure'],
  [ALL, new LocalError('ENOENT', ''), 'OACK', 'expected'],
  [PI, new LocalError('ENOENT', ''), 'OACK', 'failure'],
];

function judgeOf(options: Partial<ServerOptions>): EndingJudge {
  return new EndingJudge(parseServerOptions({ storage: new MemoryStorage(), ...options }));
}

function request(type: 'RRQ' | 'WRQ', filename: string) {
  return { type, filename, mode: 'octet', options: [] } as const;
}

describe('EndingJudge', () => {
  for (const [expectedMisses, error, stage, meaning] of READS) {
    const what = `${error.name} ${error.code} "${error.message}" after the ${stage}`;
    it(`a read with ${what}, told [${expectedMisses.join()}]: ${meaning}`, () => {
      const judge = judgeOf({ expectedMisses });
      should(judge.meaning(request('RRQ', 'kernel.img'), error, stage === 'DATA')).equal(meaning);
      should(judge.meaning(request('WRQ', 'kernel.img'), error, stage === 'DATA')).equal('failure');
    });
  }

  it('without probes, only where a device is known for it', () => {
    const table = [
      [[], 0, 'failure'],
      [[], 8, 'failure'],
      [UEFI, 8, 'probe'],
      [PI, 0, 'probe'],
      [PI, 8, 'failure'],
      [PHONES, 0, 'failure'],
    ] as const;
    for (const [expectedMisses, code, meaning] of table) {
      const judge = judgeOf({ expectedMisses, probes: false });
      const error = new PeerError(code, '');
      should(judge.meaning(request('RRQ', 'f'), error, false)).equal(meaning);
    }
  });

  it('compares names as they are looked up, and without what a PXE ROM appends', () => {
    const judge = judgeOf({ expectedMisses: ['set:pxelinux', 'a/b'] });
    for (const name of ['a/b', '\\A\\B', '/a//./b', 'a/b\udcff']) {
      const missing = new LocalError('ENOENT', '');
      should(judge.meaning(request('RRQ', name), missing, false)).equal('expected', name);
    }
  });
});
