import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import {
  asRecord,
  bench,
  closeAfterTest,
  nodeOf,
  startServer,
  useNodeRed,
} from '../helpers/node-red';
import type { NodeMessage } from 'node-red';
import type { Properties } from '../helpers/node-red';

describe('tftp-put', () => {
  useNodeRed();

  const put = (port: string, more: Record<string, unknown> = {}): Properties => ({
    type: 'tftp-put',
    host: '127.0.0.1',
    port,
    filename: 'f',
    ...more,
  });

  async function fileWithText(text: string): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), 'tftp-put-'));
    closeAfterTest(() => rm(folder, { recursive: true }));
    await writeFile(path.join(folder, 'local'), text);
    return path.join(folder, 'local');
  }

  const payloads: [what: string, payload: unknown, bytes: Buffer][] = [
    ['a Buffer as it is', Buffer.from([0, 255, 10]), Buffer.from([0, 255, 10])],
    ['a Uint8Array as it is', Uint8Array.of(1, 2, 3).subarray(1), Buffer.from([2, 3])],
    ['a string as UTF-8', 'Grüße', Buffer.from('Grüße')],
    ['an empty string as an empty file', '', Buffer.alloc(0)],
    ['a number as text', 4.5, Buffer.from('4.5')],
    ['a boolean as text', false, Buffer.from('false')],
    ['an object as JSON', { a: [1] }, Buffer.from('{"a":[1]}')],
    ['an array as JSON', [1, 'x'], Buffer.from('[1,"x"]')],
  ];
  for (const [what, payload, bytes] of payloads) {
    it(`sends ${what}`, async () => {
      const { port, files } = await startServer({}, { write: true });
      const { send, outputs } = await bench(put(port));
      send({ payload });
      await outputs[0]!.until();
      should(files.get('f')!.equals(bytes)).be.true();
    });
  }

  it('passes the same message on when the server has all of it', async () => {
    const { port } = await startServer({}, { write: true });
    const { send, outputs, completed, caught } = await bench(put(port));
    const payload = Buffer.alloc(100_000, 1);
    const msg = { _msgid: 'm1', payload, topic: 'mine', extra: { a: 1 } };
    send(msg);
    const result = await outputs[0]!.until();
    should(result).be.exactly(msg);
    should(result.payload).be.exactly(payload);
    should(result).have.properties({ _msgid: 'm1', topic: 'mine', extra: { a: 1 } });
    should(result.tftp).have.properties({ operation: 'write', bytes: 100_000, size: 100_000 });
    should(result.tftp!.options.tsize).equal(100_000);
    await completed.until();
    const { events, messages } = outputs[1]!;
    should([events[0], events.at(-1)]).eql(['start', 'complete']);
    should(events.filter((event) => event === 'complete').length).equal(1);
    should(messages[0]).have.properties({ _msgid: 'm1', topic: 'mine', extra: { a: 1 } });
    should(caught.messages).be.empty();
  });

  const sources: [source: string, sourceType: string, text: string][] = [
    ['text', 'str', 'text'],
    ['{"a":1}', 'json', '{"a":1}'],
    ['[104,105]', 'bin', 'hi'],
    ['a.b', 'msg', 'deep'],
    ['"<" & a.b & ">"', 'jsonata', '<deep>'],
    ['config', 'flow', 'from the flow'],
    ['config', 'global', 'from everywhere'],
    ['TFTP_PUT_TEST', 'env', 'from the environment'],
  ];
  for (const [source, sourceType, text] of sources) {
    it(`takes what to send from ${sourceType}`, async () => {
      process.env.TFTP_PUT_TEST = 'from the environment';
      const { port, files } = await startServer({}, { write: true });
      const { send, outputs } = await bench(put(port, { source, sourceType }));
      nodeOf('node').context().flow.set('config', 'from the flow');
      nodeOf('node').context().global.set('config', 'from everywhere');
      send({ a: { b: 'deep' } });
      await outputs[0]!.until();
      should(files.get('f')!.toString()).equal(text);
    });
  }

  it('sends a local file', async () => {
    const { port, files } = await startServer({}, { write: true });
    const source = await fileWithText('local text');
    const { send, outputs } = await bench(put(port, { source, sourceType: 'file' }));
    send({ payload: 'untouched' });
    should((await outputs[0]!.until()).payload).equal('untouched');
    should(files.get('f')!.toString()).equal('local text');
  });

  it('sends the local file of the message, if none is set', async () => {
    const { port, files } = await startServer({}, { write: true });
    const { send, outputs } = await bench(put(port, { source: '', sourceType: 'file' }));
    send({ localFilename: await fileWithText('named by the message') });
    await outputs[0]!.until();
    should(files.get('f')!.toString()).equal('named by the message');
  });

  const refused: [
    what: string,
    properties: Record<string, unknown>,
    message: NodeMessage,
    code: string,
    says: RegExp,
  ][] = [
    ['nothing to send', {}, {}, 'EINVAL', /nothing to send/],
    ['null', {}, { payload: null }, 'EINVAL', /nothing to send/],
    ['many files', { filename: '' }, { filename: ['a'], payload: 1 }, 'EINVAL', /one message for/],
    ['no local file', { source: '', sourceType: 'file' }, {}, 'EINVAL', /msg\.localFilename/],
    [
      'a local file that is missing',
      { source: '/nope', sourceType: 'file' },
      {},
      'ENOFILE',
      /nope/,
    ],
    ['a server that takes no files', {}, { payload: 1 }, 'EACCES', /./],
  ];
  for (const [what, properties, message, code, says] of refused) {
    it(`ends with an error for ${what}`, async () => {
      const { port } = await startServer();
      const flow = await bench(put(port, properties));
      flow.send(message);
      const { error } = await flow.caught.until();
      should(error!.code).equal(code);
      should(error!.message).match(says);
      const failed = await flow.outputs[1]!.until(({ event }) => event === 'error');
      should(asRecord(failed.payload).error!.code).equal(code);
      should(flow.outputs[1]!.events).eql(['start', 'error']);
      should(flow.outputs[0]!.messages).be.empty();
    });
  }

  it('runs as many at a time as it is told', async () => {
    const { port, server } = await startServer({}, { write: true });
    let most = 0;
    server.on('transfer', () => (most = Math.max(most, server.transfers.length)));
    const flow = await bench(put(port, { filename: '', concurrency: '2' }));
    for (let index = 0; index < 8; index++) {
      flow.send({ payload: Buffer.alloc(50_000), filename: `f${index}` });
    }
    await flow.outputs[0]!.count(8);
    should(most).be.belowOrEqual(2);
  });
});
