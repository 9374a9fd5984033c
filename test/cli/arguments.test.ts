import should = require('should');
import { givenOnly, parseArguments } from '../../src/cli/arguments';
import { COMMANDS } from '../../src/cli/command-table';
import type { Arguments } from '../../src/cli/arguments';

describe('arguments', () => {
  it('takes operands and flags in any order', () => {
    const args = parse('put', 'a.bin', '--blksize', '512', 'tftp://h/a', '--json', '--retries=2');
    args.operands.should.deepEqual(['a.bin', 'tftp://h/a']);
    should(args.number('blksize')).equal(512);
    should(args.number('retries')).equal(2);
    args.has('json').should.equal(true);
    args.has('trace').should.equal(false);
  });

  it('takes - as a value and as an operand', () => {
    should(parse('get', 'tftp://h/a', '-o', '-').text('output')).equal('-');
    parse('put', '-', 'tftp://h/a').operands.should.deepEqual(['-', 'tftp://h/a']);
  });

  it('collects what may be repeated', () => {
    const args = parse('serve', '--allow', '10.0.0.0/8', '--allow', 'any');
    args.list('allow').should.deepEqual(['10.0.0.0/8', 'any']);
    parse('serve').list('allow').should.deepEqual([]);
  });

  it('takes a whole number or a word', () => {
    const windowsize = (text: string) =>
      parse('get', 'tftp://h/a', '--windowsize', text).numberOr('auto', 'windowsize');
    should(windowsize('auto')).equal('auto');
    should(windowsize('64')).equal(64);
    should(parse('get', 'tftp://h/a').numberOr('auto', 'windowsize')).equal(undefined);
    should(() => windowsize('much')).throw(
      '--windowsize is "much": it must be a whole number or auto',
      { code: 'EINVAL' },
    );
  });

  it('is undefined for what was not given', () => {
    const args = parse('get', 'tftp://h/a');
    should(args.text('output')).equal(undefined);
    should(args.number('blksize')).equal(undefined);
    should(args.seconds('timeout')).equal(undefined);
    should(args.bytes('max-size')).equal(undefined);
    should(args.choice('mode', ['octet'])).equal(undefined);
  });

  const good: [
    reader: 'number' | 'seconds' | 'bytes',
    flag: string,
    text: string,
    value: number,
  ][] = [
    ['number', 'blksize', '0', 0],
    ['number', 'blksize', '65464', 65_464],
    ['seconds', 'timeout', '1', 1000],
    ['seconds', 'timeout', '0.05', 50],
    ['seconds', 'timeout', '.5', 500],
    ['seconds', 'timeout', '255', 255_000],
    ['bytes', 'max-size', '0', 0],
    ['bytes', 'max-size', '1000', 1000],
    ['bytes', 'max-size', '64k', 65_536],
    ['bytes', 'max-size', '10M', 10_485_760],
    ['bytes', 'max-size', '2G', 2_147_483_648],
  ];
  for (const [reader, flag, text, value] of good) {
    it(`reads --${flag} ${text} as ${value}`, () => {
      should(parse('get', 'tftp://h/a', `--${flag}=${text}`)[reader](flag)).equal(value);
    });
  }

  const bad: [reader: 'number' | 'seconds' | 'bytes', flag: string, text: string][] = [
    ['number', 'blksize', ''],
    ['number', 'blksize', 'many'],
    ['number', 'blksize', '-1'],
    ['number', 'blksize', '1.5'],
    ['number', 'blksize', '0x10'],
    ['number', 'blksize', '9999999999999999'],
    ['seconds', 'timeout', '0'],
    ['seconds', 'timeout', '0.009'],
    ['seconds', 'timeout', '256'],
    ['seconds', 'timeout', '1s'],
    ['seconds', 'timeout', '.'],
    ['bytes', 'max-size', ''],
    ['bytes', 'max-size', '1T'],
    ['bytes', 'max-size', 'k'],
    ['bytes', 'max-size', '999999999999999G'],
  ];
  for (const [reader, flag, text] of bad) {
    it(`refuses --${flag} "${text}" and says what it may be`, () => {
      const args = parse('get', 'tftp://h/a', `--${flag}=${text}`);
      should(() => args[reader](flag)).throw(new RegExp(`^--${flag} is ".*": it must be `), {
        code: 'EINVAL',
      });
    });
  }

  it('reads a range of ports', () => {
    should(parse('serve', '--port-range', '50000:50100').range('port-range')).eql([50000, 50100]);
    should(parse('serve').range('port-range')).equal(undefined);
    for (const text of ['', '50000', '50000-50100', '1:2:3', ':', '1:1000000']) {
      should(() => parse('serve', `--port-range=${text}`).range('port-range')).throw(
        `--port-range is "${text}": it must be two ports, such as 50000:50100`,
        { code: 'EINVAL' },
      );
    }
  });

  it('refuses what is not among the choices', () => {
    const args = parse('get', 'tftp://h/a', '--mode', 'mail');
    should(() => args.choice('mode', ['octet', 'netascii'])).throw(
      '--mode is "mail": it must be octet or netascii',
    );
  });

  const usage: [argv: string[], message: string][] = [
    [['get', 'tftp://h/a', '--bogus'], "unknown option '--bogus'; see red-tftp get --help"],
    [['get', 'tftp://h/a', '-x'], "unknown option '-x'; see red-tftp get --help"],
    [['get'], 'get takes URL, not ""; see red-tftp get --help'],
    [['get', 'a', 'b'], 'get takes URL, not "a b"; see red-tftp get --help'],
    [['put', 'a'], 'put takes FILE URL, not "a"; see red-tftp put --help'],
    [['serve', 'a'], 'serve takes no file or URL, not "a"; see red-tftp serve --help'],
    [['stat', 'u', '--blksize', '8'], "unknown option '--blksize'; see red-tftp stat --help"],
  ];
  for (const [argv, message] of usage) {
    it(`refuses ${argv.join(' ')}`, () => {
      should(() => parse(argv[0], ...argv.slice(1))).throw(message, { code: 'EINVAL' });
    });
  }

  it('keeps what the parser of Node says to one line', () => {
    for (const flags of [['--blksize'], ['--blksize', '-1'], ['--json=yes']]) {
      should(() => parse('get', 'tftp://h/a', ...flags)).throw(
        /^option '[^\n]+; see red-tftp get --help$/,
      );
    }
  });

  it('needs nothing else beside --help', () => {
    parse('put', '--help').has('help').should.equal(true);
    parse('get', '-h').has('help').should.equal(true);
  });

  it('leaves out what is undefined', () => {
    const options = givenOnly<{ a?: number; b?: null; c?: number }>({
      a: 1,
      b: null,
      c: undefined,
    });
    Object.keys(options).should.deepEqual(['a', 'b']);
  });
});

function parse(name: string | undefined, ...argv: string[]): Arguments {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) throw new Error(`no command ${name}`);
  return parseArguments(command, argv);
}
