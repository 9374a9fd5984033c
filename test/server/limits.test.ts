import should = require('should');
import { AccessList } from '../../src/server/access-list';
import { ANY_NETWORK, PRIVATE_NETWORKS, parseServerOptions } from '../../src/server/server-options';
import type { ServerOptions } from '../../src/server/server-options';
import { SERVER_SYSTEM } from '../../src/server/server-system';
import { TftpServer } from '../../src/server/server';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { closeEnginesAfterEach, startServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { VirtualClock } from '../helpers/virtual-clock';
import { ack, data, error, rrq, wrq } from '../helpers/wire';

const storage = new MemoryStorage([['large', Buffer.alloc(1_000_000)]]);

describe('TftpServer, its limits', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  let peer: ScriptedPeer;
  beforeEach(async () => {
    peer = await ScriptedPeer.bind();
  });

  for (const [limit, problem] of [
    [{ maxTransfers: 1 }, /got no answer: 2\. Increase .* \(maxTransfers\)$/],
    [{ maxPerHost: 1 }, /got no answer: 2\. Increase .* \(maxPerHost\)$/],
    [{ transferPorts: [20_781, 20_781] }, /got no answer: 2\. Use .* \(transferPorts\)$/],
  ] as const) {
    it(`${Object.keys(limit)[0]}: one more gets no answer until there is room, and the user is told once a minute`, async () => {
      const clock = new VirtualClock();
      const system = { ...SERVER_SYSTEM, clock };
      const options = { storage, timeout: 60_000, ...limit };
      const { server, place, records, record } = await startServer(options, system);
      const problems: string[] = [];
      server.on('problem', ({ message }) => problems.push(message));
      const dropped = async (count: number): Promise<void> => {
        while (server.counters.dropped < count) await new Promise(setImmediate);
      };
      should(await peer.ask(rrq('large'), place)).equal('DATA 1 512 B');
      should(await peer.ask(ack(1))).equal('DATA 2 512 B');
      const other = await ScriptedPeer.bind();
      for (const [index, request] of [rrq('large'), wrq('new')].entries()) {
        other.send(request, place);
        await dropped(index + 1);
      }
      await other.expectSilence();
      clock.pass(1000);
      while (problems.length < 1) await new Promise(setImmediate);
      should(problems[0]).match(problem);
      other.send(rrq('large'), place);
      await dropped(3);
      clock.pass(59_999);
      should(problems).have.length(1);
      peer.send(error(0, 'bye'));
      await record('error');
      should(await other.ask(rrq('large'), place)).equal('DATA 1 512 B');
      clock.pass(1);
      while (problems.length < 2) await new Promise(setImmediate);
      should(records.filter(({ event }) => event === 'start')).have.length(2);
      should(server.counters).have.properties({ requests: 5, refused: 0, dropped: 3 });
      other.send(error(0));
    });
  }

  it('an ended upload has its slot until its last ACK is repeated no more, and gives way first', async () => {
    const clock = new VirtualClock();
    const system = { ...SERVER_SYSTEM, clock };
    const options = { storage, timeout: 60_000, maxTransfers: 2 };
    const { server, place, record } = await startServer(options, system);
    should(await peer.ask(wrq('up'), place)).equal('ACK 0');
    should(await peer.ask(data(1, 'x'))).equal('ACK 1');
    await record('complete');
    should(await peer.ask(data(1, 'x'))).equal('ACK 1');
    const upload = peer.other;
    const others = [
      await ScriptedPeer.bind(),
      await ScriptedPeer.bind(),
      await ScriptedPeer.bind(),
    ];
    should(await others[0]!.ask(rrq('large'), place)).equal('DATA 1 512 B');
    should(await peer.ask(data(1, 'x'), upload)).equal('ACK 1');
    should(await others[1]!.ask(rrq('large'), place)).equal('DATA 1 512 B');
    others[2]!.send(rrq('large'), place);
    while (server.counters.dropped < 1) await new Promise(setImmediate);
    peer.send(data(1, 'x'), upload);
    await peer.expectSilence();
    for (const other of others.slice(0, 2)) other.send(error(0));
  });

  it('a read that only lacks its last ACK gives way, and is complete', async () => {
    const clock = new VirtualClock();
    const system = { ...SERVER_SYSTEM, clock };
    const small = new MemoryStorage([['f', Buffer.alloc(600)]]);
    const options = { storage: small, timeout: 1000, maxTransfers: 1 };
    const { server, place, record } = await startServer(options, system);
    await peer.ask(rrq('f'), place);
    should(await peer.ask(ack(1))).equal('DATA 2 88 B');
    const other = await ScriptedPeer.bind();
    other.send(rrq('f'), place);
    while (server.counters.dropped < 1) await new Promise(setImmediate);
    clock.pass(1000);
    should(await peer.hear()).equal('DATA 2 88 B');
    should(await other.ask(rrq('f'), place)).equal('DATA 1 512 B');
    should(await record('complete')).have.properties({ finalAck: false, bytes: 600 });
    other.send(error(0));
  });

  it('allow: others get ERROR 2', async () => {
    const { place, record } = await startServer({ storage, allow: ['192.0.2.0/24'] });
    const denied = 'ERROR 2 Your address may not use this server';
    should(await peer.ask(rrq('large'), place)).equal(denied);
    should(await peer.ask(wrq('large'), place)).equal(denied);
    should((await record('error')).error).have.properties({ code: 'EACCES', tftpCode: 2 });
  });

  it('read: false refuses reads', async () => {
    const { place } = await startServer({ storage, read: false });
    should(await peer.ask(rrq('large'), place)).equal('ERROR 2 This server does not allow reading');
  });

  describe('a client that falls silent', () => {
    for (const [request, first] of [
      [rrq('large'), 'DATA 1 512 B'],
      [rrq('large', 'windowsize', '16'), 'OACK windowsize 16'],
      [wrq('new'), 'ACK 0'],
      [wrq('new', 'blksize', '8'), 'OACK blksize 8'],
    ] as const) {
      it(`gets '${first}' three times, and no more`, async () => {
        const { place, record, server } = await startServer({ storage, timeout: 10, retries: 4 });
        should(await peer.ask(request, place)).equal(first);
        should(await peer.hear()).equal(first);
        should(await peer.hear()).equal(first);
        const failure = await record('error');
        should(failure.error).have.properties({
          code: 'ETIMEDOUT',
          message: 'The peer did not answer',
        });
        should(failure.retransmits).equal(2);
        should(failure.trace!.join('\n')).match(/gave up after 4 timeouts/);
        await peer.expectSilence();
        should(server.transfers).eql([]);
      });
    }

    it('draws one window with a forged ACK 0, and one block at a time after it', async () => {
      const { place, record } = await startServer({ storage, timeout: 10, retries: 3 });
      const request = rrq('large', 'blksize', '1024', 'windowsize', '64');
      should(await peer.ask(request, place)).equal('OACK blksize 1024 windowsize 64');
      peer.send(ack(0));
      for (let block = 1; block <= 64; block += 1) {
        should(await peer.hear()).equal(`DATA ${block} 1024 B`);
      }
      for (let again = 1; again <= 3; again += 1) {
        should(await peer.hear()).equal('DATA 1 1024 B');
      }
      should(await peer.hear()).match(/^ERROR 0 The peer fell silent/);
      should((await record('error')).bytes).equal(0);
      await peer.expectSilence();
    });

    it('in mid-transfer is given up after the retries', async () => {
      const { place, record } = await startServer({ storage, timeout: 10, retries: 1 });
      should(await peer.ask(wrq('new'), place)).equal('ACK 0');
      should(await peer.ask(data(1, 'x'.repeat(512)))).equal('ACK 1');
      should(await peer.hear()).equal('ACK 1');
      should(await peer.hear()).match(/^ERROR 0 The peer fell silent after 512 bytes/);
      should((await record('error')).error!.code).equal('ETIMEDOUT');
    });

    it('and closes its port when only the last ACK is owed, has the file as well', async () => {
      const small = new MemoryStorage([['f', Buffer.alloc(600)]]);
      const { place, record } = await startServer({ storage: small, timeout: 10 });
      await peer.ask(rrq('f'), place);
      should(await peer.ask(ack(1))).equal('DATA 2 88 B');
      peer.close();
      should(await record('complete')).have.properties({ finalAck: false, bytes: 600 });
    });

    it('and only owes the last ACK, has the file: finalAck false', async () => {
      const small = new MemoryStorage([['f', Buffer.alloc(600)]]);
      const { place, record, server } = await startServer({
        storage: small,
        timeout: 10,
        retries: 1,
      });
      await peer.ask(rrq('f'), place);
      should(await peer.ask(ack(1))).equal('DATA 2 88 B');
      should(await peer.hear()).equal('DATA 2 88 B');
      should(await record('complete')).have.properties({ finalAck: false, bytes: 600 });
      should(server.counters).have.properties({ completed: 1, failed: 0, bytesSent: 600 });
    });
  });

  it('deadline: ends a transfer that makes progress too slowly', async () => {
    const { place, record } = await startServer({ storage, timeout: 1000, deadline: 50 });
    await peer.ask(rrq('large'), place);
    let block = 1;
    let heard: string;
    do heard = await peer.ask(ack(block++));
    while (heard.startsWith('DATA'));
    should(heard).match(/^ERROR 0 The transfer took longer than 0\.05 s/);
    should((await record('error')).error!.code).equal('ETIMEDOUT');
  });
});

