import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import {
  asBuffer,
  asRecord,
  asText,
  bench,
  closeAfterTest,
  nodeOf,
  startServer,
  useNodeRed,
  useSettings,
} from '../helpers/node-red';
import type { Properties } from '../helpers/node-red';

const FIRMWARE = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251));

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tftp-get-'));
  closeAfterTest(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('tftp-get', () => {
  useNodeRed();

  const get = (port: string, more: Record<string, unknown> = {}): Properties => ({
    type: 'tftp-get',
    host: '127.0.0.1',
    port,
    filename: 'firmware.bin',
    ...more,
  });

  describe('the result', () => {
    it('sends the same message on with the file as a Buffer', async () => {
      const { port } = await startServer({ 'firmware.bin': FIRMWARE });
      const { send, outputs, completed } = await bench(get(port));
      const req = { headers: {}, socket: { self: undefined as unknown } };
      req.socket.self = req;
      const msg = { _msgid: 'm1', payload: 'go', topic: 'phones', device: { name: 'A' }, req };
      send(msg);
      const result = await outputs[0]!.until();
      should(result).be.exactly(msg);
      should(asBuffer(result.payload).equals(FIRMWARE)).be.true();
      should(result).have.properties({ _msgid: 'm1', topic: 'phones', device: { name: 'A' } });
      should(result.req).be.exactly(req);
      should(result.tftp).have.properties({ event: 'complete', bytes: 200_000, role: 'client' });
      await completed.until();
    });

    it('is a string, with `txt`', async () => {
      const { port } = await startServer({ 'firmware.bin': 'Grüße' });
      const { send, outputs } = await bench(get(port, { ret: 'txt' }));
      send({});
      should((await outputs[0]!.until()).payload).equal('Grüße');
    });

    it('is an object, with `obj`', async () => {
      const { port } = await startServer({ 'firmware.bin': '{"version": [1, 2]}' });
      const { send, outputs } = await bench(get(port, { ret: 'obj' }));
      send({});
      should((await outputs[0]!.until()).payload).eql({ version: [1, 2] });
    });

    it('is the text and a warning, if it is no JSON', async () => {
      const { port } = await startServer({ 'firmware.bin': '{"version":' });
      const { send, outputs } = await bench(get(port, { ret: 'obj' }));
      const warned = new Promise<{ args: unknown[] }>((resolve) =>
        nodeOf('node').on('call:warn', resolve),
      );
      send({});
      should((await outputs[0]!.until()).payload).equal('{"version":');
      should(String((await warned).args[0])).match(/not JSON/);
    });

    it('is a file in `fileWorkingDirectory`, with `file`', async () => {
      const folder = await temporaryFolder();
      useSettings({ fileWorkingDirectory: folder });
      closeAfterTest(() => Promise.resolve(useSettings({ fileWorkingDirectory: '' })));
      const { port } = await startServer({ 'firmware.bin': FIRMWARE });
      const saved = { ret: 'file', localFilename: 'new/f.bin', createDir: true };
      const { send, outputs } = await bench(get(port, saved));
      send({ payload: 'go' });
      const { payload } = await outputs[0]!.until();
      should(payload).equal(path.join(folder, 'new', 'f.bin'));
      should((await readFile(asText(payload))).equals(FIRMWARE)).be.true();
      should(await readdir(path.join(folder, 'new'))).eql(['f.bin']);
    });

    it('names the file that was written, when the time is added to its name', async () => {
      const folder = await temporaryFolder();
      const { port } = await startServer({ 'firmware.bin': 'x' });
      const local = { ret: 'file', localFilename: path.join(folder, 'f.bin') };
      const { send, outputs } = await bench(get(port, { ...local, overwrite: 'timestamp' }));
      send({});
      send({});
      const [first, second] = await outputs[0]!.count(2);
      should(first!.payload).not.equal(second!.payload);
      should((await readdir(folder)).toSorted()).eql(
        [first, second].map((msg) => path.basename(asText(msg!.payload))).toSorted(),
      );
    });

    it('is a sequence of Buffers, with `stream`', async () => {
      const { port } = await startServer({ 'firmware.bin': FIRMWARE });
      const { send, outputs, completed } = await bench(
        get(port, { ret: 'stream', maxSize: '0.2' }),
      );
      const msg = { payload: 'go', device: { name: 'A' } };
      send(msg);
      await completed.until();
      const pieces = await outputs[0]!.count(4);
      should(
        Buffer.concat(pieces.map(({ payload }) => asBuffer(payload))).equals(FIRMWARE),
      ).be.true();
      should(pieces.map(({ payload }) => asBuffer(payload).length)).eql([
        65536, 65536, 65536, 3392,
      ]);
      should(pieces.map(({ parts }) => parts!.index)).eql([0, 1, 2, 3]);
      should(pieces[3]!.parts).have.properties({ count: 4, type: 'buffer', ch: '' });
      should(pieces[2]!.parts).not.have.property('count');
      should(pieces[3]).be.exactly(msg);
      should(pieces[0]!.device).eql({ name: 'A' });
      should(new Set(pieces.map(({ parts }) => parts!.id)).size).equal(1);
    });

    it('is one empty Buffer, when an empty file is streamed', async () => {
      const { port } = await startServer({ 'firmware.bin': '' });
      const { send, outputs } = await bench(get(port, { ret: 'stream' }));
      send({});
      const { payload, parts } = await outputs[0]!.until();
      should(asBuffer(payload).length).equal(0);
      should(parts).have.properties({ index: 0, count: 1 });
    });

    it('is the size alone, with the action `stat`', async () => {
      const { port } = await startServer({ 'firmware.bin': FIRMWARE });
      const { send, outputs } = await bench(get(port, { action: 'stat', ret: 'file' }));
      send({ topic: 't' });
      should(await outputs[0]!.until()).have.properties({ payload: 200_000, topic: 't' });
      await outputs[1]!.until(({ event }) => event === 'complete');
      should(outputs[1]!.events).eql(['start', 'complete']);
    });

    it('is text with line feeds, in netascii', async () => {
      const { port } = await startServer({ 'firmware.bin': 'a\nb\n' });
      const { send, outputs } = await bench(get(port, { ret: 'txt', mode: 'netascii' }));
      send({});
      const { payload, tftp } = await outputs[0]!.until();
      should(payload).equal('a\nb\n');
      should(tftp!.mode).equal('netascii');
    });
  });

  describe('many files', () => {
    it('sends a message for each name of an array, as a sequence', async () => {
      const { port } = await startServer({ a: 'A', b: 'BB', c: 'CCC' });
      const { send, outputs, completed } = await bench(get(port, { filename: '', ret: 'txt' }));
      send({ _msgid: 'm1', payload: 'go', filename: ['a', 'b', 'c'], parts: { id: 'outer' } });
      const results = (await outputs[0]!.count(3)).toSorted((one, two) =>
        one.filename!.localeCompare(two.filename!),
      );
      should(results.map(({ payload }) => payload)).eql(['A', 'BB', 'CCC']);
      should(results.map(({ parts }) => parts!.index)).eql([0, 1, 2]);
      should(results[0]!.parts).have.properties({ count: 3, parts: { id: 'outer' } });
      should(results[0]).have.property('_msgid', 'm1');
      await completed.until();
      should(completed.messages.length).equal(1);
      should(outputs[1]!.events.filter((event) => event === 'start').length).equal(3);
      should(outputs[1]!.events.filter((event) => event === 'complete').length).equal(3);
    });

    it('saves them in the folder that is given', async () => {
      const folder = await temporaryFolder();
      const { port } = await startServer({ 'x/a': 'A', b: 'B' });
      const { send, completed } = await bench(get(port, { filename: '', ret: 'file' }));
      send({ filename: ['x/a', 'b'], localFilename: folder });
      await completed.until();
      should((await readdir(folder)).toSorted()).eql(['a', 'b']);
    });

    it('ends with one error if some are missing', async () => {
      const { port } = await startServer({ a: 'A' });
      const { send, outputs, caught, completed } = await bench(get(port, { filename: '' }));
      send({ filename: ['a', 'nope', 'nada'] });
      const { error } = await caught.until();
      should(error!.message).match(/2 of 3 files failed/);
      should(outputs[0]!.messages.length).equal(1);
      should(outputs[1]!.events.filter((event) => event === 'error').length).equal(2);
      should(completed.messages).be.empty();
      should(caught.messages.length).equal(1);
    });
  });

  describe('what the message may say', () => {
    it('fills what is blank in the node', async () => {
      const { port } = await startServer({ 'other.bin': 'other' });
      const { send, outputs } = await bench({ type: 'tftp-get', ret: 'txt', blksize: '' });
      const tftpOptions = { blksize: 600, timeout: 2 };
      send({ host: '127.0.0.1', port: Number(port), filename: 'other.bin', tftpOptions });
      const { payload, tftp } = await outputs[0]!.until();
      should(payload).equal('other');
      should(tftp!.options).have.properties({ blksize: 600, timeout: 2000 });
    });

    it('does not override what is set in the node', async () => {
      const { port } = await startServer({ 'firmware.bin': 'mine' });
      const { send, outputs } = await bench(get(port, { ret: 'txt', blksize: '700' }));
      const tftpOptions = { blksize: 600 };
      send({
        host: '192.0.2.1',
        port: 9,
        filename: 'yours',
        url: 'tftp://192.0.2.1/yours',
        tftpOptions,
      });
      const { payload, tftp, filename } = await outputs[0]!.until();
      should(payload).equal('mine');
      should(tftp!.options.blksize).equal(700);
      should(filename).equal('yours');
    });

    it('asks for no option when its field is blank', async () => {
      const { port } = await startServer({ 'firmware.bin': 'x' });
      const none = { blksize: '', windowsize: '', tsize: false };
      const { send, outputs } = await bench(get(port, none));
      send({});
      should((await outputs[0]!.until()).tftp!.options).eql({ blksize: 512, windowsize: 1 });
    });

    for (const [where, node, message] of [
      ['the node', { rollover: '1' }, {}],
      ['the message', {}, { tftpOptions: { rollover: 1 } }],
    ] as const) {
      it(`asks for another rollover if ${where} says so`, async () => {
        const { port } = await startServer({ 'firmware.bin': 'x' });
        const { send, outputs } = await bench(get(port, node));
        send(message);
        should((await outputs[0]!.until()).tftp!.options.rollover).equal(1);
      });
    }

    for (const [where, node, message] of [
      ['the node', { windowsize: 'auto' }, {}],
      ['the message', { windowsize: '' }, { tftpOptions: { windowsize: 'auto' } }],
    ] as const) {
      it(`asks for a large window if ${where} says auto`, async () => {
        const { port } = await startServer({ 'firmware.bin': 'x' });
        const { send, outputs } = await bench(get(port, node));
        send(message);
        should((await outputs[0]!.until()).tftp!.options.windowsize).equal(64);
      });
    }

    for (const property of ['url', 'filename']) {
      it(`takes a tftp:// URL from msg.${property}`, async () => {
        const { port } = await startServer({ 'a file': 'a\nb' });
        const { send, outputs } = await bench({ type: 'tftp-get', ret: 'txt' });
        send({ [property]: `tftp://127.0.0.1:${port}/a%20file;mode=netascii` });
        const { payload, tftp } = await outputs[0]!.until();
        should(payload).equal('a\nb');
        should(tftp).have.properties({ filename: 'a file', mode: 'netascii' });
      });
    }

    it('does not look at the URL of another node if host and file are filled in', async () => {
      const { port } = await startServer({ 'firmware.bin': 'x' });
      const { send, outputs } = await bench(get(port));
      send({ url: 'http://192.0.2.1/' });
      should((await outputs[0]!.until()).tftp!.filename).equal('firmware.bin');
    });

    it('is read by JSONata, and from the context of the flow', async () => {
      const { port } = await startServer({ 'phone-7.cfg': 'cfg' });
      const typed = {
        host: 'place',
        hostType: 'flow',
        filename: '"phone-" & id & ".cfg"',
        filenameType: 'jsonata',
        ret: 'txt',
      };
      const { send, outputs } = await bench(get(port, typed));
      nodeOf('node').context().flow.set('place', '127.0.0.1');
      send({ id: 7 });
      should((await outputs[0]!.until()).payload).equal('cfg');
    });
  });

  describe('the events', () => {
    it('come in order with exactly one ending, as copies of the message', async () => {
      const { port } = await startServer({ 'firmware.bin': FIRMWARE });
      const { send, outputs, completed, statuses, caught } = await bench(get(port));
      send({ _msgid: 'm1', payload: 'secret', topic: 'mine', device: { name: 'A' } });
      await completed.until();
      const { messages, events } = outputs[1]!;
      should(events[0]).equal('start');
      should(events.slice(1, -1)).matchEach('progress');
      should(events.at(-1)).equal('complete');
      should(asRecord(messages.at(-2)!.payload).percent).equal(100);
      for (const event of messages) {
        should(event).have.properties({
          _msgid: 'm1',
          topic: 'mine',
          device: { name: 'A' },
        });
        should(JSON.stringify(event)).not.match(/secret/);
      }
      should(new Set(messages.map(({ payload }) => asRecord(payload).id)).size).equal(1);
      should(outputs[0]!.messages[0]!.topic).equal('mine');
      should(completed.messages.length).equal(1);
      should(caught.messages).be.empty();
      const { status } = await statuses.until((msg) => msg.status?.event === 'complete');
      should(status).have.properties({ fill: 'green', event: 'complete' });
      should(status!.transfer!.bytes).equal(200_000);
    });

    it('can be changed by the flow without changing the result', async () => {
      const { port } = await startServer({ 'firmware.bin': FIRMWARE });
      const { send, outputs } = await bench(get(port));
      nodeOf('output1').on('input', (msg: { device: { name: string } }) => {
        msg.device.name = 'changed';
      });
      send({ device: { name: 'A' } });
      should((await outputs[0]!.until()).device).eql({ name: 'A' });
    });

    it('take an output each, with `separate`', async () => {
      const { port } = await startServer({ 'firmware.bin': FIRMWARE });
      const { send, outputs, completed } = await bench(get(port, { events: 'separate' }), 5);
      send({});
      await completed.until();
      should(outputs.map(({ events }) => [...new Set(events)])).eql([
        [undefined],
        ['start'],
        ['progress'],
        ['complete'],
        [],
      ]);
    });

    it('are not sent, with `none`', async () => {
      const { port } = await startServer({ 'firmware.bin': FIRMWARE });
      const { send, outputs, completed } = await bench(get(port, { events: 'none' }));
      send({});
      await completed.until();
      should(outputs[0]!.messages.length).equal(1);
      should(outputs[1]!.messages).be.empty();
    });
  });
});
