import should = require('should');
import { writeFileSync } from 'node:fs';
import { systemClock } from '../../src/net/clock';
import type { LocalAddress } from '../../src/udp/local-addresses';
import type { ServerOptions } from '../../src/server/server-options';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { closeEnginesAfterEach, failureOf, newServer, startServer } from '../helpers/engine';
import { FakeClock } from '../helpers/fake-clock';
import { NetworkNamespace } from '../helpers/network-namespace';
import { BackgroundProgram, RED_TFTP, run, succeeded } from '../helpers/program';
import { ScriptedPeer, closePeersAfterEach, freePort } from '../helpers/scripted-peer';
import { ON_LINUX, skipUnless } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';
import { ack, data, rrq, wrq } from '../helpers/wire';

describe('TftpServer on a machine with several addresses', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  let storage: MemoryStorage;
  let addresses: LocalAddress[];
  let clock: FakeClock;
  let peer: ScriptedPeer;
  beforeEach(async function () {
    skipUnless(this, ON_LINUX, 'only Linux lets sockets of several addresses share a port');
    storage = new MemoryStorage([['one', Buffer.alloc(600, '1')]]);
    addresses = [
      { address: '127.0.0.2', prefix: 8 },
      { address: '127.0.0.3', prefix: 32 },
    ];
    clock = new FakeClock();
    peer = await ScriptedPeer.bind();
  });

  /** The waits between two looks at the addresses pass when the test says so. */
  const system = () => ({
    clock: {
      ...systemClock,
      after: (milliseconds: number, action: () => void) =>
        (milliseconds === 10_000 ? clock : systemClock).after(milliseconds, action),
    },
    localAddresses: () => addresses,
    sharesPorts: true,
  });

  function start(more: Partial<ServerOptions> = {}) {
    const options = { storage, address: '', timeout: 60_000, ...more };
    return startServer(options, system());
  }

  for (const transferPorts of ['any', 'single', [20_800, 20_820]] as const) {
    it(`answers from the address that was asked, with transferPorts ${String(transferPorts)}`, async () => {
      const { place, record } = await start({ transferPorts });
      for (const address of ['127.0.0.2', '127.0.0.3']) {
        const asked = { address, port: place.port };
        should(await peer.ask(rrq('missing'), asked)).equal('ERROR 1 File not found');
        should(peer.other).eql(asked);
        should((await record('error')).localAddress).equal(address);
        should(await peer.ask(rrq('one'), asked)).equal('DATA 1 512 B');
        should(peer.other.address).equal(address);
        should(await peer.ask(ack(1))).equal('DATA 2 88 B');
        peer.send(ack(2));
        should((await record('complete')).localAddress).equal(address);
        should(await peer.ask(wrq('new'), asked)).equal('ACK 0');
        should(await peer.ask(data(1, 'x'))).equal('ACK 1');
        should(peer.other.address).equal(address);
        await record('complete');
      }
    });
  }

  it('answers what was sent to no address of its own once, from the nearest one', async () => {
    const { place } = await start();
    const nowhere = { address: '127.0.0.9', port: place.port };
    should(await peer.ask(rrq('one'), nowhere)).equal('DATA 1 512 B');
    should(peer.other.address).equal('127.0.0.2');
    await peer.expectSilence();
    should(await peer.ask(ack(1))).equal('DATA 2 88 B');
    peer.send(ack(2));
  });

  it('tells only of the addresses that it was given', async () => {
    const { server, place } = await start({ family: 'ipv4' });
    should(server.addresses).eql([{ address: '0.0.0.0', port: place.port, family: 'ipv4' }]);
  });

  it('looks again every ten seconds: new addresses are heard, vanished ones are not', async () => {
    const { place, server } = await start();
    const [second, third] = ['127.0.0.2', '127.0.0.3'].map((address) => ({
      address,
      port: place.port,
    }));
    should(await peer.ask(rrq('one'), third)).equal('DATA 1 512 B');
    const transfer = peer.other;
    addresses = [
      { address: '127.0.0.2', prefix: 8 },
      { address: '127.0.0.4', prefix: 32 },
      { address: '192.0.2.1', prefix: 24 },
    ];
    await clock.fireAndWait();
    const other = await ScriptedPeer.bind();
    for (const [asked, answers] of [
      [{ address: '127.0.0.4', port: place.port }, '127.0.0.4'],
      [second!, '127.0.0.2'],
      [third!, '127.0.0.2'],
    ] as const) {
      await other.ask(rrq('missing'), asked);
      should(other.other.address).equal(answers);
    }
    should(await peer.ask(ack(1), transfer)).equal('DATA 2 88 B');
    peer.send(ack(2));
    should(clock.waits).eql([10_000, 10_000]);
    await server.close();
    should(clock.waiting).equal(false);
  });

  for (const transferPorts of ['any', 'single'] as const) {
    it(`answers from an address that has just come, once it is asked again (${transferPorts})`, async () => {
      let time = 0;
      const { clock: real, ...rest } = system();
      const options = { storage, address: '', timeout: 60_000, transferPorts };
      const { place } = await startServer(options, {
        ...rest,
        clock: { ...real, now: () => time },
      });
      const fourth = { address: '127.0.0.4', port: place.port };
      time = 1000;
      addresses = [...addresses, { address: '127.0.0.4', prefix: 32 }];
      peer.send(rrq('one'), fourth);
      const second = { address: '127.0.0.2', port: place.port };
      should(await peer.ask(rrq('missing'), second)).equal('ERROR 1 File not found');
      should(await peer.ask(rrq('one'), fourth)).equal('DATA 1 512 B');
      should(peer.other.address).equal('127.0.0.4');
      should(await peer.ask(ack(1))).equal('DATA 2 88 B');
      peer.send(ack(2));
    });
  }

  it('does not ask for the addresses of this machine at each packet from its own port', async () => {
    let asked = 0;
    const localAddresses = (): readonly LocalAddress[] => {
      asked += 1;
      return addresses;
    };
    const options = { storage, address: '127.0.0.3' };
    const { server, place } = await startServer(options, { ...system(), localAddresses });
    const forger = await ScriptedPeer.bind({ address: '127.0.0.9', port: place.port });
    asked = 0;
    for (let i = 0; i < 50; i += 1) forger.send(rrq('missing'), place);
    while (server.counters.requests < 50) await new Promise(setImmediate);
    should(asked).be.belowOrEqual(1);
  });

  it('lets a transfer end at the single port of an address that vanished', async () => {
    const { place, record } = await start({ transferPorts: 'single' });
    const third = { address: '127.0.0.3', port: place.port };
    should(await peer.ask(rrq('one'), third)).equal('DATA 1 512 B');
    addresses = [{ address: '127.0.0.2', prefix: 8 }];
    await clock.fireAndWait();
    should(await peer.ask(ack(1))).equal('DATA 2 88 B');
    peer.send(ack(2));
    await record('complete');
    await clock.fireAndWait();
    await peer.ask(rrq('missing'), third);
    should(peer.other.address).equal('127.0.0.2');
  });

  it('frees the port at every address', async () => {
    const { place, server } = await start({ transferPorts: 'single' });
    await server.close();
    for (const address of ['127.0.0.2', '127.0.0.3', '0.0.0.0']) {
      (await ScriptedPeer.bind({ address, port: place.port })).close();
    }
  });

  it('does not look at addresses where they cannot share a port, nor for one address', async () => {
    await startServer({ storage, address: '' }, { ...system(), sharesPorts: false });
    await startServer({ storage, address: '127.0.0.2' }, system());
    should(clock.waits).eql([]);
  });

  describe('keeps its port to itself', () => {
    it('against other servers of this process, also at the same time', async () => {
      const port = await freePort();
      const servers = ['', '', '127.0.0.1', '127.0.0.2'].map((address) =>
        newServer({ storage, address, port }).listen(),
      );
      const states = (await Promise.allSettled(servers)).map(({ status }) => status);
      should(states.filter((status) => status === 'fulfilled')).have.length(1);
      for (const address of ['', '127.0.0.1', '127.0.0.5']) {
        const failure = await failureOf(newServer({ storage, address, port }).listen());
        should(failure.code).equal('EADDRINUSE');
      }
    });

    it('against other processes', async () => {
      const { place } = await start();
      const command = [RED_TFTP, 'serve', '--port', String(place.port)];
      const { code, stderr } = await run(process.execPath, command);
      should(code).equal(4);
      should(stderr).match(/is in use/);
    });
  });

  describe('with a network between', () => {
    const temp = useTempFolder();
    const networks: NetworkNamespace[] = [];
    const programs: BackgroundProgram[] = [];
    afterEach(async () => {
      for (const program of programs.splice(0)) await program.stop();
      for (const network of networks.splice(0)) await network.remove();
    });

    async function network(): Promise<NetworkNamespace | undefined> {
      const created = await NetworkNamespace.create();
      if (created) networks.push(created);
      return created;
    }

    for (const flags of [[], ['--single-port']]) {
      it(`answers from the address that was asked, and broadcasts from the client's subnet ${flags.join()}`, async function () {
        const [here, there] = [await network(), await network()];
        skipUnless(this, here !== undefined && there !== undefined, 'no rights for a network');
        await here!.connect(there!);
        for (const address of ['10.1.0.1/24', '10.1.0.2/24', '10.2.0.1/24']) {
          await here!.ip('address', 'add', address, 'dev', 'eth0');
        }
        for (const address of ['10.1.0.9/24', '10.2.0.9/24']) {
          await there!.ip('address', 'add', address, 'dev', 'eth0');
        }
        writeFileSync(temp.file('f'), 'hello');
        const serve = [RED_TFTP, 'serve', '--root', temp.path, '--port', '6969', ...flags];
        const [ip, ...words] = here!.through;
        const server = new BackgroundProgram(ip!, [...words, process.execPath, ...serve]);
        programs.push(server);
        await server.printed(/listening on/);
        should(await answersIn(there!)).eql({
          '10.1.0.9 asks 10.1.0.1': ['10.1.0.1'],
          '10.1.0.9 asks 10.1.0.2': ['10.1.0.2'],
          '10.1.0.9 asks 10.2.0.1': ['10.2.0.1'],
          '10.1.0.9 asks 10.1.0.255': ['10.1.0.1'],
          '10.2.0.9 asks 10.2.0.255': ['10.2.0.1'],
          '10.2.0.9 asks 255.255.255.255': ['10.2.0.1'],
        });
      });
    }
  });
});

