import fc = require('fast-check');
import should = require('should');
import { decodeRequest } from '../../src/protocol/decode';
import { encode } from '../../src/protocol/encode';
import { isTftpError } from '../../src/protocol/errors';
import {
  DEFAULT_OPTIONS,
  confirmOptions,
  grantOptions,
  requestOptions,
} from '../../src/protocol/options';
import type {
  GrantedOptions,
  NegotiatedOptions,
  OptionLimits,
  WantedOptions,
} from '../../src/protocol/options';
import type { WireOption } from '../../src/protocol/packet';
import { options } from '../helpers/script';

/** The limits that a server has by default. */
const LIMITS: OptionLimits = { blksizeMax: 1468, windowsizeMax: 64 };
const NO_LIMITS: OptionLimits = { blksizeMax: 65464, windowsizeMax: 65535 };

type Transfer = Parameters<typeof grantOptions>[2];
const READ: Transfer = { direction: 'read', mode: 'octet', size: 1000 };

/** The oracle's numbers: digit by digit, at most 20, and exact. */
function slowNumber(text: string): number | undefined {
  if (text === '' || text.length > 20) return undefined;
  let number = 0n;
  for (const digit of text) {
    const value = '0123456789'.indexOf(digit);
    if (value === -1) return undefined;
    number = number * 10n + BigInt(value);
  }
  return number < 2n ** 53n ? Number(number) : undefined;
}

/** The largest number from `least` to `most` that passes, found by trying each. */
function largest(least: number, most: number, passes: (n: number) => boolean): number | undefined {
  for (let n = most; n >= least; n -= 1) if (passes(n)) return n;
  return undefined;
}

/** The oracle's block size for one option, by trying sizes. */
function slowBlksize(option: WireOption, limits: OptionLimits): number | undefined {
  const number = slowNumber(option.value);
  if (number === undefined || number < 8 || number > 65464) return undefined;
  const powers = Array.from({ length: 16 }, (_, i) => 2 ** i);
  if (option.name === 'blksize') return largest(8, limits.blksizeMax, (n) => n <= number);
  if (option.name !== 'blksize2') return undefined;
  return powers.findLast((n) => n <= number && n <= limits.blksizeMax);
}

/** The oracle for a server's answer: each option by itself, in plain words of the RFCs. */
function slowGrant(
  asked: readonly WireOption[],
  limits: OptionLimits,
  transfer: Transfer,
): GrantedOptions {
  const number = (name: string) => slowNumber(asked.find((o) => o.name === name)?.value ?? '');
  const rollover = number('rollover') === 1 ? 1 : 0;
  const sized = asked.find((option) => slowBlksize(option, limits) !== undefined);
  const blksize = sized ? slowBlksize(sized, limits)! : 512;
  const timed = asked.find(({ name, value }) => slowMilliseconds(name, value) !== undefined);

  const answerOf = (option: WireOption): string | undefined => {
    const { name, value } = option;
    const n = slowNumber(value);
    if (n === undefined) return undefined;
    if (name === 'blksize' || name === 'blksize2') {
      return option === sized ? String(blksize) : undefined;
    }
    if (name === 'timeout' || name === 'utimeout') return option === timed ? value : undefined;
    if (name === 'rollover') return n <= 1 ? value : undefined;
    if (name === 'windowsize') {
      if (n < 1 || n > 65535) return undefined;
      const fits = (w: number) => w === 1 || w * blksize <= 4 * 1024 * 1024;
      const most = Math.min(limits.windowsizeMax, 65535 - rollover);
      return String(largest(1, most, (w) => w <= n && fits(w)));
    }
    if (name !== 'tsize') return undefined;
    if (transfer.direction === 'write') return String(n);
    return transfer.mode === 'octet' && transfer.size ? String(transfer.size) : undefined;
  };

  const oack = asked.flatMap((option) => {
    const value = answerOf(option);
    return value === undefined ? [] : [{ name: option.name, value }];
  });
  const told = (name: string) => oack.find((o) => o.name === name)?.value;
  const milliseconds = timed && slowMilliseconds(timed.name, timed.value);
  return {
    oack,
    options: {
      blksize,
      windowsize: Number(told('windowsize') ?? 1),
      rollover,
      ...(milliseconds === undefined ? {} : { timeout: milliseconds }),
      ...(told('tsize') === undefined ? {} : { tsize: Number(told('tsize')) }),
    },
  };
}

