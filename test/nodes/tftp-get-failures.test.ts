import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import {
  asRecord,
  bench,
  closeAfterTest,
  nodeOf,
  redeploy,
  silentPort,
  startServer,
  stuckStorage,
  useNodeRed,
} from '../helpers/node-red';
import type { TransferRecord } from '../../src/net/transfer-record';
import type { NodeMessage } from 'node-red';
import type { Bench, Properties } from '../helpers/node-red';

const FIRMWARE = Buffer.alloc(300_000, 'firmware');

describe('tftp-get, when it fails', () => {
  useNodeRed();

  const get = (port: string, more: Record<string, unknown> = {}): Properties => ({
    type: 'tftp-get',
    host: '127.0.0.1',
    port,
    filename: 'firmware.bin',
    ...more,
  });

  /** One start, one error, one Catch, no result, no Complete, and the status for it. */
  async function fails(flow: Bench, code: string): Promise<TransferRecord> {
    const [goods, events] = flow.outputs;
    const { error, ...caught } = await flow.caught.until();
    const failed = await events!.until(({ event }) => event === 'error');
    const record = asRecord(failed.payload);
    should(record.error?.code).equal(code);
    should(error).have.property('code', code);
    should(error!.message).not.match(/^\w*Error:/);
    should(caught).have.properties({ _msgid: 'm1', _payload: 'go', topic: 'mine' });
    should(asRecord(caught.payload)).have.properties({ id: record.id, error: record.error });
    should(failed).have.properties({ _msgid: 'm1', topic: 'mine' });
    should(events!.events.filter((event) => event !== 'progress')).eql(['start', 'error']);
    const shown = await flow.statuses.until((msg) => msg.status?.event === 'error');
    should(shown.status!.text).equal(`node-red-contrib-tftp/tftp-server:tftp.reason.${code}`);
    should(shown.status!.transfer!.id).equal(record.id);
    should(goods!.messages).be.empty();
    should(flow.completed.messages).be.empty();
    should(flow.caught.messages.length).equal(1);
    return record;
  }

  const trigger = (more: object = {}): NodeMessage => ({
    _msgid: 'm1',
    payload: 'go',
    topic: 'mine',
    ...more,
  });

  it('says that the file was not found', async () => {
    const { port } = await startServer();
    const flow = await bench(get(port));
    flow.send(trigger());
    const { error, trace } = await fails(flow, 'ENOENT');
    should(error!.tftpCode).equal(1);
    should(trace).not.be.empty();
  });

  it('says that the server is silent', async () => {
    const port = await silentPort();
    const flow = await bench(get(port, { timeout: '0.2', retries: '1' }));
    flow.send(trigger());
    const { retransmits } = await fails(flow, 'ETIMEDOUT');
    should(retransmits).equal(1);
  });

  it('says that the host is unknown', async () => {
    const flow = await bench(get('69', { host: 'no-such-host.invalid' }));
    flow.send(trigger());
    await fails(flow, 'ENOTFOUND');
  });

  it('says that the file is larger than the limit', async () => {
    const { port } = await startServer({ 'firmware.bin': FIRMWARE });
    const flow = await bench(get(port, { maxSize: '0.1' }));
    flow.send(trigger());
    await fails(flow, 'ETOOLARGE');
  });

  it('says that the checksum is another one, and keeps no file', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tftp-get-'));
    closeAfterTest(() => rm(folder, { recursive: true }));
    const { port } = await startServer({ 'firmware.bin': FIRMWARE });
    const flow = await bench(get(port, { ret: 'file', localFilename: path.join(folder, 'f.bin') }));
    flow.send(trigger({ sha256: 'AB'.repeat(32) }));
    await fails(flow, 'EDIGEST');
    should(await readdir(folder)).be.empty();
  });

  it('says that the disk is full, and keeps no file', async function () {
    const folder = mkdtempSync(path.join(tmpdir(), 'tftp-full-'));
    closeAfterTest(() => rm(folder, { recursive: true }));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'pipe' });
    } catch {
      console.log('      (no small disk: this needs Linux and the right to mount a tmpfs)');
      this.skip();
    }
    closeAfterTest(() => Promise.resolve(void execFileSync('umount', [folder])));
    const { port } = await startServer({ 'firmware.bin': FIRMWARE });
    const flow = await bench(get(port, { ret: 'file', localFilename: `${folder}/f.bin` }));
    flow.send(trigger());
    await fails(flow, 'EDISKFULL');
    should(await readdir(folder)).be.empty();
  });

  it('says that the local folder is missing', async () => {
    const { port } = await startServer({ 'firmware.bin': FIRMWARE });
    const localFilename = path.join(tmpdir(), 'no-such-folder', 'f.bin');
    const flow = await bench(get(port, { ret: 'file', localFilename }));
    flow.send(trigger());
    await fails(flow, 'ENOFILE');
  });

  const wrong: [
    what: string,
    properties: Record<string, unknown>,
    message: NodeMessage,
    says: RegExp,
  ][] = [
    ['no host', { host: '' }, {}, /no host.*msg\.host/],
    ['no file name', { filename: '' }, {}, /no file name.*msg\.filename/],
    ['no local file', { ret: 'file' }, {}, /no local file.*msg\.localFilename/],
    ['hosts in an array', { host: '' }, { host: ['a', 'b'] }, /one message for each host/],
    ['an empty array of names', { filename: '' }, { filename: [] }, /is empty/],
    ['a port that is none', { port: '' }, { port: 70_000 }, /from 1 to 65535/],
    ['a block size that is none', { blksize: 'big' }, {}, /blksize is "big"/],
    ['a timeout that is too long', { timeout: '900' }, {}, /0\.01 to 255 seconds/],
    ['a checksum that is none', {}, { sha256: 'abc' }, /64 hexadecimal digits/],
    ['local ports that are none', { localPorts: 'any' }, {}, /50000-50100/],
    ['an URL without a file', { filename: '' }, { url: 'tftp://host' }, /tftp:\/\/host/],
    ['a broken expression', { filename: '$(', filenameType: 'jsonata' }, {}, /filename cannot be/],
    [
      'an expression that fails',
      { filename: '$error("no such phone")', filenameType: 'jsonata' },
      {},
      /filename cannot be evaluated: .*no such phone/,
    ],
    ['an address that is none', { host: '300.1.1.1' }, {}, /300\.1\.1\.1.*192\.0\.2\.10/],
    ['an address with a port', { host: '' }, { host: '10.0.0.1:69' }, /10\.0\.0\.1:69.*own field/],
    ['a host with a path', { host: 'pxe/a' }, {}, /pxe\/a.*only a name or an address/],
    ['a tab in a file name', { filename: 'a\tb' }, {}, /control character/],
    [
      'a URL that is not of TFTP',
      { filename: '' },
      { url: 'http://192.0.2.1/a', filename: 'a' },
      /msg\.url is "http:.*tftp:\/\//,
    ],
    ['a URL that is no text', { host: '' }, { url: 7, host: 'a' }, /msg\.url is 7/],
    ['unknown options', {}, { tftpOptions: { blockSize: 512 } }, /"blockSize".*blksize/],
    ['options that are no object', {}, { tftpOptions: 'blksize=512' }, /must be an object/],
  ];
  for (const [what, properties, message, says] of wrong) {
    it(`says what to change about ${what}`, async () => {
      const flow = await bench(get('69', properties));
      flow.send(trigger(message));
      const { error } = await fails(flow, 'EINVAL');
      should(error!.message).match(says);
    });
  }

  it('says what to change about a setting that keeps the node from working', async () => {
    const flow = await bench(get('69', { concurrency: 'many' }));
    const { error } = await flow.caught.until();
    should(error!.message).match(/concurrency is "many"/);
    flow.send(trigger());
    const failed = await flow.outputs[1]!.until(({ event }) => event === 'error');
    should(failed).have.property('_msgid', 'm1');
    should(await flow.caught.count(2)).have.length(2);
  });

  it('refuses more than the queue can hold', async () => {
    const { port } = await startServer({}, { storage: stuckStorage() });
    const flow = await bench(get(port, { concurrency: '1', queue: '1' }));
    flow.send({ filename: 'one' });
    flow.send({ filename: 'two' });
    flow.send(trigger());
    const { error } = await flow.caught.until();
    should(error).have.property('code', 'EQUEUEFULL');
    const { payload } = await flow.outputs[1]!.until(({ event }) => event === 'error');
    should(asRecord(payload).error!.code).equal('EQUEUEFULL');
    should(flow.caught.messages.length).equal(1);
  });

  describe('msg.reset', () => {
    /** Three transfers that never end, two of them running. */
    async function threeTransfers(): Promise<{ flow: Bench; port: string; ids: string[] }> {
      const { port } = await startServer({}, { storage: stuckStorage() });
      const flow = await bench(get(port, { concurrency: '2', progressInterval: '0' }));
      for (const name of ['one', 'two', 'three']) flow.send({ ...trigger(), name });
      const started = await flow.outputs[1]!.count(2);
      return { flow, port, ids: started.map(({ payload }) => asRecord(payload).id) };
    }

    const cancelled = (flow: Bench): unknown[] =>
      flow.outputs[1]!.messages.filter(({ event }) => event === 'error').map(
        ({ payload }) => asRecord(payload).error!.code,
      );

    it('true cancels all, running and waiting', async () => {
      const { flow } = await threeTransfers();
      flow.send({ _msgid: 'r', reset: true });
      const caught = await flow.caught.count(3);
      should(caught.map(({ error }) => error!.code)).eql(Array(3).fill('ECANCELED'));
      should(cancelled(flow)).eql(Array(3).fill('ECANCELED'));
      should(await flow.completed.until()).have.property('_msgid', 'r');
      const { status } = await flow.statuses.until((msg) => msg.status?.fill === 'grey');
      should(status).have.properties({ shape: 'ring', event: 'error' });
      should(flow.outputs[0]!.messages).be.empty();
    });

    it('with host:port cancels what goes there, and nothing else', async () => {
      const { flow, port } = await threeTransfers();
      flow.send({ reset: '127.0.0.1:9' });
      await flow.completed.until();
      should(cancelled(flow)).be.empty();
      flow.send({ reset: `127.0.0.1:${port}` });
      await flow.caught.count(3);
      should(cancelled(flow)).eql(Array(3).fill('ECANCELED'));
    });

    it('with an id cancels that one, and the next one starts', async () => {
      const { flow, ids } = await threeTransfers();
      flow.send({ reset: ids[1] });
      await flow.caught.until();
      await flow.outputs[1]!.count(4);
      const failed = await flow.outputs[1]!.until(({ event }) => event === 'error');
      should(asRecord(failed.payload).id).equal(ids[1]);
      should(flow.outputs[1]!.events.filter((event) => event === 'start').length).equal(3);
      should(flow.caught.messages.length).equal(1);
    });
  });

  it('starts nothing after a close that came while the message was being evaluated', async () => {
    const { port, server } = await startServer({ 'firmware.bin': FIRMWARE });
    const flow = await bench(get(port));
    const node = nodeOf('node');
    const received = new Promise<void>((resolve) => node.on('input', () => resolve()));
    flow.send(trigger());
    await received;
    await node.close(false);
    should(server.counters.requests).equal(0);
    should(flow.outputs[1]!.messages).be.empty();
  });

  it('ends on a redeploy, of which the flow hears once when it runs again', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tftp-get-'));
    closeAfterTest(() => rm(folder, { recursive: true }));
    const { port, server } = await startServer({}, { storage: stuckStorage() });
    const file = { ret: 'file', localFilename: `${folder}/f.bin` };
    const local = { ...file, concurrency: '1', progressInterval: '20' };
    const first = await bench(get(port, local));
    const ended = new Promise<TransferRecord>((resolve) => {
      server.on('transfer', (record) => record.event === 'error' && resolve(record));
    });
    // The second one waits for its turn, and has not been told of.
    first.send(trigger());
    first.send(trigger({ _msgid: 'm2' }));
    const { payload } = await first.outputs[1]!.until((msg) => asRecord(msg.payload).bytes > 0);
    const before = Date.now();
    const second = await bench(get(port, local), 2, redeploy);
    should((await ended).error!.message).match(/cancel/i);
    should(Date.now() - before).be.below(2000);
    should(await readdir(folder)).be.empty();
    const events = await second.outputs[1]!.count(3);
    const told = events.map(({ _msgid, event, topic }) => [_msgid, event, topic]);
    should(told).containEql(['m1', 'error', 'mine']);
    should(told).containEql(['m2', 'start', 'mine']);
    should(told).containEql(['m2', 'error', 'mine']);
    const one = events.find(({ _msgid }) => _msgid === 'm1')!;
    should(asRecord(one.payload).id).equal(asRecord(payload).id);
    const caught = await second.caught.count(2);
    for (const { error } of caught) should(error).have.property('code', 'ECANCELED');
    should(first.outputs[1]!.events).not.containEql('error');
    should([events.length, caught.length, second.completed.messages.length]).eql([3, 2, 0]);
  });
});
