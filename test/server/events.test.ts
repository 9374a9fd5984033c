import { writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import should = require('should');
import type { TransferRecord } from '../../src/net/transfer-record';
import type { StoredFile } from '../../src/server/stored-file';
import { FolderStorage } from '../../src/storage/folder-storage';
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { Storage } from '../../src/storage/storage';
import { NameRules } from '../../src/server/names/name-rules';
import { clientFor, closeEnginesAfterEach, failureOf, gate, startServer } from '../helpers/engine';
import { seededBytes } from '../helpers/random';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { useTempFolder } from '../helpers/temp-folder';
import { ack, error, rrq, wrq } from '../helpers/wire';

const FIRMWARE = seededBytes(300_000, 11);

describe('TftpServer, what it tells', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  const temp = useTempFolder();
  let storage: MemoryStorage;
  let peer: ScriptedPeer;
  beforeEach(async () => {
    storage = new MemoryStorage([['firmware', FIRMWARE]]);
    peer = await ScriptedPeer.bind();
  });

  it('tells a read from start to end, in plain JSON', async () => {
    const { place, record, records, server } = await startServer({ storage });
    const { record: ofClient } = await clientFor(place).get('firmware');
    await record('complete');
    should(records.map(({ event, percent }) => [event, percent])).eql([
      ['start', 0],
      ['progress', 100],
      ['complete', 100],
    ]);
    const complete = records[2]!;
    should(complete).have.properties({
      role: 'server',
      operation: 'read',
      filename: 'firmware',
      mode: 'octet',
      host: '127.0.0.1',
      port: ofClient.localPort,
      localAddress: '127.0.0.1',
      localPort: ofClient.port,
      bytes: 300_000,
      size: 300_000,
      finalAck: true,
    });
    should(JSON.parse(JSON.stringify(complete))).eql(complete);
    should(server.counters).eql({
      requests: 1,
      refused: 0,
      ignored: 0,
      dropped: 0,
      completed: 1,
      failed: 0,
      expected: 0,
      alarms: 0,
      probes: 0,
      bytesSent: 300_000,
      bytesReceived: 0,
    });
  });

  it('tells where an upload is, after its complete', async () => {
    const { server, place } = await startServer({
      storage: new FolderStorage({ root: temp.path, overwrite: 'timestamp' }),
    });
    const told: string[] = [];
    server.on('transfer', ({ event }) => told.push(event));
    const upload = new Promise<[TransferRecord, StoredFile]>((resolve) => {
      server.on('upload', (...args) => {
        told.push('upload');
        resolve(args);
      });
    });
    await clientFor(place).put('x', 'config');
    const [record, { path, sink }] = await upload;
    should(told).eql(['start', 'progress', 'complete', 'upload']);
    should(record).have.properties({ operation: 'write', filename: 'config', bytes: 1 });
    should(path).startWith(temp.file('config.'));
    should(sink).equal(undefined);
    should(server.counters).have.properties({ completed: 1, bytesReceived: 1, bytesSent: 0 });
  });

  it('tells of no upload that failed', async () => {
    const { server, place, record } = await startServer({ storage, maxUploadSize: 1 });
    let uploads = 0;
    server.on('upload', () => (uploads += 1));
    await failureOf(clientFor(place).put('xyz', 'f', { tsize: false }));
    await record('error');
    await server.close();
    should(uploads).equal(0);
  });

  it('tells of a refused request with start and error', async () => {
    const { place, records, record, server } = await startServer({ storage });
    should(await peer.ask(rrq('missing'), place)).equal('ERROR 1 File not found');
    await record('error');
    should(records.map(({ event }) => event)).eql(['start', 'error']);
    should(records[1]).have.properties({
      id: records[0]!.id,
      filename: 'missing',
      host: '127.0.0.1',
      port: peer.port,
      localPort: place.port,
      error: { code: 'ENOENT', tftpCode: 1, message: 'File not found' },
    });
    should(server.counters).have.properties({ requests: 1, refused: 1, completed: 0 });
  });

  for (const [title, request, options, received, sent] of [
    ['a missing file', rrq('missing'), {}, 'RRQ (16 B)', 'ERROR 1 (19 B) File not found'],
    ['a name that is not allowed', rrq('x'), { readNames: ['y'] }, 'RRQ (10 B)', 'ERROR 2'],
    ['reading that is off', rrq('x'), { read: false }, 'RRQ (10 B)', 'ERROR 2'],
    ['writing that is off', wrq('x'), { write: false }, 'WRQ (10 B)', 'ERROR 2'],
    ['an upload that is too large', wrq('x', 'tsize', '9'), { maxUploadSize: 8 }, 'WRQ', 'ERROR 3'],
    ['an address that is not allowed', rrq('x'), { allow: [] }, 'RRQ (10 B)', 'ERROR 2'],
    ['another mode', Buffer.from('\0\x01x\0mail\0', 'latin1'), {}, 'RRQ (9 B)', 'ERROR 4'],
    ['a name with an end', rrq('../x'), {}, 'RRQ (13 B)', 'ERROR 2'],
    [
      'a rule',
      rrq('x'),
      { rules: NameRules.parse('a x No\\ way') },
      'RRQ',
      'ERROR 2 (11 B) No way',
    ],
  ] as const) {
    it(`shows the packets of a request that is refused: ${title}`, async () => {
      const { place, record } = await startServer({ storage, ...options });
      should(await peer.ask(request, place)).match(/^ERROR /);
      const { trace } = await record('error');
      should(trace).have.length(2);
      should(trace![0]).startWith(`+0.0 ms <- ${received}`);
      should(trace![1])
        .match(/^\+\d+\.\d ms -> /)
        .and.containEql(sent);
    });
  }

  it('shows the packets of a request that is refused: a pause, and a stop', async () => {
    const waiting = gate();
    const slow: Storage = {
      openForReading({ signal }) {
        waiting.open();
        return new Promise((_, reject) => signal!.addEventListener('abort', reject));
      },
      openForWriting: () => Promise.reject(new Error('no')),
    };
    const { server, place, record } = await startServer({ storage: slow });
    server.pause();
    should(await peer.ask(rrq('x'), place)).match(/^ERROR 0 The server is paused/);
    should((await record('error')).trace!.join()).match(/<- RRQ.*-> ERROR 0/);
    server.resume();
    peer.send(rrq('x'), place);
    await waiting.opened;
    await server.close();
    should((await record('error')).trace!.join()).match(/<- RRQ.*-> ERROR 0/);
  });

  it('lists what runs', async () => {
    const { server, place } = await startServer({ storage, timeout: 60_000 });
    should(server.transfers).eql([]);
    await peer.ask(rrq('firmware', 'blksize', '1024', 'windowsize', '2'), place);
    should(await peer.ask(ack(0))).equal('DATA 1 1024 B');
    should(await peer.hear()).equal('DATA 2 1024 B');
    should(await peer.ask(ack(2))).equal('DATA 3 1024 B');
    // With a worker this is known after a second.
    while (server.transfers[0]?.bytes !== 2048) await setTimeout(5);
    const [transfer, ...others] = server.transfers;
    should(others).eql([]);
    should(transfer).have.properties({
      event: 'progress',
      filename: 'firmware',
      port: peer.port,
      bytes: 2048,
      size: 300_000,
      percent: 0.6,
      options: { blksize: 1024, windowsize: 2 },
    });
    should(server.abort('no such id')).equal(false);
    should(server.abort(transfer.id, 'Out of service')).equal(true);
    let heard = 'DATA';
    while (heard.startsWith('DATA')) heard = await peer.hear();
    should(heard).equal('ERROR 0 Out of service');
  });

  for (const code of [8, 0]) {
    it(`calls an ERROR ${code} after the OACK a probe, and no error`, async () => {
      const { place, record, records, server } = await startServer({ storage });
      should(await peer.ask(rrq('firmware', 'tsize', '0'), place)).equal('OACK tsize 300000');
      peer.send(error(code, 'User aborted the transfer'));
      const probe = await record('probe');
      should(probe).have.properties({ bytes: 0, size: 300_000 });
      should(records.map(({ event }) => event)).eql(['start', 'probe']);
      should(server.counters).have.properties({ probes: 1, failed: 0 });
      await peer.expectSilence();
    });
  }

  it('calls a probe an error where probes are not set apart', async () => {
    const { place, record, server } = await startServer({ storage, probes: false });
    should(await peer.ask(rrq('firmware', 'tsize', '0'), place)).equal('OACK tsize 300000');
    peer.send(error(8, 'User aborted the transfer'));
    should((await record('error')).error!.code).equal('EOPTNEG');
    should(server.counters).have.properties({ probes: 0, failed: 1 });
  });

  it('tells why a client hung up, not only that its port is closed', async () => {
    await writeFile(temp.file('image'), seededBytes(2_000_000, 12));
    const { place, server } = await startServer({
      storage: new FolderStorage({ root: temp.path }),
    });
    const codes: unknown[] = [];
    server.on('transfer', ({ event, error }: TransferRecord) => {
      if (event === 'error') codes.push(error!.code);
    });
    // It closes its port while a window is on its way to it. In one of ten times or so the system
    // tells of that more than once before it hands out the client's ERROR.
    const client = clientFor(place, { tsize: false, windowsize: 16, maxSize: 1_165_248 });
    for (let count = 1; count <= 60; count += 1) {
      should((await failureOf(client.get('image'))).code).equal('ETOOLARGE');
      // With a worker this is known later.
      while (codes.length < count) await setTimeout(5);
    }
    should(new Set(codes)).eql(new Set(['ENOSPC']));
  });

  it('calls other ends no probe', async () => {
    const { place, record, server } = await startServer({ storage });
    await peer.ask(rrq('firmware', 'tsize', '0'), place);
    peer.send(error(3, 'full'));
    should((await record('error')).error!.code).equal('ENOSPC');
    await peer.ask(rrq('firmware', 'tsize', '0'), place);
    await peer.ask(ack(0));
    await peer.ask(ack(1));
    peer.send(error(0, 'enough'));
    should((await record('error')).bytes).equal(512);
    await peer.ask(rrq('firmware'), place);
    peer.send(error(0, 'enough'));
    await record('error');
    should(server.counters).have.properties({ probes: 0, failed: 3 });
  });

  it('calls a client that asks for the data and then refuses it no probe', async () => {
    const { place, record } = await startServer({ storage });
    await peer.ask(rrq('firmware', 'tsize', '0'), place);
    should(await peer.ask(ack(0))).equal('DATA 1 512 B');
    peer.send(error(0, 'Wrong checksum'));
    should(await record('error')).have.properties({ bytes: 0 });
  });

  it('survives listeners that throw', async () => {
    const { server, place } = await startServer({ storage });
    const warned = new Promise((resolve) => process.once('warning', resolve));
    for (const event of ['transfer', 'upload', 'close'] as const) {
      server.on(event, () => {
        throw new Error(`the ${event} listener is broken`);
      });
    }
    const client = clientFor(place);
    await client.put('x', 'f');
    should((await client.get('f')).data.toString()).equal('x');
    await server.close();
    should(await warned)
      .have.property('message')
      .match(/the transfer listener is broken/);
  });

  it('tells of 50 transfers at once, each from one start to one end', async () => {
    const odd: Storage = {
      openForReading: async (request) =>
        request.filename === 'broken'
          ? {
              size: 9999,
              read: () => Promise.reject(new Error('disk')),
              close: async () => undefined,
            }
          : storage.openForReading(request),
      openForWriting: (request) => storage.openForWriting(request),
    };
    const { place, records, server } = await startServer({
      storage: odd,
      progressInterval: 1,
      timeout: 1000,
      maxPerHost: 100,
    });
    const client = clientFor(place);
    const gets = Array.from({ length: 20 }, () => client.get('firmware'));
    const puts = Array.from({ length: 20 }, (_, i) => client.put(FIRMWARE, `up${i}`));
    const failures = Array.from({ length: 10 }, (_, i) =>
      failureOf(client.get(i % 2 === 0 ? 'broken' : 'missing')),
    );
    for (const { data } of await Promise.all(gets)) should(data.equals(FIRMWARE)).equal(true);
    await Promise.all(puts);
    for (let i = 0; i < 20; i += 1)
      should(storage.files.get(`up${i}`)!.equals(FIRMWARE)).equal(true);
    await Promise.all(failures);
    await server.close({ graceful: true });

    const ids = [...new Set(records.map(({ id }) => id))];
    const transfers = ids.map((one) => records.filter(({ id }) => id === one));
    should(transfers.length).equal(50);
    for (const events of transfers) {
      should(events.map(({ event }) => event).join(' ')).match(
        /^start( progress)* complete$|^start( progress)* error$/,
      );
      const bytes = events.map((record) => record.bytes);
      should(bytes).eql([...bytes].sort((a, b) => a - b));
    }
    should(server.counters).have.properties({ completed: 40, failed: 10, refused: 5, probes: 0 });
    should(server.transfers).eql([]);
  });
});