function slowMilliseconds(name: string, value: string): number | undefined {
  const n = slowNumber(value);
  if (n === undefined) return undefined;
  if (name === 'timeout') return n >= 1 && n <= 255 ? n * 1000 : undefined;
  if (name === 'utimeout') return n >= 10_000 && n <= 255_000_000 ? n / 1000 : undefined;
  return undefined;
}

/** The oracle for a client's reading of an OACK: undefined where the client must refuse. */
function slowConfirm(
  asked: readonly WireOption[],
  oack: readonly WireOption[],
): NegotiatedOptions | undefined {
  let result: NegotiatedOptions = DEFAULT_OPTIONS;
  for (const { name, value } of oack) {
    const wanted = slowNumber(asked.find((o) => o.name === name)?.value ?? '');
    const got = slowNumber(value);
    if (wanted === undefined) return undefined;
    if (got === undefined) {
      if (name === 'blksize' || name === 'rollover') return undefined;
      continue;
    }
    const exact = ['timeout', 'utimeout', 'rollover'].includes(name);
    if (exact && got !== wanted) return undefined;
    if (name === 'blksize' && !(got >= 8 && got <= wanted)) return undefined;
    if (name === 'windowsize' && !(got >= 1 && got <= wanted)) return undefined;
    const field = name === 'utimeout' ? 'timeout' : name;
    result = {
      ...result,
      [field]: exact && field === 'timeout' ? slowMilliseconds(name, value) : got,
    };
  }
  return result;
}

const NAMES = ['blksize', 'blksize2', 'timeout', 'utimeout', 'tsize', 'windowsize', 'rollover'];

const value = fc.oneof(
  fc.nat(70_000).map(String),
  fc.constantFrom('0', '1', '2', '7', '8', '255', '256', '512', '65464', '65465', '65535', '65536'),
  fc.constantFrom('9999', '10000', '255000000', '255000001', '500000', '1468', '1469', '1048576'),
  fc.constantFrom(
    '',
    ' 8',
    '-1',
    '+8',
    '1e3',
    '0x10',
    '8.0',
    'abc',
    '٣',
    '01',
    '00',
    '0512',
    '8\n',
  ),
  fc.constantFrom(
    '9007199254740991',
    '9007199254740992',
    '00000000000000000512',
    '000000000000000000512',
  ),
);

/** Options as the parser gives them: every name once, some unknown. */
const asked = fc.uniqueArray(
  fc.record({ name: fc.constantFrom(...NAMES, 'multicast', 'x'), value }),
  { selector: ({ name }) => name },
);

const limits = fc.record({
  blksizeMax: fc.constantFrom(8, 9, 512, 1428, 1468, 65464),
  windowsizeMax: fc.constantFrom(1, 2, 64, 65535),
});

const transfer: fc.Arbitrary<Transfer> = fc.record({
  direction: fc.constantFrom('read', 'write'),
  mode: fc.constantFrom('octet', 'netascii'),
  size: fc.constantFrom(undefined, 0, 1, 2 ** 40),
});

const wanted: fc.Arbitrary<WantedOptions> = fc.record(
  {
    blksize: fc.integer({ min: 8, max: 65464 }),
    windowsize: fc.integer({ min: 1, max: 65535 }),
    timeout: fc.oneof(
      fc.integer({ min: 1, max: 255 }).map((s) => s * 1000),
      fc.constant(1500),
    ),
    tsize: fc.nat(),
    rollover: fc.constantFrom(0, 1),
  },
  { requiredKeys: [] },
);

