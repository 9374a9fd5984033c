import should = require('should');
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { Storage, StorageWriteRequest } from '../../src/storage/storage';
import { closeEnginesAfterEach, startServer } from '../helpers/engine';
import type { RunningServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ON_LINUX, skipUnless } from '../helpers/skip';
import { ack, data, error, oack, rrq, wrq } from '../helpers/wire';

/** Counts how often something is opened. */
class CountingStorage implements Storage {
  readonly files = new MemoryStorage([
    ['one', Buffer.alloc(600, '1')],
    ['two', Buffer.alloc(700, '2')],
  ]);
  opened = 0;

  openForReading(request: StorageWriteRequest) {
    this.opened += 1;
    return this.files.openForReading(request);
  }

  openForWriting(request: StorageWriteRequest) {
    this.opened += 1;
    return this.files.openForWriting(request);
  }
}

describe('TftpServer, the listening port', () => {
  // Nothing is repeated here because time has passed.
  closePeersAfterEach();
  closeEnginesAfterEach();
  let storage: CountingStorage;
  let running: RunningServer;
  let peer: ScriptedPeer;
  beforeEach(async () => {
    storage = new CountingStorage();
    running = await startServer({ storage, timeout: 60_000 });
    peer = await ScriptedPeer.bind();
  });

  it('answers nothing but requests, whatever the length', async () => {
    const { server, place } = running;
    const opcodes = [0, 3, 4, 5, 6, 7, 0x0100, 0xffff];
    let sent = 0;
    for (const opcode of opcodes) {
      for (let length = 0; length <= 16; length += 1) {
        const junk = Buffer.alloc(18, 1);
        junk.writeUInt16BE(opcode);
        // One byte is no opcode, and two bytes of 1 would be a request.
        peer.send(junk.subarray(0, length), place);
        sent += 1;
      }
      should(await peer.ask(rrq('missing'), place)).equal('ERROR 1 File not found');
    }
    should(server.counters).have.properties({
      ignored: sent,
      requests: opcodes.length,
      refused: opcodes.length,
    });
    should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
    peer.send(error(0));
  });

  it('refuses requests cut short, and answers each only once', async () => {
    const { server, place } = running;
    const request = rrq('missing');
    for (let length = 2; length < request.length - 1; length += 1) {
      should(await peer.ask(request.subarray(0, length), place)).match(/^ERROR 4 /);
    }
    // Without its last NUL a request is still clear.
    should(await peer.ask(request.subarray(0, -1), place)).match(/^ERROR 1 /);
    await peer.expectSilence();
    should(server.transfers).eql([]);
  });

  it('answers no transfer packet of a client that has a transfer', async () => {
    should(await peer.ask(rrq('one'), running.place)).equal('DATA 1 512 B');
    const transfer = peer.other;
    for (const packet of [ack(1), data(1), oack(), error(0)]) peer.send(packet, running.place);
    should(await peer.ask(rrq('one'), running.place)).equal('DATA 1 512 B');
    should(await peer.ask(ack(1), transfer)).equal('DATA 2 88 B');
    peer.send(ack(2));
    should((await running.record('complete')).bytes).equal(600);
  });

  it('repeats its answer to a repeated read, and opens the file once', async () => {
    for (const request of [rrq('one'), rrq('one', 'blksize', '1000')]) {
      storage.opened = 0;
      const client = await ScriptedPeer.bind();
      const first = await client.ask(request, running.place);
      const { port } = client.other;
      should(await client.ask(request, running.place)).equal(first);
      should(client.other.port).equal(port);
      should(storage.opened).equal(1);
      client.send(error(0));
    }
  });

  it('repeats its answer to a repeated write', async () => {
    const request = wrq('new');
    should(await peer.ask(request, running.place)).equal('ACK 0');
    should(await peer.ask(request, running.place)).equal('ACK 0');
    should(await peer.ask(data(1, 'x'.repeat(512)))).equal('ACK 1');
    should(await peer.ask(data(2, 'y'))).equal('ACK 2');
    should(storage.opened).equal(1);
    should(storage.files.files.get('new')!.length).equal(513);
  });

  it('repeats it three times at most', async () => {
    for (let sent = 1; sent <= 3; sent += 1) {
      should(await peer.ask(rrq('one'), running.place)).equal('DATA 1 512 B');
    }
    peer.send(rrq('one'), running.place);
    const other = await ScriptedPeer.bind();
    should(await other.ask(rrq('missing'), running.place)).match(/^ERROR 1/);
    await peer.expectSilence();
  });

  it('begins anew when the same port asks for something else', async () => {
    should(await peer.ask(rrq('one'), running.place)).equal('DATA 1 512 B');
    const old = peer.other;
    should(await peer.ask(rrq('two'), running.place)).equal('DATA 1 512 B');
    should(peer.other.port).not.equal(old.port);
    should(await peer.ask(ack(1))).equal('DATA 2 188 B');
    peer.send(ack(2));
    should((await running.record('error')).error!.code).equal('ECANCELED');
    should((await running.record('complete')).filename).equal('two');
  });

  it('lets the same port ask again after the end', async () => {
    for (let times = 0; times < 3; times += 1) {
      should(await peer.ask(rrq('one'), running.place)).equal('DATA 1 512 B');
      should(await peer.ask(ack(1))).equal('DATA 2 88 B');
      peer.send(ack(2));
      await running.record('complete');
    }
  });

  it('serves clients at ports below 1024', async function () {
    skipUnless(this, process.getuid?.() === 0, 'only root may use a port below 1024');
    const low = await ScriptedPeer.bind({ address: '127.0.0.1', port: 69 }).catch(() => undefined);
    skipUnless(this, low !== undefined, 'port 69 is in use');
    should(await low!.ask(rrq('one'), running.place)).equal('DATA 1 512 B');
    low!.send(error(0));
  });

  it('answers from the address that was asked', async function () {
    skipUnless(this, ON_LINUX, 'only Linux has 127.0.0.2 without setting it up');
    const { place } = await startServer({ storage, address: '127.0.0.2' });
    should(await peer.ask(rrq('one'), place)).equal('DATA 1 512 B');
    should(peer.other.address).equal('127.0.0.2');
    peer.send(error(0));
  });
});
