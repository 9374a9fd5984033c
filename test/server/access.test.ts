/** What the server says to whom, and what it tells of it. */

import should = require('should');
import type { GuessAlarm } from '../../src/server/guess-alarm';
import { TftpServer } from '../../src/server/server';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { systemClock } from '../../src/net/clock';
import { SERVER_SYSTEM } from '../../src/server/server-system';
import { clientFor, closeEnginesAfterEach, failureOf, startServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ack, error, rrq, wrq } from '../helpers/wire';

const storage = new MemoryStorage([
  ['a.cfg', Buffer.alloc(10)],
  ['secret/a.cfg', Buffer.alloc(10)],
  ['SEP001122AABBCC.cnf.xml', Buffer.alloc(10)],
]);
const NOT_READ = 'ERROR 2 A file of this name may not be read';
const NOT_WRITTEN = 'ERROR 2 A file of this name may not be written';

describe('TftpServer, who may have what', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  let peer: ScriptedPeer;
  beforeEach(async () => {
    peer = await ScriptedPeer.bind();
  });

  it('deny wins over allow', async () => {
    const { place } = await startServer({
      storage,
      allow: ['127.0.0.0/8'],
      deny: ['192.0.2.0/24', '127.0.0.1'],
    });
    const denied = 'ERROR 2 Your address may not use this server';
    should(await peer.ask(rrq('a.cfg'), place)).equal(denied);
  });

  it('readNames: only these, however they are written', async () => {
    const { place, record } = await startServer({ storage, readNames: ['**/*.cfg', '!secret/**'] });
    should(await peer.ask(rrq('a.cfg'), place)).equal('DATA 1 10 B');
    peer.send(ack(1));
    await record('complete');
    for (const name of ['secret/a.cfg', '\\secret\\a.cfg', './/Secret/a.cfg', 'a.bin']) {
      should(await peer.ask(rrq(name), place)).equal(NOT_READ, name);
    }
    const tricked = await peer.ask(rrq('x/../secret/a.cfg'), place);
    should(tricked).equal("ERROR 2 The file name has '..' in it");
    should(await peer.ask(wrq('a.bin'), place)).equal('ACK 0');
    peer.send(error(0));
  });

  it('writeNames: only these', async () => {
    const { place } = await startServer({ storage, writeNames: ['*-app.log'] });
    should(await peer.ask(wrq('a.cfg'), place)).equal(NOT_WRITTEN);
    should(await peer.ask(wrq('0004f2aabbcc-app.log'), place)).equal('ACK 0');
    peer.send(error(0));
  });

  for (const wrong of [
    { deny: ['home'] },
    { readNames: ['a['] },
    { writeNames: ['!'] },
    { expectedMisses: ['set:x'] },
  ]) {
    it(`cannot be told ${JSON.stringify(wrong)}`, () => {
      should(() => new TftpServer({ storage, ...wrong })).throw({ code: 'EINVAL' });
    });
  }

  it('knows the hardware address that is in a name, of transfers and of refusals', async () => {
    const { place, record } = await startServer({ storage });
    await peer.ask(rrq('SEP001122AABBCC.cnf.xml'), place);
    peer.send(ack(1));
    should((await record('start')).mac).equal('00:11:22:aa:bb:cc');
    should((await record('complete')).mac).equal('00:11:22:aa:bb:cc');
    await peer.ask(rrq('SEP0011223344FE.cnf.xml'), place);
    should((await record('error')).mac).equal('00:11:22:33:44:fe');
    await peer.ask(rrq('a.bin'), place);
    should(await record('error')).not.have.property('mac');
  });
});