describe('AccessList', () => {
  for (const [networks, inside, outside] of [
    [['192.0.2.1'], ['192.0.2.1'], ['192.0.2.2', '::1']],
    [['192.0.2.0/24'], ['192.0.2.0', '192.0.2.255'], ['192.0.3.0']],
    [
      [' 10.0.0.0/8 ', '2001:db8::/32'],
      ['10.9.9.9', '2001:db8::9'],
      ['11.0.0.0', '2001:db9::'],
    ],
    [['fe80::/10'], ['fe80::1%eth0', 'fe80::1'], ['fec0::1']],
    [[], [], ['127.0.0.1', '::1']],
    [
      PRIVATE_NETWORKS,
      ['127.0.0.1', '172.31.0.1', '192.168.1.1', '::1', 'fd00::1'],
      ['8.8.8.8', '172.32.0.1', '2001:db8::1'],
    ],
    [ANY_NETWORK, ['8.8.8.8', '2001:db8::1', '0.0.0.0'], []],
  ] as const) {
    it(`of ${JSON.stringify(networks)}`, () => {
      const list = new AccessList(networks);
      for (const address of inside) should(list.includes(address)).equal(true, address);
      for (const address of outside) should(list.includes(address)).equal(false, address);
    });
  }

  for (const network of [
    '',
    'home',
    '192.0.2.1/33',
    '::1/129',
    '192.0.2.0/',
    '192.0.2.0/24/1',
    '1.2.3.0/-1',
  ]) {
    it(`refuses '${network}'`, () => {
      should(() => new AccessList([network])).throw(/is no network: give an address like/, {
        code: 'EINVAL',
      });
    });
  }
});

