import should = require('should');
import { parseServerOptions } from '../../src/server/server-options';
import type { ServerOptions } from '../../src/server/server-options';
import { MemoryStorage } from '../../src/storage/memory-storage';
import {
  clientFor,
  closeEnginesAfterEach,
  failureOf,
  gate,
  newServer,
  startServer,
} from '../helpers/engine';
import type { RunningServer } from '../helpers/engine';
import { seededBytes } from '../helpers/random';
import { ScriptedPeer, closePeersAfterEach, freePort } from '../helpers/scripted-peer';
import { HAS_IPV6, skipUnless } from '../helpers/skip';
import { ack, data, error, oack, rrq, wrq } from '../helpers/wire';

const MODES: readonly Required<ServerOptions>['transferPorts'][] = [
  'any',
  [20_700, 20_760],
  'single',
];

describe('TftpServer, the ports of transfers', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  let storage: MemoryStorage;
  let peer: ScriptedPeer;
  beforeEach(async () => {
    storage = new MemoryStorage([
      ['one', Buffer.alloc(600, '1')],
      ['two', Buffer.alloc(700, '2')],
      ['text', Buffer.from('a\nb\rc')],
      ['large', seededBytes(300_000, 7)],
    ]);
    peer = await ScriptedPeer.bind();
  });

  for (const transferPorts of MODES) {
    describe(`with transferPorts ${JSON.stringify(transferPorts)}`, () => {
      const start = (more: Partial<ServerOptions> = {}): Promise<RunningServer> =>
        startServer({ storage, timeout: 60_000, transferPorts, ...more });

      it('speaks from there, also in records', async () => {
        const { place, record } = await start();
        should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
        const { port } = peer.other;
        if (transferPorts === 'single') should(port).equal(place.port);
        else should(port).not.equal(place.port);
        if (typeof transferPorts !== 'string') should(port).be.within(...transferPorts);
        should(await peer.ask(ack(1))).equal('DATA 2 88 B');
        peer.send(ack(2));
        should(await record('complete')).have.properties({ localPort: port, bytes: 600 });
      });

      for (const family of ['127.0.0.1', '::1']) {
        it(`carries files both ways in all sorts of blocks and windows over ${family}`, async function () {
          skipUnless(this, family !== '::1' || HAS_IPV6, 'this machine has no IPv6');
          const { place } = await start({ address: family, blksizeMax: 65_464, timeout: 1000 });
          const client = clientFor(place);
          const file = storage.files.get('large')!;
          for (const [blksize, windowsize] of [
            [null, null],
            [1428, 16],
            [8192, 4],
            [65_464, 1],
          ] as const) {
            const options = { blksize, windowsize };
            should((await client.get('large', options)).data.equals(file)).equal(true);
            await client.put(file, 'copy', options);
            should(storage.files.get('copy')!.equals(file)).equal(true);
          }
          const text = await client.get('text', { mode: 'netascii' });
          should(text.data.toString()).equal('a\nb\rc');
          should((await client.stat('large')).size).equal(file.length);
          should((await failureOf(client.get('missing'))).code).equal('ENOENT');
        });
      }

      it('repeats its answer to a repeated request, and begins anew with another one', async () => {
        const { place, record } = await start();
        should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
        should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
        should(await peer.ask(rrq('two'), place)).equal('DATA 1 512 B');
        should((await record('error')).error!.code).equal('ECANCELED');
        should(await peer.ask(ack(1))).equal('DATA 2 188 B');
        peer.send(ack(2));
        should((await record('complete')).filename).equal('two');
      });

      it('re-acknowledges the last block of an upload after its end', async () => {
        const { place, record } = await start();
        should(await peer.ask(wrq('new'), place)).equal('ACK 0');
        should(await peer.ask(data(1, 'x'))).equal('ACK 1');
        await record('complete');
        should(await peer.ask(data(1, 'x'))).equal('ACK 1');
      });

      it('lets the same port ask again after the end', async () => {
        const { place, record } = await start();
        for (let times = 0; times < 3; times += 1) {
          should(await peer.ask(wrq('new'), place)).equal('ACK 0');
          should(await peer.ask(data(1, 'x'))).equal('ACK 1');
          await record('complete');
          should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
          should(await peer.ask(ack(1))).equal('DATA 2 88 B');
          peer.send(ack(2));
          await record('complete');
        }
      });

      it('keeps strangers out of a transfer', async () => {
        const { place } = await start();
        should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
        const stranger = await ScriptedPeer.bind();
        for (const packet of [error(0), oack(), data(1), ack(1)]) {
          stranger.send(packet, peer.other);
        }
        // A refusal is the first answer that cannot be one to those packets.
        const heard = [await stranger.ask(rrq('missing'), place)];
        while (!heard.at(-1)!.startsWith('ERROR 1 ')) heard.push(await stranger.hear());
        if (transferPorts === 'single') should(heard.length).equal(1);
        should(await peer.ask(ack(1))).equal('DATA 2 88 B');
        peer.send(ack(2));
      });

      it('tells the clients when it is closed, and frees its ports', async () => {
        const { server, place } = await start();
        should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
        const { port } = peer.other;
        const other = await ScriptedPeer.bind();
        should(await other.ask(wrq('new'), place)).equal('ACK 0');
        const closed = server.close();
        should(await peer.hear()).equal('ERROR 0 The server was stopped');
        should(await other.hear()).equal('ERROR 0 The server was stopped');
        await closed;
        should(storage.files.has('new')).equal(false);
        for (const free of new Set([port, place.port])) await ScriptedPeer.bind({ port: free });
      });

      it('ends what runs and what has just begun when it is closed gracefully', async () => {
        const opening = gate();
        const slow: ServerOptions['storage'] = {
          async openForReading(request) {
            await opening.opened;
            return storage.openForReading(request);
          },
          openForWriting: (request) => storage.openForWriting(request),
        };
        const { server, place, record } = await start({ storage: slow });
        should(await peer.ask(wrq('new'), place)).equal('ACK 0');
        const late = await ScriptedPeer.bind();
        late.send(rrq('two'), place);
        await arrived(server, 2);
        const closed = server.close({ graceful: true });
        const refused = await ScriptedPeer.bind();
        refused.send(rrq('one'), place);
        opening.open();
        should(await late.hear()).equal('DATA 1 512 B');
        should(await late.ask(ack(1))).equal('DATA 2 188 B');
        late.send(ack(2));
        should(await peer.ask(data(1, 'x'))).equal('ACK 1');
        await record((known) => known.event === 'complete' && known.filename === 'new');
        await closed;
        await refused.expectSilence();
        should(storage.files.get('new')!.toString()).equal('x');
        await ScriptedPeer.bind({ port: place.port });
      });
    });
  }

  describe('single', () => {
    it('serves fifty clients at once', async () => {
      const { place } = await startServer({ storage, timeout: 1000, transferPorts: 'single' });
      const file = storage.files.get('large')!;
      const clients = Array.from({ length: 50 }, async (_, index) => {
        const client = clientFor(place, { windowsize: 1 + (index % 8) });
        if (index % 2 === 0) return (await client.get('large')).data;
        await client.put(file, `copy${index}`);
        return storage.files.get(`copy${index}`)!;
      });
      for (const copy of await Promise.all(clients)) should(copy.equals(file)).equal(true);
    });
  });

  describe('a range', () => {
    it('exhausted: one more gets no answer until a port is free, and leaves nothing', async () => {
      const port = await freePort();
      const { server, place, record } = await startServer({
        storage,
        timeout: 60_000,
        transferPorts: [port, port],
      });
      should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
      should(peer.other.port).equal(port);
      const other = await ScriptedPeer.bind();
      for (const [index, request] of [rrq('two'), wrq('new')].entries()) {
        other.send(request, place);
        while (server.counters.dropped <= index) await new Promise(setImmediate);
      }
      await other.expectSilence();
      should(storage.files.has('new')).equal(false);
      peer.send(error(0));
      await record('error');
      should(await other.ask(rrq('two'), place)).equal('DATA 1 512 B');
      should(other.other.port).equal(port);
      other.send(error(0));
    });

    it('is used in no order, without the ports that others have and the one that was used last', async () => {
      const first = 20_765;
      const taken = await ScriptedPeer.bind({ port: first + 1 });
      const { place, record } = await startServer({ storage, transferPorts: [first, first + 6] });
      const ports: number[] = [];
      for (let times = 0; times < 60; times += 1) {
        should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
        ports.push(peer.other.port);
        peer.send(error(0));
        await record('error');
      }
      should([...new Set(ports)].sort((one, other) => one - other)).eql(
        [0, 2, 3, 4, 5, 6].map((more) => first + more),
      );
      const steps = ports.slice(1).map((port, index) => port - ports[index]!);
      should(steps).not.containEql(0);
      should(new Set(steps).size).be.above(4);
      taken.close();
    });

    it('that nobody may use is no reason to end', async () => {
      const taken = await ScriptedPeer.bind();
      const { server, place, records } = await startServer({
        storage,
        transferPorts: [taken.port, taken.port],
      });
      peer.send(rrq('one'), place);
      while (server.counters.dropped < 1) await new Promise(setImmediate);
      should(records).eql([]);
    });
  });

  for (const transferPorts of ['many', [1], [0, 5], [5, 4], [1, 65_536], [1.5, 2], ['1', '2']]) {
    it(`refuses ${JSON.stringify(transferPorts)}`, () => {
      const options = { storage, ...{ transferPorts } };
      // @ts-expect-error -- what somebody without TypeScript may give
      should(() => newServer(options)).throw(/^transferPorts is .*: it must be /, {
        code: 'EINVAL',
      });
    });
  }

  it('takes the numbers at the ends', () => {
    for (const ports of [
      [1, 65_535],
      [7, 7],
    ] as const) {
      should(parseServerOptions({ storage, transferPorts: ports }).transferPorts).eql(ports);
    }
  });
});

/** When the server has got so many requests. */
async function arrived(server: RunningServer['server'], requests: number): Promise<void> {
  while (server.counters.requests < requests) await new Promise(setImmediate);
}
