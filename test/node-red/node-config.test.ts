import { constants } from 'node:buffer';
import should = require('should');
import {
  TFTP_GET_DEFAULTS,
  TFTP_PUT_DEFAULTS,
  TFTP_SERVER_DEFAULTS,
  asksFlow,
  migrate,
  needsFolder,
  parseGetConfig,
  parsePutConfig,
  parseResponseConfig,
  parseServerConfig,
} from '../../src/node-red/node-config';
import { ANY_NETWORK, PRIVATE_NETWORKS } from '../../src/server/server-options';

describe('node-config', () => {
  describe('migrate', () => {
    it('gives what is missing its default, and keeps what is there', () => {
      const saved = { host: 'h', blksize: '', tsize: false };
      const config = migrate(saved, TFTP_GET_DEFAULTS);
      should(config).eql({ ...TFTP_GET_DEFAULTS, ...saved });
    });

    it('brings a flow without a version to the present one', () => {
      should(migrate({}, TFTP_PUT_DEFAULTS).version).equal(1);
    });

    it('leaves its arguments alone', () => {
      const saved = Object.freeze({ host: 'h' });
      migrate(saved, Object.freeze(TFTP_GET_DEFAULTS));
      should(saved).eql({ host: 'h' });
    });
  });

  it('has defaults that can be used as they are', () => {
    should(parseGetConfig(TFTP_GET_DEFAULTS)).have.properties({
      action: 'get',
      ret: 'bin',
      concurrency: 5,
      queue: 1000,
      events: 'one',
      port: { value: '', type: 'num' },
    });
    should(parsePutConfig({}).source).eql({ value: 'payload', type: 'msg' });
  });

  it('takes numbers as strings, and seconds and MiB where the form says so', () => {
    const { server } = parseServerConfig({
      root: '/srv',
      port: '6969',
      timeout: '0.5',
      deadline: 60,
      maxUploadSize: '1.5',
      maxTransfers: 7,
      blksizeMax: ' 1024 ',
    });
    should(server).have.properties({
      port: 6969,
      timeout: 500,
      deadline: 60_000,
      maxUploadSize: 1_572_864,
      maxTransfers: 7,
      blksizeMax: 1024,
    });
  });

  it('leaves what is blank to the server, and takes a blank limit as none', () => {
    const blank = { blksizeMax: '', retries: '', maxUploadSize: '', deadline: '' };
    const { server } = parseServerConfig({ root: '/srv', ...blank });
    should(server).not.have.properties(['blksizeMax']);
    should(server).not.have.properties(['retries']);
    should(server).have.properties({ maxUploadSize: Number.MAX_SAFE_INTEGER, deadline: 0 });
  });

  it('takes no more into a message than a string can hold', () => {
    const limit = (writes: string, maxUploadSize: string): unknown =>
      parseServerConfig({ root: '/srv', writes, maxUploadSize }).server.maxUploadSize;
    for (const writes of ['message', 'both']) {
      should(limit(writes, '')).equal(constants.MAX_STRING_LENGTH);
      should(limit(writes, '1000000')).equal(constants.MAX_STRING_LENGTH);
      should(limit(writes, '1')).equal(1_048_576);
    }
    should(limit('folder', '1000000')).equal(1_048_576_000_000);
  });

  it('reads the name rules of the dialog, unless there is a map file', () => {
    const rules = (more: object) => parseServerConfig({ root: '/', ...more }).server.rules;
    should(rules({})).equal(undefined);
    should(rules({ mapRules: ' \n' })).equal(undefined);
    should(rules({ mapRules: '\nr a b' })?.hits).eql([{ line: 2, rule: 'r a b', hits: 0 }]);
    should(rules({ mapRules: 'r (', mapFile: ' map ' })).equal(undefined);
    should(parseServerConfig({ root: '/', mapFile: ' map ' }).mapFile).equal('map');
  });

  it('opens the server to private networks, to all, or to a list', () => {
    const allow = (more: object): unknown => parseServerConfig({ root: '/', ...more }).server.allow;
    should(allow({})).equal(PRIVATE_NETWORKS);
    should(allow({ access: 'any' })).equal(ANY_NETWORK);
    should(allow({ access: 'list', allow: [' 192.0.2.1 ', ''] })).eql(['192.0.2.1']);
    should(allow({ access: 'list' })).eql([]);
  });

  it('lets transfers speak from any port, the listening port, or a range', () => {
    const ports = (more: object): unknown =>
      parseServerConfig({ root: '/', ...more }).server.transferPorts;
    should(ports({})).equal('any');
    should(ports({ transferPorts: 'single', portRange: 'unused' })).equal('single');
    should(ports({ transferPorts: 'range', portRange: '50000-50100' })).eql([50000, 50100]);
    should(ports({ transferPorts: 'range', portRange: ' 50000 ' })).eql([50000, 50000]);
  });

  it('wants a folder only if files are read or written there', () => {
    should(needsFolder({ reads: 'off', writes: 'message' })).be.false();
    should(needsFolder({ reads: 'off', writes: 'both' })).be.true();
    should(() => parseServerConfig(TFTP_SERVER_DEFAULTS)).throw(/No folder is set/);
    parseServerConfig({ reads: 'off', writes: 'message' });
    parseServerConfig({ reads: 'flow' });
    should(() => parseServerConfig({ reads: 'both' })).throw(/No folder is set/);
  });

  it('serves in a worker, unless the node says otherwise', () => {
    const worker = (given: object): unknown =>
      parseServerConfig({ root: '/', ...given }).server.worker;
    should([worker({}), worker({ worker: true }), worker({ worker: false })]).eql([
      true,
      true,
      false,
    ]);
  });

  it('gives the flow ten seconds to answer, unless told otherwise', () => {
    const timeout = (responseTimeout?: unknown): number =>
      parseServerConfig({ reads: 'flow', responseTimeout }).responseTimeout;
    should([timeout(), timeout(''), timeout('2.5'), timeout(60)]).eql([
      10_000, 10_000, 2500, 60_000,
    ]);
    should(() => timeout('0')).throw(/responseTimeout is 0: it must be from 0\.1 to 3600 seconds/);
    should(asksFlow({ reads: 'both' })).be.true();
    should(asksFlow({ reads: 'folder' })).be.false();
  });

  it('takes the error of a response as a number', () => {
    should(parseResponseConfig({})).eql({ mode: 'message', errorCode: 1, errorText: '' });
    const saved = { mode: 'error', errorCode: '2', errorText: ' not you ' };
    should(parseResponseConfig(saved)).eql({ mode: 'error', errorCode: 2, errorText: 'not you' });
    should(() => parseResponseConfig({ errorCode: '9' })).throw(/errorCode is 9/);
    should(() => parseResponseConfig({ mode: 'ask' })).throw(/mode is "ask"/);
  });

  const wrong: [saved: object, says: RegExp][] = [
    [{ port: 'sixty-nine' }, /port is "sixty-nine": it must be a number/],
    [{ family: 'ipv5' }, /family is "ipv5": it must be one of both, ipv4, ipv6/],
    [{ timeout: '0' }, /timeout is 0: it must be from 0\.01 to 255 seconds/],
    [{ maxUploadSize: '-1' }, /must not be negative/],
    [{ events: 'many' }, /events is "many"/],
    [{ transferPorts: 'all' }, /transferPorts is "all": it must be one of any, single, range/],
    [{ transferPorts: 'range' }, /No range of ports is set: write 50000-50100/],
    [{ transferPorts: 'range', portRange: 'many' }, /portRange is "many": write 50000/],
    [{ overwrite: 'ask' }, /overwrite is "ask"/],
    [{ mapRules: '\nq a\nr' }, /line 2: "q" is no operation: .*; line 3: "r" needs a pattern/],
  ];
  for (const [saved, says] of wrong) {
    it(`says what is wrong with ${JSON.stringify(saved)}`, () => {
      should(() => parseServerConfig({ root: '/srv', ...saved })).throw(says);
    });
  }

  it('says what is wrong with the queue of a client', () => {
    should(() => parseGetConfig({ concurrency: '0' })).throw(/concurrency is 0/);
    should(() => parsePutConfig({ queue: 'x' })).throw(/queue is "x"/);
  });
});