describe('requestOptions', () => {
  it('asks in the order that picky servers want: blksize first', () => {
    const all = { rollover: 1, windowsize: 16, timeout: 3000, tsize: 0, blksize: 1428 } as const;
    should(requestOptions(all)).deepEqual(
      options('blksize=1428 tsize=0 timeout=3 windowsize=16 rollover=1'),
    );
  });

  it('asks nothing that is not wanted', () => {
    should(requestOptions({})).deepEqual([]);
    should(requestOptions({ rollover: 0 })).deepEqual(options('rollover=0'));
  });

  it('asks for parts of a second as utimeout, in microseconds', () => {
    should(requestOptions({ timeout: 500 })).deepEqual(options('utimeout=500000'));
    should(requestOptions({ timeout: 10.0005 })).deepEqual(options('utimeout=10001'));
  });
});

describe('grantOptions', () => {
  const granted = (text: string, to = LIMITS, on = READ) =>
    grantOptions(options(text), to, on)
      .oack.map((o) => `${o.name}=${o.value}`)
      .join(' ');

  it('grants like the oracle', () => {
    fc.assert(
      fc.property(asked, limits, transfer, (request, to, on) => {
        should(grantOptions(request, to, on)).deepEqual(slowGrant(request, to, on));
      }),
      { numRuns: 2000 },
    );
  });

  it('grants nothing where nothing is asked', () => {
    should(grantOptions([], LIMITS, READ)).deepEqual({ oack: [], options: DEFAULT_OPTIONS });
  });

  it('answers in the order asked, and only what it knows', () => {
    should(granted('windowsize=8 x=1 tsize=0 blksize=1024')).equal(
      'windowsize=8 tsize=1000 blksize=1024',
    );
  });

  it('never grants more than was asked, nor more than its limits', () => {
    should(granted('blksize=65464 windowsize=65535')).equal('blksize=1468 windowsize=64');
    should(granted('blksize=600 windowsize=3')).equal('blksize=600 windowsize=3');
  });

  it('drops a bad value and keeps the others', () => {
    should(granted('blksize=abc timeout=0 windowsize=0 rollover=2 tsize=0')).equal('tsize=1000');
    should(granted('blksize=7 tsize=-1 timeout=256 utimeout=9999 windowsize=4')).equal(
      'windowsize=4',
    );
  });

  it('reads numbers of at most 20 digits', () => {
    should(granted('blksize=00000000000000000512')).equal('blksize=512');
    should(granted('blksize=000000000000000000512')).equal('');
    should(granted('tsize=99999999999999999999', LIMITS, { ...READ, direction: 'write' })).equal(
      '',
    );
  });

  it('rounds blksize2 down to a power of two', () => {
    should(granted('blksize2=1468')).equal('blksize2=1024');
    should(granted('blksize2=1024')).equal('blksize2=1024');
    should(granted('blksize2=8')).equal('blksize2=8');
  });

  it('grants the first of two options for the same thing', () => {
    should(granted('blksize2=600 blksize=700')).equal('blksize2=512');
    should(granted('blksize=0 blksize2=600')).equal('blksize2=512');
    should(granted('timeout=3 utimeout=500000')).equal('timeout=3');
    should(granted('timeout=0 utimeout=500000')).equal('utimeout=500000');
  });

  it('echoes a timeout exactly', () => {
    should(granted('timeout=003')).equal('timeout=003');
    should(grantOptions(options('timeout=003'), LIMITS, READ).options.timeout).equal(3000);
  });

  it('uses the rollover that it grants, however the number is written', () => {
    for (const text of ['rollover=1', 'rollover=01']) {
      should(granted(text)).equal(text);
      should(grantOptions(options(text), LIMITS, READ).options.rollover).equal(1);
    }
    should(grantOptions(options('rollover=0'), LIMITS, READ).options.rollover).equal(0);
  });

  it('bounds a window by memory, and by the numbers that the rollover leaves', () => {
    should(granted('blksize=65464 windowsize=65535', NO_LIMITS)).equal(
      'blksize=65464 windowsize=64',
    );
    should(granted('blksize=8 windowsize=65535', NO_LIMITS)).equal('blksize=8 windowsize=65535');
    should(granted('windowsize=65535 blksize=8 rollover=1', NO_LIMITS)).equal(
      'windowsize=65534 blksize=8 rollover=1',
    );
  });

  it('tells the size of a file on a read, where it is known and not zero', () => {
    should(granted('tsize=0')).equal('tsize=1000');
    should(granted('tsize=0', LIMITS, { ...READ, size: undefined })).equal('');
    should(granted('tsize=0', LIMITS, { ...READ, size: 0 })).equal('');
    should(granted('tsize=0', LIMITS, { ...READ, mode: 'netascii' })).equal('');
  });

  it('echoes the announced size on a write', () => {
    should(granted('tsize=7', LIMITS, { direction: 'write', mode: 'octet' })).equal('tsize=7');
    should(granted('tsize=0', LIMITS, { direction: 'write', mode: 'netascii' })).equal('tsize=0');
  });
});