/** Who answers clients of that network, each within half a second: longer than an answer takes, shorter than its repetition. */
async function answersIn({ through }: NetworkNamespace): Promise<unknown> {
  const script = `
    const dgram = require('node:dgram');
    const answers = {};
    const ask = (from, to) => new Promise((resolve) => {
      const heard = (answers[from + ' asks ' + to] = []);
      const socket = dgram.createSocket('udp4');
      socket.on('message', (_, { address, port }) => {
        heard.push(address);
        socket.send(Buffer.from([0, 4, 0, 1]), port, address);
      });
      socket.bind(0, from, () => {
        socket.setBroadcast(true);
        socket.send(Buffer.from('\\0\\x01f\\0octet\\0'), 6969, to);
      });
      setTimeout(() => { socket.close(); resolve(); }, 500);
    });
    Promise.all([
      ask('10.1.0.9', '10.1.0.1'), ask('10.1.0.9', '10.1.0.2'), ask('10.1.0.9', '10.2.0.1'),
      ask('10.1.0.9', '10.1.0.255'), ask('10.2.0.9', '10.2.0.255'), ask('10.2.0.9', '255.255.255.255'),
    ]).then(() => console.log(JSON.stringify(answers)));
  `;
  const [ip, ...words] = [...through, process.execPath, '-e', script];
  const { stdout } = succeeded(await run(ip, words));
  return JSON.parse(stdout.toString());
}
