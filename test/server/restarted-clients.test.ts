/** Clients that ask again from the same port: boot ROMs and small IP stacks have one port for all they do. */

import { readFileSync } from 'node:fs';
import should = require('should');
import type { TransferRecord } from '../../src/net/transfer-record';
import type { ServerOptions } from '../../src/server/server-options';
import { SERVER_SYSTEM } from '../../src/server/server-system';
import { FolderStorage } from '../../src/storage/folder-storage';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { closeEnginesAfterEach, startServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import type { Place } from '../helpers/scripted-peer';
import { useTempFolder } from '../helpers/temp-folder';
import { VirtualClock } from '../helpers/virtual-clock';
import { ack, data, error, rrq, wrq } from '../helpers/wire';

const LONG = Buffer.alloc(512 * 40 + 10, 'x');
const BLOCK = 'x'.repeat(512);

/** Each story of the records: what was told of one id, in order. */
function stories(records: readonly TransferRecord[]): string[] {
  const told = new Map<string, string[]>();
  for (const { id, event, error: cause } of records) {
    if (event === 'progress') continue;
    const code = cause && `${cause.code}${cause.expected === true ? ' expected' : ''}`;
    told.set(id, [...(told.get(id) ?? []), code ?? event]);
  }
  return [...told.values()].map((events) => events.join(', '));
}

for (const transferPorts of ['any', 'single', [20_740, 20_760]] as const) {
  describe(`TftpServer, asked again from the same port, with transferPorts ${String(transferPorts)}`, () => {
    closePeersAfterEach();
    closeEnginesAfterEach();
    const temp = useTempFolder();
    let storage: MemoryStorage;
    let clock: VirtualClock;
    let peer: ScriptedPeer;
    beforeEach(async () => {
      storage = new MemoryStorage([
        ['long', LONG],
        ['two', LONG.subarray(0, 600)],
        ['small', LONG.subarray(0, 7)],
      ]);
      clock = new VirtualClock();
      peer = await ScriptedPeer.bind();
    });

    function start(more: Partial<ServerOptions> = {}) {
      const options = { storage, timeout: 1000, transferPorts, ...more };
      return startServer(options, { ...SERVER_SYSTEM, clock });
    }

    /** Reads up to block 3 of a long file. @returns where the blocks come from. */
    async function readOn(place: Place): Promise<Place> {
      should(await peer.ask(rrq('long'), place)).equal('DATA 1 512 B');
      should(await peer.ask(ack(1))).equal('DATA 2 512 B');
      should(await peer.ask(ack(2))).equal('DATA 3 512 B');
      return peer.other;
    }

    it('in mid-read: begins anew at once, and the old transfer ends as replaced', async () => {
      const { server, place, records, record } = await start();
      await readOn(place);
      should(await peer.ask(rrq('long'), place)).equal('DATA 1 512 B');
      should(stories(records)).eql(['start']);
      should(await peer.ask(ack(1))).equal('DATA 2 512 B');
      const old = await record('error');
      should(old.error).have.properties({ code: 'ECANCELED', expected: true });
      should(old.bytes).equal(1024);
      should((await record('start')).id).not.equal(old.id);
      await peer.expectSilence();
      for (let block = 2; block < 41; block += 1) await peer.ask(ack(block));
      peer.send(ack(41));
      await record('complete');
      should(stories(records)).eql(['start, ECANCELED expected', 'start, complete']);
      should(server.counters).have.properties({ requests: 2, completed: 1, failed: 0 });
      should(server.transfers).eql([]);
    });

    it('with options, and from an answered OACK on', async () => {
      const { place, records, record } = await start();
      const request = rrq('long', 'blksize', '1024');
      should(await peer.ask(request, place)).equal('OACK blksize 1024');
      should(await peer.ask(ack(0))).equal('DATA 1 1024 B');
      should(await peer.ask(request, place)).equal('OACK blksize 1024');
      should(await peer.ask(ack(0))).equal('DATA 1 1024 B');
      await record('error');
      should(await peer.ask(ack(1))).equal('DATA 2 1024 B');
      should(stories(records)).eql(['start, ECANCELED expected', 'start']);
    });

    it('with other words: the same', async () => {
      const { place, records, record } = await start();
      await readOn(place);
      should(await peer.ask(rrq('small'), place)).equal('DATA 1 7 B');
      peer.send(ack(1));
      should((await record('complete')).filename).equal('small');
      should(stories(records)).eql(['start, ECANCELED expected', 'start, complete']);
    });

    it('for a file that is missing: that is refused, and the old transfer is not replaced', async () => {
      const { place, records, record } = await start();
      const transfer = await readOn(place);
      should(await peer.ask(rrq('missing'), place)).equal('ERROR 1 File not found');
      await record('error');
      should(await peer.ask(ack(3), transfer)).equal('DATA 4 512 B');
      should(stories(records)).eql(['start', 'start, ENOENT']);
    });

    it('by somebody who forges its address: the transfer goes on, and nothing is told', async () => {
      const { server, place, records } = await start();
      const transfer = await readOn(place);
      should(await peer.ask(rrq('long'), place)).equal('DATA 1 512 B');
      should(await peer.ask(ack(3), transfer)).equal('DATA 4 512 B');
      should(await peer.ask(ack(4), transfer)).equal('DATA 5 512 B');
      // Both of them repeat their last packet.
      clock.pass(1000);
      peer.send(ack(5), transfer);
      while ((await peer.hear()) !== 'DATA 6 512 B');
      should(server.transfers).have.length(1);
      should(stories(records)).eql(['start']);
    });

    it('by a request that the network has doubled, which the client answers with ERROR 5', async () => {
      const { place, records, record } = await start();
      should(await peer.ask(rrq('two'), place)).equal('DATA 1 512 B');
      should(await peer.ask(ack(1))).equal('DATA 2 88 B');
      const transfer = peer.other;
      should(await peer.ask(rrq('two'), place)).equal('DATA 1 512 B');
      // With one port for all it cannot be told from an ERROR for the running transfer.
      if (transferPorts !== 'single') {
        peer.send(error(5, 'Unknown transfer ID'));
        peer.send(ack(2), transfer);
        await record('complete');
        should(stories(records)).eql(['start, complete']);
      }
    });

    it('when only the last ACK is missing, and when nothing is', async () => {
      const { place, records, record } = await start();
      should(await peer.ask(rrq('two'), place)).equal('DATA 1 512 B');
      should(await peer.ask(ack(1))).equal('DATA 2 88 B');
      for (let times = 0; times < 2; times += 1) {
        should(await peer.ask(rrq('two'), place)).equal('DATA 1 512 B');
        should(await peer.ask(ack(1))).equal('DATA 2 88 B');
        peer.send(ack(2));
        await record('complete');
      }
      should(stories(records)).eql([
        'start, ECANCELED expected',
        'start, complete',
        'start, complete',
      ]);
    });

    it('in mid-upload: ACK 0 at once, and the second try is the file', async () => {
      const { server, place, records, record } = await start();
      for (const request of [wrq('up'), wrq('up', 'timeout', '5')]) {
        const first = request.length > 12 ? 'OACK timeout 5' : 'ACK 0';
        should(await peer.ask(request, place)).equal(first);
        should(await peer.ask(data(1, BLOCK))).equal('ACK 1');
        should(await peer.ask(request, place)).equal(first);
        should(await peer.ask(data(1, 'new content'))).equal('ACK 1');
        await record('complete');
        should(storage.files.get('up')!.toString()).equal('new content');
      }
      const story = ['start, ECANCELED expected', 'start, complete'];
      should(stories(records)).eql([...story, ...story]);
      should(server.counters).have.properties({
        completed: 2,
        failed: 0,
        bytesReceived: 22 + 1024,
      });
    });

    it('in mid-upload into a folder: no ERROR of the first try reaches the second', async () => {
      const folder = new FolderStorage({ root: temp.path, overwrite: 'refuse' });
      const { place, records, record } = await start({ storage: folder });
      should(await peer.ask(wrq('up'), place)).equal('ACK 0');
      should(await peer.ask(data(1, BLOCK))).equal('ACK 1');
      should(await peer.ask(wrq('up'), place)).equal('ACK 0');
      should(await peer.ask(data(1, 'new content'))).equal('ACK 1');
      await record('complete');
      await peer.expectSilence();
      should(stories(records)).eql(['start, ECANCELED expected', 'start, complete']);
      should(readFileSync(temp.file('up'), 'utf8')).equal('new content');
    });

    it('after an upload: ACK 0 at once', async () => {
      const { place, record } = await start();
      for (const content of ['one', 'two']) {
        should(await peer.ask(wrq('up'), place)).equal('ACK 0');
        should(await peer.ask(data(1, content))).equal('ACK 1');
        await record('complete');
        should(storage.files.get('up')!.toString()).equal(content);
      }
    });

    for (const [title, first, second, answers] of [
      ['without options', rrq('long', 'blksize', '1024'), rrq('long'), 'DATA 1 512 B'],
      ['with other options', rrq('long'), rrq('long', 'tsize', '0'), 'OACK tsize 20490'],
    ] as const) {
      it(`before it has answered, ${title}: one story`, async () => {
        const { server, place, records, record } = await start();
        await peer.ask(first, place);
        const { id } = await record('start');
        should(await peer.ask(second, place)).equal(answers);
        for (let block = answers.startsWith('OACK') ? 0 : 1; block < 40; block += 1) {
          should(await peer.ask(ack(block))).equal(`DATA ${block + 1} 512 B`);
        }
        should(stories(records)).eql(['start']);
        should(server.transfers.map((running) => running.id)).eql([id]);
        should(server.abortAll()).equal(1);
        await record('error');
        should(stories(records)).eql(['start, ECANCELED']);
      });
    }

    it('before it has answered, without options, for what is refused now: one story', async () => {
      const { server, place, records, record } = await start();
      should(await peer.ask(rrq('long', 'blksize', '1024'), place)).equal('OACK blksize 1024');
      server.use({ storage: new MemoryStorage() });
      should(await peer.ask(rrq('long'), place)).equal('ERROR 1 File not found');
      await record('error');
      should(stories(records)).eql(['start, ENOENT']);
    });

    it('before it has answered, for something else: the first request is over', async () => {
      const { place, records, record } = await start();
      should(await peer.ask(rrq('long'), place)).equal('DATA 1 512 B');
      should(await peer.ask(rrq('small'), place)).equal('DATA 1 7 B');
      peer.send(ack(1));
      await record('complete');
      should(stories(records)).eql(['start, ECANCELED expected', 'start, complete']);
    });

    it('three times before any answer: one transfer, which opens the file once', async () => {
      const { server, place, records, record } = await start();
      for (let times = 0; times < 3; times += 1) {
        should(await peer.ask(rrq('small'), place)).equal('DATA 1 7 B');
      }
      should(server.transfers).have.length(1);
      peer.send(ack(1));
      await record('complete');
      await peer.expectSilence();
      should(stories(records)).eql(['start, complete']);
    });

    it('again and again: no more than two transfers, and each start has one ending', async () => {
      const { server, place, records, record } = await start();
      for (let times = 0; times < 5; times += 1) {
        await readOn(place);
        for (const name of ['two', 'small', 'two']) {
          should(await peer.ask(rrq(name), place)).match(/^DATA 1 /);
        }
      }
      should(server.transfers).have.length(1);
      await server.close();
      while (records.filter(({ event }) => event === 'error').length < 5) await record('error');
      const replaced = 'start, ECANCELED expected';
      should(stories(records)).eql([replaced, replaced, replaced, replaced, 'start, ECANCELED']);
    });
  });
}
