import should = require('should');
import { runScript } from '../helpers/child';
import type { ScriptRun } from '../helpers/child';
import { LONG, closedPort, exchange, mishaps } from '../helpers/offload-scenes';
import type { Exchanged } from '../helpers/offload-scenes';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { clientFor, closeEnginesAfterEach, startServer } from '../helpers/engine';
import { seededBytes } from '../helpers/random';
import { ack, rrq } from '../helpers/wire';
import { BackgroundProgram, RED_TFTP } from '../helpers/program';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { NetworkNamespace } from '../helpers/network-namespace';
import { HAS_IPV6, ON_LINUX, skipUnless, skipWithoutOffload } from '../helpers/skip';

/** What makes a script believe that the package is not installed. */
const WITHOUT_KOFFI = `
  const Module = require('node:module');
  const load = Module._load;
  Module._load = (name, ...rest) => load(name === 'koffi' ? 'no-such-package' : name, ...rest);
`;

describe('segmentation offload', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();

  it('does not take a client that has gone for a network that refuses', async function () {
    skipWithoutOffload(this);
    const storage = new MemoryStorage([['f', seededBytes(LONG, 1)]]);
    const { place, record } = await startServer({ storage });
    const peer = await ScriptedPeer.bind();
    peer.send(rrq('f', 'blksize', '1428', 'windowsize', '64'), place);
    await peer.next();
    for (const acknowledged of [0, 64]) {
      peer.send(ack(acknowledged));
      for (let blocks = 0; blocks < 64; blocks += 1) await peer.next();
    }
    // Such a window is two pieces: the first one meets a closed port, and the second one hears of it.
    peer.send(ack(128));
    peer.close();
    await record('error');
    await clientFor(place).get('f');
    should(await record('complete')).have.properties({ offload: true });
  });

  describe('between a client and a server of ours', () => {
    const both = (['get', 'put'] as const).flatMap((operation) =>
      [16, 64].flatMap((windowsize) =>
        [LONG, LONG - (LONG % 1428)].map((size) => ({
          operation,
          size,
          blksize: 1428,
          windowsize,
        })),
      ),
    );
    const onBothSides = { right: true, offload: ['client', 'server'] };
    const nowhere = { right: true, offload: [] };

    for (const [where, meeting] of [
      ['one after the other', {}],
      ['all at once', { atOnce: true }],
      ['with IPv6', { address: '::1' }],
    ] as const) {
      it(`offloads on both sides, ${where}`, async function () {
        skipWithoutOffload(this);
        skipUnless(this, HAS_IPV6 || !('address' in meeting), 'this machine has no IPv6');
        should(await exchange(both, meeting)).eql(both.map(() => onBothSides));
      });
    }

    it('joins nothing that arrives where all transfers share the port of the server', async function () {
      skipWithoutOffload(this);
      const done = await exchange(both, { singlePort: true });
      const expected = both.map(({ operation }) => ({
        right: true,
        offload: operation === 'get' ? ['client', 'server'] : ['client'],
      }));
      should(done).eql(expected);
    });

    it('keeps fifty transfers of different block sizes apart', async () => {
      const many = Array.from({ length: 50 }, (_, index) => ({
        operation: index % 2 === 0 ? ('get' as const) : ('put' as const),
        size: 20_000 + 997 * index,
        blksize: 8 + 29 * index,
        windowsize: 1 + (index % 9),
      }));
      const done = await exchange(many, { atOnce: true });
      should(done.map(({ right }) => right)).eql(many.map(() => true));
    });

    for (const [without, prepare, env] of [
      ['TFTP_OFFLOAD=off', '', { TFTP_OFFLOAD: 'off' }],
      ['no package koffi', WITHOUT_KOFFI, {}],
    ] as const) {
      it(`moves the same files with ${without}`, async () => {
        const done = await inChild(`${prepare} return scenes.exchange(${JSON.stringify(both)});`, {
          env,
        });
        should(done).eql(both.map(() => nowhere));
      });
    }
  });

  describe('where the network is too narrow for it', () => {
    let namespace: NetworkNamespace | undefined;

    before(async function () {
      skipWithoutOffload(this);
      namespace = await NetworkNamespace.create();
      skipUnless(this, namespace !== undefined, 'only root on Linux can make a network');
      await namespace!.ip('link', 'set', 'lo', 'mtu', '576');
    });

    after(() => namespace?.remove());

    it('goes on one by one, and tries once for each host', async () => {
      const narrow = { size: LONG, blksize: 1428, windowsize: 16 };
      const fits = { size: LONG, blksize: 512, windowsize: 16 };
      const both = [narrow, narrow, fits].flatMap((one) => [
        { operation: 'get', ...one },
        { operation: 'put', ...one },
      ]);
      const { done, tries } = (await inChild(
        `
          const { systemCalls } = engine('udp/system-calls');
          const calls = systemCalls();
          const send = calls.send;
          const tries = [];
          calls.send = (descriptor, batch, from) => {
            for (let i = from; i < batch.count; i += 1) {
              const { datagrams, segmentSize } = batch.message(i).run;
              if (datagrams.length > segmentSize && segmentSize > 1000) tries.push(segmentSize);
            }
            return send(descriptor, batch, from);
          };
          return { done: await scenes.exchange(${JSON.stringify(both)}), tries };
        `,
        { through: namespace!.through },
      )) as { done: Exchanged[]; tries: number[] };
      // What is received may be joined all the same.
      const receivers = both.map(({ operation }) => (operation === 'get' ? 'client' : 'server'));
      should(done).eql(receivers.map((receiver) => ({ right: true, offload: [receiver] })));
      should(tries).eql([1432]);
    });
  });

  it('leaves no descriptor open', async function () {
    skipWithoutOffload(this);
    const many = Array.from({ length: 50 }, (_, index) => ({
      operation: index % 2 === 0 ? 'get' : 'put',
      size: index % 5 === 0 ? LONG : 2_000,
      blksize: 1428,
      windowsize: 16,
    }));
    const left = await inChild(
      `
        const { readdirSync } = require('node:fs');
        const { Endpoint } = engine('udp/endpoint');
        const many = ${JSON.stringify(many)};
        const open = () => readdirSync('/proc/self/fd').length;
        const here = { address: '127.0.0.1', port: 0 };
        await scenes.exchange(many.slice(0, 2));
        const before = open();
        for (let times = 0; times < 4; times += 1) await scenes.exchange(many, { atOnce: true });
        const one = await Endpoint.bind(here);
        const wrong = [one.local, { ...here, address: '192.0.2.1' }];
        const failed = [];
        for (let times = 0; times < 20; times += 1) {
          for (const place of wrong) {
            const sharing = times % 2 === 0 ? 'alone' : 'first';
            await Endpoint.bind({ ...place, sharing }).catch(({ code }) => failed.push(code));
          }
        }
        one.close();
        await new Promise(setImmediate);
        return { failed: [...new Set(failed)], more: open() - before };
      `,
      { timeout: 15_000 },
    );
    should(left).eql({ failed: ['EADDRINUSE', 'EADDRNOTAVAIL'], more: 0 });
  });

  it('works in a worker of node:cluster, whose sockets the primary has as a rule', async function () {
    skipWithoutOffload(this);
    const one = { operation: 'get', size: LONG, blksize: 1428, windowsize: 16 };
    const done = await inChild(
      `
        const cluster = require('node:cluster');
        const args = [${JSON.stringify(JSON.stringify([one]))}];
        cluster.setupPrimary({ exec: helper.path('exchange-worker'), execArgv: [], args });
        const worker = cluster.fork();
        return new Promise((resolve) => {
          worker.once('message', resolve);
          worker.once('exit', (code) => resolve('exit code ' + code));
        });
      `,
    );
    should(done).eql([{ right: true, offload: ['client', 'server'] }]);
  });

  describe('red-tftp serve --verbose', () => {
    const args = [RED_TFTP, 'serve', '--address', '127.0.0.1', '--port', '0', '--verbose'];

    for (const [env, said] of [
      [{ TFTP_OFFLOAD: 'off' }, 'red-tftp: no segmentation offload: TFTP_OFFLOAD is off\n'],
      [{ TFTP_OFFLOAD: undefined }, ''],
    ] as const) {
      it(`says ${said ? 'why there is none' : 'nothing where there is one'}`, async function () {
        skipWithoutOffload(this);
        const server = new BackgroundProgram(process.execPath, args, {
          env: { ...process.env, NODE_V8_COVERAGE: '', ...env },
        });
        try {
          await server.printed(said ? /TFTP_OFFLOAD/ : /listening on/);
          should(server.output.replace(/^listening on .*\n/m, '')).equal(said);
        } finally {
          await server.stop();
        }
      });
    }
  });

  it('meets mishaps in the middle like node:dgram alone', async function () {
    skipUnless(this, ON_LINUX, 'other systems tell of a closed port in other ways');
    const expected = await inChild('return scenes.mishaps();', { env: { TFTP_OFFLOAD: 'off' } });
    should(await mishaps()).eql(expected);
    should(expected).eql({
      'a stranger comes by':
        'the stranger is told ERROR 5 Unknown transfer ID, complete, 2055 bytes',
      'an ERROR comes in the middle of a window': 'PeerError: enough',
      'the port closes behind an ERROR': 'PeerError: gone for good',
    });
  });

  it('hears that the port of its peer was closed in the middle', async function () {
    skipWithoutOffload(this);
    should(await closedPort()).equal(
      'LocalError: Nothing listens at the server (port unreachable)',
    );
  });
});

/** Runs the body of a function in a process of its own, and gives what it returns. */
async function inChild(body: string, how: ScriptRun = {}): Promise<unknown> {
  const load = "const scenes = helper('offload-scenes');";
  const script = `${load} (async () => { ${body} })().then((all) => console.log(JSON.stringify(all)));`;
  const { stdout, stderr } = await runScript(script, how);
  should(stderr).equal('');
  return JSON.parse(stdout);
}