/** What known clients send, and the OACK that they must get; the file has 26579 bytes. */
const PROFILES: readonly (readonly [client: string, request: string, oack: string])[] = [
  [
    'EDK2 asks for the size first',
    '\0\x01boot.efi\0octet\0tsize\x000\0blksize\x001468\0',
    '\0\x06tsize\x0026579\0blksize\x001468\0',
  ],
  [
    'EDK2 then asks for the data, in windows',
    '\0\x01boot.efi\0octet\0blksize\x001468\0windowsize\x004\0',
    '\0\x06blksize\x001468\0windowsize\x004\0',
  ],
  [
    'PXELINUX',
    '\0\x01pxelinux.cfg/default\0octet\0tsize\x000\0blksize\x001408\0',
    '\0\x06tsize\x0026579\0blksize\x001408\0',
  ],
  [
    'iPXE',
    '\0\x01undionly.kpxe\0octet\0blksize\x001432\0tsize\x000\0',
    '\0\x06blksize\x001432\0tsize\x0026579\0',
  ],
  [
    'GRUB',
    '\0\x01grub/grub.cfg\0octet\0blksize\x001024\0tsize\x000\0',
    '\0\x06blksize\x001024\0tsize\x0026579\0',
  ],
  [
    'U-Boot',
    '\0\x01C0A80001.img\0octet\0timeout\x005\0tsize\x000\0blksize\x001468\0windowsize\x001\0',
    '\0\x06timeout\x005\0tsize\x0026579\0blksize\x001468\0windowsize\x001\0',
  ],
  [
    'U-Boot with lwIP finds blksize only in the first place',
    '\0\x01Image\0octet\0blksize\x001468\0tsize\x000\0timeout\x005\0',
    '\0\x06blksize\x001468\0tsize\x0026579\0timeout\x005\0',
  ],
  [
    'curl',
    '\0\x01file\0octet\0tsize\x000\0blksize\x00512\0timeout\x006\0',
    '\0\x06tsize\x0026579\0blksize\x00512\0timeout\x006\0',
  ],
  [
    'Cisco with a large block size gets one that is not fragmented',
    '\0\x01network-confg\0octet\0blksize\x008192\0',
    '\0\x06blksize\x001468\0',
  ],
];

describe('grantOptions for known clients', () => {
  for (const [client, request, oack] of PROFILES) {
    it(client, () => {
      const decoded = decodeRequest(Buffer.from(request, 'latin1'));
      if (decoded.type !== 'request') throw new Error('The profile is no request');
      const size = 26_579;
      const granted = grantOptions(decoded.request.options, LIMITS, { ...READ, size });
      const bytes = encode({ type: 'OACK', options: granted.oack });
      should(Buffer.from(bytes).toString('latin1')).equal(oack);
    });
  }

  it('old Cisco IOS asks for nothing and gets no OACK', () => {
    const decoded = decodeRequest(Buffer.from('\0\x01router-confg\0octet\0', 'latin1'));
    if (decoded.type !== 'request') throw new Error('The profile is no request');
    should(grantOptions(decoded.request.options, LIMITS, READ).oack).deepEqual([]);
  });

  it('curl gets no size of an empty file, on which it would fail', () => {
    const asks = options('tsize=0 blksize=512 timeout=6');
    const { oack } = grantOptions(asks, LIMITS, { ...READ, size: 0 });
    should(oack).deepEqual(options('blksize=512 timeout=6'));
  });
});

