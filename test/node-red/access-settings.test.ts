import should = require('should');
import { parseServerConfig } from '../../src/node-red/node-config';

describe('access-settings', () => {
  const parse = (saved: object) => parseServerConfig({ root: '/srv', ...saved });

  it('have defaults that refuse nobody and expect nothing', () => {
    should(parse({}).server).have.properties({
      deny: [],
      readNames: [],
      writeNames: [],
      requestRate: 200,
      guessLimit: 100,
      expectedMisses: [],
      probes: true,
      profiles: [],
    });
    should(parse({}).folder).eql({
      caseInsensitive: false,
      lowerCase: false,
      extraRoots: [],
      writeRoot: '',
    });
  });

  it('take names by commas or lines, sets by their names, and lists as they are', () => {
    const { server } = parse({
      deny: [' 192.0.2.1 ', ''],
      readNames: '*.cfg, firmware/**\n!secret/**,',
      writeNames: '*-app.log',
      requestRate: '0',
      guessLimit: 7,
      probes: 'false',
      expectedSets: ['cisco', 'raspberry-pi'],
      expectedNames: 'a*\nb*',
      refuseOptions: [
        { clients: ['192.0.2.0/24'], refuse: 'all-but-tsize' },
        { clients: '192.0.2.1, 192.0.2.2', refuse: 'blksize, windowsize' },
        { clients: ['192.0.2.3'], refuse: ['tsize'] },
      ],
    });
    should(server).have.properties({
      deny: ['192.0.2.1'],
      readNames: ['*.cfg', 'firmware/**', '!secret/**'],
      writeNames: ['*-app.log'],
      requestRate: 0,
      guessLimit: 7,
      expectedMisses: ['set:cisco', 'set:raspberry-pi', 'a*', 'b*'],
      probes: false,
      profiles: [
        { clients: ['192.0.2.0/24'], refuse: 'all-but-tsize' },
        { clients: ['192.0.2.1', '192.0.2.2'], refuse: ['blksize', 'windowsize'] },
        { clients: ['192.0.2.3'], refuse: ['tsize'] },
      ],
    });
  });

  it('take folders by lines, and the quota in MiB', () => {
    const saved = { perClient: 'mac', caseInsensitive: true, lowerCase: 'true', quota: '1.5' };
    const folders = { extraRoots: ' /a \n\nb, c\n', writeRoot: '/in' };
    should(parse({ ...saved, ...folders }).folder).eql({
      perClient: 'mac',
      caseInsensitive: true,
      lowerCase: true,
      quota: 1_572_864,
      extraRoots: ['/a', 'b, c'],
      writeRoot: '/in',
    });
  });

  for (const [saved, says] of [
    [{ readNames: 'a[' }, /readNames: The pattern "a\[" cannot be used/],
    [{ writeNames: '!' }, /writeNames: The pattern "" cannot be used/],
    [{ expectedSets: ['avaya'] }, /expectedSets: There is no profile set:avaya/],
    [{ expectedNames: 'a[' }, /expectedNames: The pattern/],
    [{ refuseOptions: [{ clients: ['home'] }] }, /refuseOptions: home is no network/],
    [{ refuseOptions: [{ clients: [], refuse: 'size' }] }, /refuseOptions: size is no option/],
    [{ perClient: 'name' }, /perClient is "name"/],
    [{ quota: '-1' }, /quota is -1: it must not be negative/],
    [{ requestRate: 'many' }, /requestRate is "many"/],
  ] as const) {
    it(`refuse ${JSON.stringify(saved)}`, () => {
      should(() => parse(saved)).throw(says, { code: 'EINVAL' });
    });
  }
});