describe('TftpServer, a refusal that is asked about again', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  const storage = new MemoryStorage([['f', Buffer.alloc(10)]]);

  it('is one story for a client that asks once more without options', async () => {
    const { server, place, records } = await startServer({ storage, readNames: ['other'] });
    const failure = await failureOf(clientFor(place).get('f'));
    should(failure).have.properties({ code: 'EACCES' });
    should(records.map(({ event }) => event)).eql(['start', 'error']);
    should(server.counters).have.properties({ requests: 2, refused: 1, failed: 1 });
  });

  it('is a new story for another file or direction, later, or where the first one had no options', async () => {
    let now = 0;
    const clock = { ...systemClock, now: () => now };
    const options = { storage, deny: ['127.0.0.1'] };
    const { server, place } = await startServer(options, { ...SERVER_SYSTEM, clock });
    const peer = await ScriptedPeer.bind();
    for (const [first, second, wait] of [
      [rrq('f', 'tsize', '0'), rrq('g'), 0],
      [rrq('f', 'tsize', '0'), wrq('f'), 0],
      [rrq('f', 'tsize', '0'), rrq('f'), 5001],
      [rrq('f'), rrq('f'), 0],
    ] as const) {
      const { refused } = server.counters;
      await peer.ask(first, place);
      now += wait;
      await peer.ask(second, place);
      should(server.counters.refused).equal(refused + 2);
    }
  });
});

describe('TftpServer, what is normal', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  let peer: ScriptedPeer;
  beforeEach(async () => {
    peer = await ScriptedPeer.bind();
  });

  it('an expected miss is answered like any other, marked, and counted for itself', async () => {
    const expectedMisses = ['set:cisco', 'optional/*'];
    const { place, record, server } = await startServer({ storage, expectedMisses, guessLimit: 3 });
    for (const name of ['ctlfile.TLV', '\\optional\\x', '/CTLSEP001122AABBCC.tlv', 'optional/y']) {
      should(await peer.ask(rrq(name), place)).match(/^ERROR 1 /);
      should((await record('error')).error).have.properties({ code: 'ENOENT', expected: true });
    }
    await peer.ask(rrq('a.bin'), place);
    should((await record('error')).error).not.have.property('expected');
    should(server.counters).have.properties({
      requests: 5,
      refused: 5,
      failed: 1,
      expected: 4,
      alarms: 0,
    });
  });

  it('what is refused for another reason is never expected', async () => {
    const expectedMisses = ['**'];
    const { place, record } = await startServer({ storage, expectedMisses, readNames: ['*.cfg'] });
    await peer.ask(rrq('a.bin'), place);
    should((await record('error')).error).not.have.property('expected');
  });

  it('the read after a probe names it, also if it fails', async () => {
    const vanishing = new MemoryStorage([['a.cfg', Buffer.alloc(10)]]);
    const { place, record } = await startServer({ storage: vanishing, timeout: 1000 });
    should(await peer.ask(rrq('a.cfg', 'tsize', '0'), place)).equal('OACK tsize 10');
    peer.send(error(8, 'User aborted the transfer'));
    const probe = await record('probe');
    vanishing.files.delete('a.cfg');
    should(await peer.ask(rrq('a.cfg'), place)).equal('ERROR 1 File not found');
    should((await record('error')).afterProbe).equal(probe.id);
  });

  it('the read after a probe names it', async () => {
    const { place, record, records } = await startServer({ storage, timeout: 1000 });
    should(await peer.ask(rrq('a.cfg', 'tsize', '0'), place)).equal('OACK tsize 10');
    peer.send(error(8, 'User aborted the transfer'));
    const probe = await record('probe');
    should(probe).not.have.property('afterProbe');

    const other = await ScriptedPeer.bind();
    for (const name of ['secret/a.cfg', 'a.cfg', 'a.cfg']) {
      await other.ask(rrq(name), place);
      other.send(ack(1));
      await record('complete');
    }
    const followers = records.filter(({ event }) => event === 'complete');
    should(followers.map(({ afterProbe }) => afterProbe)).eql([undefined, probe.id, undefined]);
  });

  it('who asks for many names that do not exist raises the alarm', async () => {
    const { place, server } = await startServer({ storage, guessLimit: 20 });
    const alarms: GuessAlarm[] = [];
    server.on('alarm', (alarm) => alarms.push(alarm));
    for (let n = 1; n <= 39; n += 1) await peer.ask(rrq(`SEP${n}.cnf.xml`), place);
    should(alarms).have.length(1);
    should(alarms[0]).have.properties({ host: '127.0.0.1', misses: 20 });
    should(alarms[0]!.names).have.length(10);
    should(alarms[0]!.names.at(-1)).equal('SEP20.cnf.xml');
    should(server.counters.alarms).equal(1);
    await peer.ask(rrq('SEP40.cnf.xml'), place);
    should(server.counters.alarms).equal(2);
  });
});