describe('confirmOptions', () => {
  const confirmed = (request: string, oack: string) =>
    confirmOptions(options(request), options(oack));
  const refused = (request: string, oack: string) => {
    const result = confirmed(request, oack);
    if (!isTftpError(result)) throw new Error(`It was accepted: ${JSON.stringify(result)}`);
    should(result).have.properties({ name: 'ProtocolError', code: 'EOPTNEG', tftpCode: 8 });
    return result.message;
  };

  it('accepts and refuses like the oracle', () => {
    const pair = wanted.chain((wants) => {
      const request = requestOptions(wants);
      const near = request.map(({ name, value: text }) =>
        fc.record({
          name: fc.constant(name),
          value: fc.oneof(
            { weight: 6, arbitrary: fc.constant(text) },
            fc.integer({ min: -1, max: 1 }).map((d) => String(Number(text) + d)),
            value,
          ),
        }),
      );
      const stray = fc.option(fc.record({ name: fc.constantFrom(...NAMES, 'x'), value }), {
        nil: undefined,
        freq: 8,
      });
      return fc
        .tuple(fc.constant(request), fc.tuple(...near), fc.subarray(request), stray)
        .map(([asks, all, kept, extra]) => {
          const names = kept.map(({ name }) => name);
          const oack = all.filter(({ name }) => names.includes(name));
          const known = extra === undefined || names.includes(extra.name);
          return [asks, known ? oack : [...oack, extra]] as const;
        });
    });
    fc.assert(
      fc.property(pair, ([asks, oack]) => {
        const result = confirmOptions(asks, oack);
        const expected = slowConfirm(asks, oack);
        if (expected === undefined) should(isTftpError(result)).be.true();
        else should(result).deepEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('ends with the same options as the server that granted them', () => {
    fc.assert(
      fc.property(wanted, limits, transfer, (wants, to, on) => {
        const request = requestOptions(wants);
        const granted = grantOptions(request, to, on);
        should(confirmOptions(request, granted.oack)).deepEqual(granted.options);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes the defaults for what the server left out', () => {
    should(confirmed('blksize=1428 windowsize=16', '')).deepEqual(DEFAULT_OPTIONS);
  });

  it('takes smaller blocks and windows, in any order', () => {
    should(
      confirmed('blksize=1428 windowsize=16 tsize=0', 'tsize=99 windowsize=4 blksize=8'),
    ).deepEqual({ blksize: 8, windowsize: 4, tsize: 99, rollover: 0 });
  });

  it('refuses an option that was not asked', () => {
    should(refused('blksize=512', 'tsize=5')).equal(
      'The server granted tsize, which was not asked',
    );
  });

  it('refuses more than was asked, and less than the RFC allows', () => {
    should(refused('blksize=512', 'blksize=513')).equal(
      'The server granted blksize=513 where 512 was asked',
    );
    should(refused('blksize=512', 'blksize=7')).match(/blksize=7/);
    should(refused('windowsize=4', 'windowsize=5')).match(/windowsize=5/);
    should(refused('windowsize=4', 'windowsize=0')).match(/windowsize=0/);
  });

  it('refuses another timeout or rollover than was asked', () => {
    should(refused('timeout=3', 'timeout=2')).match(/timeout=2/);
    should(refused('utimeout=500000', 'utimeout=1000000')).match(/utimeout=1000000/);
    should(refused('rollover=0', 'rollover=1')).match(/rollover=1/);
  });

  for (const value of ['', '-1', 'many', '1152921504606846976', '0x10']) {
    it(`takes ${JSON.stringify(value)} for no answer, but where it says how the file is cut`, () => {
      for (const name of ['tsize', 'timeout', 'utimeout', 'windowsize']) {
        const ask = [{ name, value: '20000' }];
        should(confirmOptions(ask, [{ name, value }])).eql(DEFAULT_OPTIONS);
      }
      should(refused('blksize=8', `blksize=${value}`)).equal(
        `The server granted blksize=${value} where 8 was asked`,
      );
      should(refused('rollover=1', `rollover=${value}`)).equal(
        `The server granted rollover=${value} where 1 was asked`,
      );
    });
  }
});
