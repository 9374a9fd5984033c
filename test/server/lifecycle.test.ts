import { readdirSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import should = require('should');
import { FolderStorage } from '../../src/storage/folder-storage';
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { Storage } from '../../src/storage/storage';
import { runScript } from '../helpers/child';
import {
  clientFor,
  closeEnginesAfterEach,
  failureOf,
  gate,
  newServer,
  startServer,
} from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach, freePort } from '../helpers/scripted-peer';
import { HAS_IPV6, skipUnless } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';
import { ack, data, rrq, wrq } from '../helpers/wire';

describe('TftpServer, its beginning and end', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  const temp = useTempFolder();
  const storage = new MemoryStorage([
    ['large', Buffer.alloc(1_000_000)],
    ['small', Buffer.from('small')],
  ]);
  const local = { storage, address: '127.0.0.1', port: 0 } as const;

  describe('pause', () => {
    it('refuses new requests until resume, and lets running transfers go on', async () => {
      const { server, place, record } = await startServer({ storage, timeout: 1000 });
      const peer = await ScriptedPeer.bind();
      should(await peer.ask(rrq('large'), place)).equal('DATA 1 512 B');
      server.pause();
      should(server.paused).be.true();
      const other = await ScriptedPeer.bind();
      const paused = 'ERROR 0 The server is paused, try again later';
      should(await other.ask(rrq('small'), place)).equal(paused);
      should((await record('error')).error!.code).equal('EBUSY');
      should(await peer.ask(ack(1))).equal('DATA 2 512 B');
      server.resume();
      should(server.paused).be.false();
      should(await other.ask(rrq('small'), place)).equal('DATA 1 5 B');
    });
  });

  describe('abortAll', () => {
    it('ends the transfers of one address, or of all', async () => {
      const { server, place } = await startServer({ storage, timeout: 1000 });
      const peers = [await ScriptedPeer.bind(), await ScriptedPeer.bind()];
      for (const peer of peers) should(await peer.ask(rrq('large'), place)).equal('DATA 1 512 B');
      should(server.abortAll({ host: '192.0.2.1' })).equal(0);
      should(server.abortAll({ host: '127.0.0.1' }, 'Enough')).equal(2);
      for (const peer of peers) should(await peer.hear()).equal('ERROR 0 Enough');
      should(server.abortAll()).equal(0);
    });
  });

  describe('use', () => {
    it('serves from another storage, but for running transfers', async () => {
      const { server, place } = await startServer({ storage, timeout: 1000 });
      const peer = await ScriptedPeer.bind();
      should(await peer.ask(rrq('large'), place)).equal('DATA 1 512 B');
      server.use({ storage: new MemoryStorage([['other', Buffer.from('content')]]) });
      const client = clientFor(place);
      should((await client.get('other')).data.toString()).equal('content');
      await should(client.get('small')).be.rejectedWith({ code: 'ENOENT' });
      should(await peer.ask(ack(1))).equal('DATA 2 512 B');
    });
  });

  describe('listen', () => {
    it('tells where', async () => {
      const server = newServer(local);
      should(server.addresses).eql([]);
      const addresses = await server.listen();
      should(addresses).eql(server.addresses);
      should(addresses.length).equal(1);
      should(addresses[0]).have.properties({ address: '127.0.0.1', family: 'ipv4' });
      should(addresses[0]!.port).be.above(0);
      await server.close();
      should(server.addresses).eql([]);
    });

    it('takes both families at one port', async function () {
      skipUnless(this, HAS_IPV6, 'this machine has no IPv6');
      const server = newServer({ storage, port: 0 });
      const [ipv4, ipv6] = await server.listen();
      should(ipv4).have.properties({ address: '0.0.0.0', family: 'ipv4' });
      should(ipv6).have.properties({ address: '::', family: 'ipv6', port: ipv4!.port });
      for (const address of ['127.0.0.1', '::1']) {
        const { data: small } = await clientFor({ address, port: ipv4!.port }).get('small');
        should(small.toString()).equal('small');
      }
    });

    for (const [family, address] of [
      ['ipv4', '0.0.0.0'],
      ['ipv6', '::'],
    ] as const) {
      it(`takes ${family} alone`, async function () {
        skipUnless(this, family === 'ipv4' || HAS_IPV6, 'this machine has no IPv6');
        const server = newServer({ storage, port: 0, family });
        should((await server.listen()).map((place) => place.address)).eql([address]);
      });
    }

    it('fails when another server has the port', async () => {
      const { place } = await startServer({ storage });
      for (const options of [
        { ...local, port: place.port },
        { storage, port: place.port },
      ]) {
        const failure = await failureOf(newServer(options).listen());
        should(failure).have.properties({ code: 'EADDRINUSE', name: 'LocalError' });
      }
    });

    it('frees the IPv4 port when the IPv6 port is in use', async function () {
      skipUnless(this, HAS_IPV6, 'this machine has no IPv6');
      const { place } = await startServer({ storage, address: '::' });
      const failure = await failureOf(newServer({ storage, port: place.port }).listen());
      should(failure.code).equal('EADDRINUSE');
      await startServer({ storage, address: '0.0.0.0', port: place.port });
    });

    it('fails for an address that is none, or not ours', async () => {
      const wrong = newServer({ ...local, address: 'localhost' });
      should((await failureOf(wrong.listen())).code).equal('EINVAL');
      const foreign = newServer({ ...local, address: '192.0.2.1' });
      should((await failureOf(foreign.listen())).code).equal('EADDRNOTAVAIL');
    });

    it('fails while it listens already', async () => {
      const { server, place } = await startServer({ storage });
      should((await failureOf(server.listen())).code).equal('EINVAL');
      should((await clientFor(place).get('small')).data.length).equal(5);
    });

    it('succeeds once when it is called twice at the same time', async () => {
      const server = newServer(local);
      const both = await Promise.allSettled([server.listen(), server.listen()]);
      should(both.map(({ status }) => status)).eql(['fulfilled', 'rejected']);
      const { address, port } = server.addresses[0]!;
      await server.close();
      should((await ScriptedPeer.bind({ address, port })).port).equal(port);
    });

    it('fails when it is closed meanwhile, and leaves the port free', async () => {
      const port = await freePort();
      const server = newServer({ ...local, port });
      const listening = failureOf(server.listen());
      await server.close();
      should((await listening).code).equal('ECANCELED');
      await ScriptedPeer.bind({ port });
      const late = newServer(local).listen(AbortSignal.abort());
      should((await failureOf(late)).code).equal('ECANCELED');
    });

    it('works again after close, and after a failure', async () => {
      const port = await freePort();
      const other = await ScriptedPeer.bind({ port });
      const server = newServer({ ...local, port });
      should((await failureOf(server.listen())).code).equal('EADDRINUSE');
      other.close();
      for (let times = 0; times < 3; times += 1) {
        const [place] = await server.listen();
        should(place!.port).equal(port);
        should((await clientFor(place!).get('small')).data.length).equal(5);
        await server.close();
      }
    });
  });

  describe('close', () => {
    it('at once: clients get an ERROR, no part stays, the port is free', async () => {
      const folder = new FolderStorage({ root: temp.path });
      const mixed: Storage = {
        openForReading: (request) => storage.openForReading(request),
        openForWriting: (request) => folder.openForWriting(request),
      };
      const { server, place, records } = await startServer({ storage: mixed, timeout: 1000 });
      const [reader, writer] = [await ScriptedPeer.bind(), await ScriptedPeer.bind()];
      await reader.ask(rrq('large'), place);
      should(await reader.ask(ack(1))).equal('DATA 2 512 B');
      await writer.ask(wrq('up'), place);
      should(await writer.ask(data(1, 'x'.repeat(512)))).equal('ACK 1');
      should(readdirSync(temp.path).length).equal(1);

      const begin = performance.now();
      await server.close();
      should(performance.now() - begin).be.below(1000);
      for (const peer of [reader, writer]) {
        should(await peer.hear()).equal('ERROR 0 The server was stopped');
      }
      should(readdirSync(temp.path)).eql([]);
      should(server.transfers).eql([]);
      const ends = records.filter(({ event }) => event !== 'start');
      should(ends.map(({ event, error: cause }) => [event, cause?.code])).eql([
        ['error', 'ECANCELED'],
        ['error', 'ECANCELED'],
      ]);
      await startServer({ storage, port: place.port });
    });

    it('graceful: running transfers may end, new ones are not taken', async () => {
      const { server, place, records } = await startServer({ storage, timeout: 1000 });
      const peer = await ScriptedPeer.bind();
      should(await peer.ask(wrq('up'), place)).equal('ACK 0');
      const transfer = peer.other;
      const closed = server.close({ graceful: true });
      await bindWhenFree(place.port);
      should(await peer.ask(data(1, 'x'), transfer)).equal('ACK 1');
      await closed;
      should(records.at(-1)).have.properties({ event: 'complete', bytes: 1 });
    });

    it('at once goes before graceful', async () => {
      const { server, place } = await startServer({ storage, timeout: 1000 });
      const peer = await ScriptedPeer.bind();
      await peer.ask(rrq('large'), place);
      const graceful = server.close({ graceful: true });
      await server.close();
      await graceful;
      should(await peer.hear()).equal('ERROR 0 The server was stopped');
    });

    it('waits for a commit that has begun', async () => {
      const [begun, commit] = [gate(), gate()];
      const slow: Storage = {
        openForReading: () => Promise.reject(new Error('no')),
        openForWriting: async () => ({
          write: async () => undefined,
          async commit() {
            begun.open();
            await commit.opened;
          },
          discard: async () => undefined,
        }),
      };
      const { server, place, records } = await startServer({ storage: slow, timeout: 1000 });
      const peer = await ScriptedPeer.bind();
      await peer.ask(wrq('up'), place);
      peer.send(data(1, 'x'));
      await begun.opened;
      const closed = server.close();
      commit.open();
      should(await peer.hear()).equal('ACK 1');
      await closed;
      should(records.at(-1)!.event).equal('complete');
    });

    it('takes a signal for it', async () => {
      const stop = new AbortController();
      const server = newServer(local);
      const [place] = await server.listen(stop.signal);
      const closed = new Promise<void>((resolve) => server.once('close', resolve));
      stop.abort();
      await closed;
      await ScriptedPeer.bind({ port: place!.port });
    });

    it('may be called at any time, and as often as one likes', async () => {
      const server = newServer(local);
      await server.close();
      await server.listen();
      await Promise.all([server.close(), server.close()]);
      await server.close();
    });

    it('leaves nothing that keeps the process alive', async () => {
      const { stdout, stderr, exitCode, lingered } = await runScript(`
        const { TftpServer } = engine('server/server');
        const { TftpClient } = engine('client/client');
        const { MemoryStorage } = engine('storage/memory-storage');
        const storage = new MemoryStorage();
        const server = new TftpServer({ storage, write: true, address: '127.0.0.1', port: 0 });
        (async () => {
          const [{ port }] = await server.listen();
          const client = new TftpClient({ host: '127.0.0.1', port });
          await client.put('x', 'f');
          await client.get('f');
          await server.close();
          console.log('closed');
        })();
      `);
      should({ stdout, stderr, exitCode }).eql({ stdout: 'closed\n', stderr: '', exitCode: 0 });
      should(lingered).be.below(1000);
    });
  });
});

/** A server in a worker frees its port soon, not at once. */
async function bindWhenFree(port: number): Promise<ScriptedPeer> {
  for (;;) {
    const peer = await ScriptedPeer.bind({ port }).catch(() => undefined);
    if (peer) return peer;
    await setImmediate();
  }
}
