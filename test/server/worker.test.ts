import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import should = require('should');
import { UploadMemory } from '../../src/node-red/upload-memory';
import { UploadStorage } from '../../src/node-red/upload-storage';
import { NameRules } from '../../src/server/names/name-rules';
import type { StoredFile } from '../../src/server/stored-file';
import { fileSource } from '../../src/storage/data-source';
import { FileError } from '../../src/storage/file-error';
import { FolderStorage } from '../../src/storage/folder-storage';
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { Storage } from '../../src/storage/storage';
import { runScript } from '../helpers/child';
import {
  clientFor,
  closeEnginesAfterEach,
  countingSink,
  failureOf,
  startServer,
} from '../helpers/engine';
import type { RunningServer } from '../helpers/engine';
import { OddStorage } from '../helpers/odd-storage';
import { startPacedClients } from '../helpers/paced-client';
import type { PacedRead } from '../helpers/paced-client';
import { seededBytes } from '../helpers/random';
import { ScriptedPeer, closePeersAfterEach, freePort } from '../helpers/scripted-peer';
import type { Place } from '../helpers/scripted-peer';
import { useTempFolder } from '../helpers/temp-folder';
import { ack, error, rrq, wrq } from '../helpers/wire';

const BLOCKED_FOR = 2000;

const FLAWLESS = { event: 'complete', retransmits: 0, duplicates: 0 };

/** So long that slow reads of them outlast the block of the main thread. */
const LONG = seededBytes(512 * 20 + 7, 21);
const WIDE = seededBytes(8 * 512 * 20, 22);

