import should = require('should');
import { CLIENT_DEFAULTS, parseClientOptions } from '../../src/client/client-options';
import type { ClientOptions } from '../../src/client/client-options';
import { clientFor, closeEnginesAfterEach, failureOf } from '../helpers/engine';

describe('parseClientOptions', () => {
  it('fills in the defaults', () => {
    should(parseClientOptions({ host: 'h' })).eql({ ...CLIENT_DEFAULTS, host: 'h' });
    should(CLIENT_DEFAULTS).eql({
      port: 69,
      anyAddress: false,
      mode: 'octet',
      blksize: 1428,
      windowsize: 16,
      timeout: null,
      retries: 6,
      tsize: true,
      rollover: null,
      maxSize: Infinity,
      deadline: 0,
      progressInterval: 1000,
    });
  });

  it('lets later layers win, but not where they say undefined', () => {
    const later: ClientOptions = { port: 70, ...({ host: undefined } as object) };
    should(parseClientOptions({ host: 'h', port: 1, blksize: null }, later)).have.properties({
      host: 'h',
      port: 70,
      blksize: null,
    });
  });

  const bad: ReadonlyArray<readonly [name: string, ...values: unknown[]]> = [
    ['host', '', 5],
    ['port', 0, 65536, 1.5, '69', null],
    ['anyAddress', 'yes', 1, null],
    ['mode', 'mail', 'OCTET'],
    ['blksize', 7, 65465, 512.5, '512'],
    ['windowsize', 0, 65536, 'all', '16'],
    ['timeout', 9, 255_001],
    ['retries', -1, 101, null],
    ['rollover', 2, '1'],
    ['maxSize', -1, NaN, '5'],
    ['deadline', -1, 2 ** 31],
    ['progressInterval', -1, 2 ** 31],
    ['localPort', -1, 65536, [7], [9, 8], [0, 70_000], 'any'],
    ['localAddress', 'localhost', '1.2.3'],
    ['sha256', 'abc', 'g'.repeat(64)],
    ['md5', 'abc', 'g'.repeat(32)],
  ];
  for (const [name, ...values] of bad) {
    for (const value of values) {
      it(`refuses ${name}: ${JSON.stringify(value)}`, () => {
        should(() => parseClientOptions({ host: 'h', [name]: value })).throw(
          new RegExp(`^${name} .*(must|give) `),
          { code: 'EINVAL', name: 'LocalError' },
        );
      });
    }
  }

  for (const options of [
    { localPort: 5000 },
    { localPort: [5000, 5000] },
    { localAddress: '127.0.0.1' },
    { localAddress: '::1' },
    { localAddress: '' },
    { maxSize: 0 },
    { rollover: 0 },
    { anyAddress: true },
    { windowsize: 'auto', blksize: 65464 },
    { sha256: 'aB'.repeat(32), md5: '0'.repeat(32) },
  ] as ClientOptions[]) {
    it(`takes ${JSON.stringify(options)}`, () => {
      should(parseClientOptions({ host: 'h' }, options)).have.properties(options);
    });
  }

  it('refuses a window that is too large for memory', () => {
    const options = { host: 'h', blksize: 65464, windowsize: 65535 };
    should(() => parseClientOptions(options)).throw(
      /windowsize times blksize .* make one .* smaller/,
    );
  });
});

describe('TftpClient, with an option that cannot be used', () => {
  closeEnginesAfterEach();

  it('rejects with EINVAL before it does anything', async () => {
    const client = clientFor({ address: '127.0.0.1', port: 69 });
    const opened: string[] = [];
    const content = {
      [Symbol.asyncIterator]() {
        opened.push('content');
        return { next: () => Promise.resolve({ done: true as const, value: undefined }) };
      },
    };
    for (const call of [
      client.get('f', { blksize: 1 }),
      client.getFile('/nowhere/f', 'f', { blksize: 1 }),
      client.put(content, 'f', { blksize: 1 }),
      client.stat('f', { blksize: 1 }),
    ]) {
      should((await failureOf(call)).code).equal('EINVAL');
    }
    should(opened).eql([]);
  });
});