describe('parseServerOptions', () => {
  it('fills in the defaults', () => {
    should(parseServerOptions({ storage })).eql({
      storage,
      address: '',
      port: 69,
      descriptors: [],
      family: 'both',
      transferPorts: 'any',
      read: true,
      write: false,
      allow: PRIVATE_NETWORKS,
      deny: [],
      readNames: [],
      writeNames: [],
      requestRate: 200,
      guessLimit: 100,
      expectedMisses: [],
      probes: true,
      profiles: [],
      maxUploadSize: 1_073_741_824,
      maxTransfers: 500,
      maxPerHost: 400,
      windowsizeMax: 64,
      timeout: 1000,
      retries: 6,
      deadline: 14_400_000,
      progressInterval: 1000,
      worker: false,
    });
  });

  for (const [name, ...values] of [
    ['port', -1, 65536, '69'],
    ['family', 'ipv5'],
    ['maxUploadSize', -1, 0.5],
    ['requestRate', -1, 0.5],
    ['guessLimit', -1, 10_001],
    ['maxTransfers', 0],
    ['maxPerHost', 0],
    ['blksizeMax', 7, 65465],
    ['windowsizeMax', 0, 65536],
    ['timeout', 9, 255_001],
    ['retries', -1, 101],
    ['deadline', -1],
    ['progressInterval', -1],
    ['worker', 1, 'yes'],
  ] as const) {
    for (const value of values) {
      it(`refuses ${name}: ${JSON.stringify(value)}`, () => {
        const options: ServerOptions = { storage, [name]: value };
        should(() => new TftpServer(options)).throw(
          new RegExp(`^${name} is ${value}: it must be `),
          {
            code: 'EINVAL',
          },
        );
      });
    }
  }
});
