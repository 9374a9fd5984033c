import should = require('should');
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { COMMANDS } from '../../src/cli/command-table';
import { run } from '../../src/cli/main';
import { ON_LINUX, skipUnless } from '../helpers/skip';
import { FakeIo } from './fake-io';

const HASH = '0'.repeat(63);

describe('red-tftp', () => {
  const usage: [argv: string[], says: RegExp][] = [
    [[], /no command was given; use serve, get, put, stat or map-test/],
    [['fetch'], /"fetch" is no command; use serve, get, put, stat or map-test/],
    [['map-test', 'rules'], /map-test takes FILE NAME, not "rules"; see red-tftp map-test --help/],
    [['map-test', 'rules', 'name', '--client', 'x'], /--client is "x": it must be an IP address/],
    [['get'], /get takes URL, not ""; see red-tftp get --help/],
    [['get', 'tftp://h/f', '--bogus'], /unknown option '--bogus'; see red-tftp get --help/],
    [
      ['get', 'host:phone.cfg'],
      /"host:phone.cfg" is no TFTP URL; write it as tftp:\/\/host\/phone.cfg/,
    ],
    [['get', 'http://host/f'], /"http:\/\/host\/f" is no TFTP URL; write it as tftp:\/\/host\/f/],
    [['get', 'tftp://h/f;mode=mail'], /the mode must be octet or netascii/],
    [['get', 'tftp://h/f', '--mode', 'mail'], /--mode is "mail": it must be octet or netascii/],
    [['get', 'tftp://h/folder/'], /gives no name for a local file; choose one with -o/],
    [['get', 'tftp://h/..'], /gives no name for a local file; choose one with -o/],
    [['get', 'tftp://h/f', '--blksize', '7'], /blksize is 7: it must be a whole number from 8/],
    [['get', 'tftp://h/f', '--retries', '101'], /retries is 101: it must be /],
    [['get', 'tftp://h/f', '--timeout', '999'], /--timeout is "999": it must be seconds/],
    [['get', 'tftp://h/f', '--sha256', HASH], /--sha256 is "0+": it must be 64 hexadecimal/],
    [['put', '-', 'tftp://h/f', '--sha256', 'x'], /--sha256 is "x": it must be 64 hexadecimal/],
    [
      ['get', 'tftp://h/f', '--no-options', '--timeout', '1'],
      /--no-options and --timeout contradict each other; leave one/,
    ],
    [['serve', '--port', '65536'], /port is 65536: it must be /],
    [['serve', '--allow', 'everybody'], /everybody is no network: give /],
    [['serve', '--deny', 'everybody'], /everybody is no network: give /],
    [['serve', '--unique-root', 'name'], /--unique-root/],
    [['serve', '--overwrite', 'never'], /--overwrite is "never": it must be refuse or /],
    [['serve', '--single-port', '--port-range', '1:2'], /exclude each other: give one of them/],
    [['serve', '--port-range', '1'], /--port-range is "1": it must be two ports, such as /],
    [['serve', '--port-range', '2:1'], /transferPorts is 1: it must be a whole number from 2 /],
  ];
  for (const [argv, says] of usage) {
    it(`ends with 2 and one line for: ${argv.join(' ')}`, async () => {
      const io = new FakeIo();
      (await run(argv, io)).should.equal(2);
      should(io.err).match(/^red-tftp: [^\n]+\n$/);
      io.err.should.match(says);
      io.out.should.equal('');
    });
  }

  it('ends with 4 if systemd passes no UDP socket', async function () {
    skipUnless(this, ON_LINUX, 'only Linux has systemd');
    const io = new FakeIo({ env: { LISTEN_FDS: '1', LISTEN_PID: `${process.pid}` } });
    (await run(['serve', '--port', '0'], io)).should.equal(4);
    io.err.should.match(/^red-tftp: File descriptor 3 is no bound UDP socket: [^\n]+\n$/);
  });

  it('prints the version of the package', async () => {
    const io = new FakeIo();
    const file = path.join(__dirname, '../../../package.json');
    const { version }: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
    (await run(['--version'], io)).should.equal(0);
    io.out.should.equal(`${version}\n`);
  });

  it('prints its help, and that of each command', async () => {
    for (const flag of ['--help', '-h']) {
      const io = new FakeIo();
      (await run([flag], io)).should.equal(0);
      io.out.should.containEql('Usage:');
    }
    for (const { name } of COMMANDS) {
      const io = new FakeIo();
      (await run([name, '--help'], io)).should.equal(0);
      io.out.should.startWith(`Usage: red-tftp ${name} `);
      io.err.should.equal('');
    }
  });

  it('shows the stack of an error with -v only', async () => {
    const quiet = new FakeIo();
    await run(['serve', '--port', '65536'], quiet);
    quiet.err.should.not.containEql('    at ');
    const verbose = new FakeIo();
    await run(['serve', '--port', '65536', '-v'], verbose);
    verbose.err.should.containEql('    at ');
  });
});