describe('TftpServer with a worker', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  const temp = useTempFolder();

  describe('while the main thread is blocked', () => {
    const lockStep: PacedRead = { file: 'long', windowsize: 1 };
    const windowed: PacedRead = { file: 'windowed', windowsize: 8 };

    /** Blocks the main thread in the middle of some slow reads, of which nothing may come twice. */
    async function blockDuring(running: RunningServer, reads: PacedRead[], fresh?: string) {
      const { place, record, records } = running;
      const blocked = new Int32Array(new SharedArrayBuffer(4));
      const clients = startPacedClients({ place, reads, fresh, blocked });
      await clients.running;
      Atomics.store(blocked, 0, 1);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_FOR);
      Atomics.store(blocked, 0, 2);
      const result = await clients.result;
      const files = reads.map(({ file }) => file);
      for (const _ of files) {
        await record(({ event, filename }) => event === 'complete' && files.includes(filename));
      }
      const ends = records.filter(({ event }) => event === 'complete' || event === 'error');
      for (const { event, retransmits, duplicates } of ends) {
        should({ event, retransmits, duplicates }).eql(FLAWLESS);
      }
      should(result.reads.map(({ repeated }) => repeated)).eql(reads.map(() => 0));
      return result;
    }

    it('serves what runs and what is asked anew from a folder', async () => {
      for (const name of ['long', 'fresh']) writeFileSync(temp.file(name), LONG);
      writeFileSync(temp.file('windowed'), WIDE);
      const storage = new FolderStorage({ root: temp.path });
      const running = await startServer({ storage, worker: true, timeout: 1000 });
      const { reads, fresh } = await blockDuring(running, [lockStep, windowed], 'fresh');
      should(LONG.equals(reads[0]!.content)).equal(true);
      should(WIDE.equals(reads[1]!.content)).equal(true);
      should(fresh.length).be.above(2);
      for (const content of fresh) should(LONG.equals(content)).equal(true);
    });

    for (const [what, storage] of [
      ['memory', new MemoryStorage([['long', LONG]])],
      [
        'a file that a storage of the user has opened',
        {
          openForReading: () => fileSource(temp.file('long')),
          openForWriting: () => Promise.reject(new Error('no')),
        },
      ],
    ] as const) {
      it(`goes on with what it reads from ${what}`, async () => {
        writeFileSync(temp.file('long'), LONG);
        const running = await startServer({ storage, worker: true, timeout: 1000 });
        const { reads } = await blockDuring(running, [lockStep]);
        should(LONG.equals(reads[0]!.content)).equal(true);
      });
    }
  });

  describe('storages that stay in the main thread', () => {
    it('are asked there, and their errors are the same', async () => {
      const asked: unknown[] = [];
      const storage: Storage = {
        openForReading({ filename, client, mode, signal }) {
          asked.push({ filename, address: client.address, mode, waits: signal?.aborted === false });
          throw new FileError('irregular', '/secret/path');
        },
        openForWriting: () => Promise.reject(new Error('/secret/path')),
      };
      const { place, record } = await startServer({ storage, worker: true });
      const peer = await ScriptedPeer.bind();
      should(await peer.ask(rrq('f'), place)).equal('ERROR 2 Not a regular file');
      should((await record('error')).error).match({
        code: 'ENOPERM',
        message: /^\/secret\/path is/,
      });
      should(await peer.ask(wrq('f'), place)).equal('ERROR 0 An internal error occurred');
      should(asked).eql([{ filename: 'f', address: '127.0.0.1', mode: 'octet', waits: true }]);
    });

    it('give their own sinks for uploads', async () => {
      const { sink, calls } = countingSink();
      const storage: Storage = {
        openForReading: () => Promise.reject(new Error('no')),
        openForWriting: async () => sink,
      };
      const { server, place } = await startServer({ storage, worker: true });
      const upload = new Promise<StoredFile>((resolve) => {
        server.on('upload', (_, stored) => resolve(stored));
      });
      await clientFor(place).put(LONG, 'f');
      should((await upload).sink).equal(sink);
      should(calls).eql({ bytes: LONG.length, commit: 1, discard: 0 });
    });
  });

  it('hands out the content of uploads that the worker keeps in memory', async () => {
    const memory = new UploadMemory(LONG.length);
    const storage = new UploadStorage(new FolderStorage({ root: temp.path }), 'both', memory);
    const { server, place } = await startServer({ storage, worker: true });
    const upload = new Promise<StoredFile>((resolve) => {
      server.on('upload', (_, stored) => resolve(stored));
    });
    await clientFor(place).put(LONG, 'f');
    const { data: content, path, sink } = await upload;
    should(LONG.equals(content!)).equal(true);
    should({ path, sink }).eql({ path: temp.file('f'), sink: undefined });
    should(LONG.equals(readFileSync(temp.file('f')))).equal(true);
  });

  it('holds uploads at the same time to one quota, and each name to one upload', async () => {
    const storage = new FolderStorage({ root: temp.path, quota: 1000 });
    const { place } = await startServer({ storage, worker: true, timeout: 10_000 });
    const [one, other] = await Promise.all([1, 2].map(() => ScriptedPeer.bind()));
    const third = await ScriptedPeer.bind({ address: '127.0.0.2' });
    should(await one!.ask(wrq('a', 'tsize', '600'), place)).equal('OACK tsize 600');
    const full = 'ERROR 3 Disk full or allocation exceeded';
    should(await other!.ask(wrq('b', 'tsize', '600'), place)).equal(full);
    should(await third.ask(wrq('a', 'tsize', '100'), place)).match(/^ERROR 6 /);
    one!.send(error(0));
  });

  it('counts the hits of rules, and follows them when they are read again', async () => {
    const storage = new MemoryStorage([
      ['one', Buffer.from('1')],
      ['two', Buffer.from('22')],
    ]);
    const rules = NameRules.parse('r ^x$ one');
    const { place, record } = await startServer({ storage, worker: true, rules });
    const client = clientFor(place);
    for (let times = 0; times < 4; times += 1) {
      should((await client.get('x')).data.toString()).equal('1');
      await record('complete');
    }
    should(rules.hits).eql([{ line: 1, rule: 'r ^x$ one', hits: 4 }]);
    rules.reload('r ^y$ one\nr ^x$ two');
    should((await client.get('x')).data.toString()).equal('22');
    await record('complete');
    should(rules.hits.map(({ hits }) => hits)).eql([0, 1]);
  });

  describe('a worker that ends by itself', () => {
    async function start() {
      const storage = new OddStorage({ long: 'x'.repeat(10_000), f: 'content' });
      const running = await startServer({ storage, worker: true, timeout: 10_000 });
      const problems: string[] = [];
      const problem = new Promise<void>((resolve) => {
        running.server.on('problem', ({ message }) => {
          problems.push(message);
          resolve();
        });
      });
      return { ...running, problems, problem };
    }

    it('is a problem, its transfers fail, and the server listens again', async () => {
      const { server, place, record, problem, problems } = await start();
      const peer = await ScriptedPeer.bind();
      should(await peer.ask(rrq('long'), place)).equal('DATA 1 512 B');
      (await ScriptedPeer.bind()).send(rrq('die'), place);
      should((await record('error')).error!.code).equal('EIO');
      await problem;
      should(problems[0]).match(/^The worker of the server has ended, and its transfers with it: /);
      should((await fetchFrom(place)).toString()).equal('content');
      await record('complete');
      should(server.addresses).eql([{ ...place, family: 'ipv4' }]);
      should(server.counters).have.properties({ failed: 1, completed: 1 });
    });

    it('ends each running transfer once, and its files', async () => {
      const { server, place, records, record, problem } = await start();
      const peers = await Promise.all([1, 2, 3, 4].map(() => ScriptedPeer.bind()));
      for (const peer of peers) {
        should(await peer.ask(rrq('long'), place)).equal('DATA 1 512 B');
        should(await peer.ask(ack(1))).equal('DATA 2 512 B');
      }
      while (server.transfers.length < 4) await setTimeout(1);
      (await ScriptedPeer.bind()).send(rrq('die'), place);
      await problem;
      for (const _ of peers) await record('error');
      for (const peer of peers) {
        const story = records.filter(({ port }) => port === peer.port);
        const ends = story.filter(({ event }) => event !== 'start' && event !== 'progress');
        should(ends.map(({ error: cause }) => cause?.code)).eql(['EIO']);
        should(new Set(story.map(({ id }) => id)).size).equal(1);
      }
      should(server.transfers).eql([]);
      should(server.counters).have.properties({ failed: 4, completed: 0 });
    });

    it('again and again: the server gives up, and says so', async () => {
      const { server, place, problems } = await start();
      const closed = new Promise<void>((resolve) => server.once('close', resolve));
      const peer = await ScriptedPeer.bind();
      for (let times = 1; times <= 4; times += 1) {
        while (problems.length < times) {
          // What still waits in a socket when its thread ends must not end the process.
          for (let sent = 0; sent < 50; sent += 1) peer.send(rrq('die'), place);
          await setTimeout(50);
        }
      }
      await closed;
      should(problems.at(-1)).match(/keeps ending/);
      should(server.addresses).eql([]);
      await ScriptedPeer.bind({ port: place.port });
    });

    it('while it hangs: close settles in time, and frees the port', async () => {
      const { server, place, record } = await start();
      const peer = await ScriptedPeer.bind();
      should(await peer.ask(rrq('long'), place)).equal('DATA 1 512 B');
      (await ScriptedPeer.bind()).send(rrq('hang'), place);
      const begin = performance.now();
      await server.close();
      should(performance.now() - begin).be.below(3000);
      should((await record('error')).error!.code).equal('ECANCELED');
      await ScriptedPeer.bind({ port: place.port });
    });
  });

  it('cannot start with a storage that the worker cannot make, and says why', async () => {
    const storage = new MemoryStorage();
    const portable = { module: temp.file('none.js'), name: 'none', data: undefined };
    const broken = Object.assign(storage, { portable });
    const port = await freePort();
    const failure = await failureOf(startServer({ storage: broken, worker: true, port }));
    should(failure).have.properties({ code: 'EIO' });
    should(failure.message).match(/Cannot find module/);
    await ScriptedPeer.bind({ port });
  });

  it('tells the running transfers within a second, without progress events', async () => {
    const storage = new MemoryStorage([['f', LONG]]);
    const { server, place } = await startServer({
      storage,
      worker: true,
      progressInterval: 0,
      timeout: 60_000,
    });
    const peer = await ScriptedPeer.bind();
    should(await peer.ask(rrq('f'), place)).equal('DATA 1 512 B');
    should(await peer.ask(ack(1))).equal('DATA 2 512 B');
    while (server.transfers[0]?.bytes !== 512) await setTimeout(5);
    should(server.abortAll()).equal(1);
  });

  it('leaves nothing behind: no thread, no output, no part of a file', async () => {
    const { stdout, stderr, exitCode, lingered } = await runScript(`
      const { TftpServer } = engine('server/server');
      const { TftpClient } = engine('client/client');
      const { FolderStorage } = engine('storage/folder-storage');
      const storage = new FolderStorage({ root: ${JSON.stringify(temp.path)} });
      const server = new TftpServer({ storage, write: true, address: '127.0.0.1', port: 0, worker: true });
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
    should(readdirSync(temp.path)).eql(['f']);
  });
});

/** What a server gives once it listens again. */
async function fetchFrom(place: Place): Promise<Buffer> {
  const client = clientFor(place);
  for (;;) {
    const result = await client.get('f').catch(() => setTimeout(20));
    if (result) return result.data;
  }
}
