import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import { TftpClient } from '../../src/client/client';
import {
  asBuffer,
  asRecord,
  Inbox,
  bench,
  closeAfterTest,
  freePort,
  isFree,
  loadFlow,
  nodeOf,
  redeploy,
  stuckSource,
  useNodeRed,
} from '../helpers/node-red';
import type { Bench, Properties } from '../helpers/node-red';

const FIRMWARE = Buffer.alloc(100_000, 'firmware');

describe('tftp-server', () => {
  useNodeRed();
  let root: string;
  let port: string;
  let client: TftpClient;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'tftp-server-'));
    await writeFile(path.join(root, 'firmware.bin'), FIRMWARE);
    port = await freePort();
    client = new TftpClient({ host: '127.0.0.1', port: Number(port) });
    closeAfterTest(() => rm(root, { recursive: true, force: true }));
    closeAfterTest(() => Promise.resolve(client.close()));
  });

  const server = (more: Record<string, unknown> = {}): Properties => ({
    type: 'tftp-server',
    address: '127.0.0.1',
    port,
    root,
    ...more,
  });

  async function listening(
    more: Record<string, unknown> = {},
    outputs = 2,
    start = loadFlow,
  ): Promise<Bench> {
    const flow = await bench(server(more), outputs, start);
    await flow.statuses.until(({ status }) => status?.text === `:${port}`);
    return flow;
  }

  describe('reads', () => {
    it('tell their events in order, with the client', async () => {
      const { outputs, statuses, caught } = await listening();
      const { data } = await client.get('firmware.bin');
      should(data.equals(FIRMWARE)).be.true();
      const complete = await outputs[1]!.until(({ event }) => event === 'complete');
      const { events, messages } = outputs[1]!;
      should(events[0]).equal('start');
      should(events.slice(1, -1)).matchEach('progress');
      should(events.filter((event) => event === 'complete').length).equal(1);
      const record = asRecord(complete.payload);
      should(record).have.properties({ role: 'server', operation: 'read', bytes: 100_000 });
      should(complete).have.properties({
        topic: 'firmware.bin',
        filename: 'firmware.bin',
        ip: '127.0.0.1',
        clientPort: record.port,
      });
      should(new Set(messages.map(({ payload }) => asRecord(payload).id)).size).equal(1);
      should(outputs[0]!.messages).be.empty();
      should(caught.messages).be.empty();
      const { status } = await statuses.until((msg) => msg.status?.event === 'complete');
      should(status).have.properties({ fill: 'green', shape: 'dot', text: `:${port}` });
    });

    it('of missing files are caught, and told as an error', async () => {
      const { outputs, caught } = await listening();
      await should(client.get('phone.cfg')).be.rejectedWith({ code: 'ENOENT' });
      const { error, ...msg } = await caught.until();
      should(error).have.property('code', 'ENOENT');
      should(error!.message).match(/127\.0\.0\.1:\d+ reading "phone\.cfg"/);
      should(msg).have.properties({ event: 'error', topic: 'phone.cfg', ip: '127.0.0.1' });
      await outputs[1]!.until(({ event }) => event === 'error');
      should(outputs[1]!.events).eql(['start', 'error']);
      should(caught.messages.length).equal(1);
    });

    it('that only ask for the size are a probe, and no alarm', async () => {
      const { outputs, caught } = await listening({ events: 'separate' }, 6);
      should((await client.stat('firmware.bin')).size).equal(100_000);
      const { payload } = await outputs[5]!.until();
      should(asRecord(payload).event).equal('probe');
      should(outputs.map(({ messages }) => messages.length)).eql([0, 1, 0, 0, 0, 1]);
      should(caught.messages).be.empty();
    });

    it('can be switched off', async () => {
      await listening({ reads: 'off', writes: 'folder' });
      await should(client.get('firmware.bin')).be.rejectedWith({ code: 'EACCES' });
    });
  });

  describe('writes', () => {
    it('are refused unless they are switched on', async () => {
      await listening();
      await should(client.put('x', 'new')).be.rejectedWith({ code: 'EACCES' });
      should(await readdir(root)).eql(['firmware.bin']);
    });

    it('to the folder tell the path', async () => {
      const { outputs } = await listening({ writes: 'folder' });
      await client.put('text', 'new.txt');
      const received = await outputs[0]!.until();
      should(received).have.properties({
        payload: path.join(root, 'new.txt'),
        topic: 'new.txt',
        filename: 'new.txt',
        ip: '127.0.0.1',
      });
      should(received.tftp).have.properties({ operation: 'write', event: 'complete', bytes: 4 });
      should(await readFile(path.join(root, 'new.txt'), 'utf8')).equal('text');
    });

    it('to the message carry the content, and need no folder', async () => {
      const { outputs } = await listening({ writes: 'message', reads: 'off', root: '' });
      await client.put(FIRMWARE, 'new.bin');
      const received = await outputs[0]!.until();
      should(asBuffer(received.payload).equals(FIRMWARE)).be.true();
      should(received).not.have.property('path');
      should(await readdir(root)).eql(['firmware.bin']);
    });

    it('to both carry the content and the path', async () => {
      const { outputs } = await listening({ writes: 'both', ret: 'txt' });
      await client.put('Grüße', 'new.txt', { mode: 'netascii' });
      const received = await outputs[0]!.until();
      should(received).have.properties({ payload: 'Grüße', path: path.join(root, 'new.txt') });
      should(await readFile(path.join(root, 'new.txt'), 'utf8')).equal('Grüße');
    });

    for (const [ret, payload] of [
      ['bin', Buffer.alloc(0)],
      ['txt', ''],
    ] as const) {
      it(`of nothing are a message with nothing in it (${ret})`, async () => {
        const { outputs } = await listening({ writes: 'message', ret, reads: 'off', root: '' });
        await client.put('', 'empty');
        should((await outputs[0]!.until()).payload).eql(payload);
      });
    }

    it('tell where the file is, also if it got another name', async () => {
      const { outputs } = await listening({ writes: 'both', overwrite: 'timestamp' });
      await client.put('new content', 'firmware.bin');
      const { payload, ...received } = await outputs[0]!.until();
      should(asBuffer(payload).toString()).equal('new content');
      const { path: saved } = received as { path?: string };
      should(saved).not.equal(path.join(root, 'firmware.bin'));
      should(await readFile(saved!, 'utf8')).equal('new content');
      should(received.filename).equal('firmware.bin');
    });

    it('of many clients at once keep to themselves', async () => {
      const { outputs } = await listening({
        writes: 'message',
        ret: 'txt',
        reads: 'off',
        root: '',
      });
      const names = Array.from({ length: 20 }, (_, index) => `backup-${index}`);
      await Promise.all(names.map((name) => client.put(name.repeat(1000), name)));
      for (const { payload, filename } of await outputs[0]!.count(20)) {
        should(payload).equal(filename!.repeat(1000));
      }
    });

    it('of existing names are refused, unless they replace', async () => {
      await listening({ writes: 'folder' });
      await should(client.put('x', 'firmware.bin')).be.rejectedWith({ code: 'EEXIST' });
      await listening({ writes: 'folder', overwrite: 'replace' }, 2, redeploy);
      await client.put('x', 'firmware.bin');
      should(await readFile(path.join(root, 'firmware.bin'), 'utf8')).equal('x');
    });

    it('that are too large end, and leave nothing', async () => {
      const { caught, outputs } = await listening({ writes: 'both', maxUploadSize: '0.05' });
      const unannounced = { tsize: false };
      await should(client.put(FIRMWARE, 'big', unannounced)).be.rejectedWith({ code: 'ENOSPC' });
      should((await caught.until()).error!.code).equal('ETOOLARGE');
      should(await readdir(root)).eql(['firmware.bin']);
      should(outputs[0]!.messages).be.empty();
    });
  });

  it('refuses those who are not on the list', async () => {
    const { caught } = await listening({ access: 'list', allow: ['192.0.2.0/24'] });
    await should(client.get('firmware.bin')).be.rejectedWith({ code: 'EACCES' });
    should((await caught.until()).error!.code).equal('EACCES');
    await listening({ access: 'list', allow: ['127.0.0.1'] }, 2, redeploy);
    should((await client.get('firmware.bin')).data.length).equal(100_000);
  });

  it('says that no folder is set', async () => {
    const { caught, statuses } = await bench(server({ root: '' }));
    should((await caught.until()).error!.message).match(/No folder is set/);
    should((await statuses.until()).status).have.properties({ fill: 'red', shape: 'ring' });
  });

  it('says that the folder is missing, and starts when it is there', async () => {
    const missing = path.join(root, 'later');
    const { caught, statuses } = await bench(server({ root: missing }));
    const { error } = await caught.until();
    should(error!.message).match(/later does not exist/);
    should((await statuses.until()).status!.text).match(/reason\.ENOFILE$/);
    await mkdir(missing);
    await statuses.until(({ status }) => status?.text === `:${port}`);
    should(caught.messages.length).equal(1);
  });

  it('shares a port with nobody: the second one says so, and starts when the first is gone', async () => {
    const first = { id: 'first', ...server(), wires: [] };
    const scope = ['first', 'second'];
    await loadFlow([
      first,
      { ...first, id: 'second' },
      { id: 'n1', type: 'catch', scope, wires: [['caught']] },
      { id: 'n2', type: 'status', scope, wires: [['statuses']] },
      { id: 'caught', type: 'inbox' },
      { id: 'statuses', type: 'inbox' },
    ]);
    const caught = Inbox.of('caught');
    const statuses = Inbox.of('statuses');
    const { error } = await caught.until();
    should(error!.message).match(/in use by another tftp server node/);
    should(error!.code).equal('EADDRINUSE');
    await statuses.until(({ status }) => /status\.portInUse$/.test(status?.text ?? ''));
    const listens = (): number =>
      statuses.messages.filter(({ status }) => status?.text === `:${port}`).length;
    await statuses.until(() => listens() === 1);

    // Which of the two came first is up to the disk, where they look for their folder.
    await nodeOf(error!.source.id === 'first' ? 'second' : 'first').close(true);
    await statuses.until(() => listens() === 2);
    should(caught.messages.length).equal(1);
    should((await client.get('firmware.bin')).data.length).equal(100_000);
  });

  it('frees its port within two seconds on a redeploy, and leaves no partial file', async () => {
    const { outputs, caught } = await listening({ writes: 'folder', progressInterval: '20' });
    const upload = client.put(stuckSource(), 'partial').catch((error: unknown) => error);
    await outputs[1]!.until(({ payload }) => asRecord(payload).bytes > 0);
    const before = Date.now();
    await redeploy([{ id: 'other', type: 'inbox' }]);
    should(await upload).have.property('message', 'The server was stopped');
    should(Date.now() - before).be.below(2000);
    should(await isFree(port)).be.true();
    should(await readdir(root)).eql(['firmware.bin']);
    should(caught.messages).be.empty();
  });
});
