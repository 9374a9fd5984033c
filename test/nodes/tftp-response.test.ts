import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import should = require('should');
import { TftpClient } from '../../src/client/client';
import { pendingReads } from '../../src/node-red/pending-reads';
import {
  Inbox,
  asRecord,
  asReport,
  closeAfterTest,
  freePort,
  loadFlow,
  nodeOf,
  redeploy,
  useNodeRed,
  useSettings,
} from '../helpers/node-red';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ack, error, rrq } from '../helpers/wire';
import type { ClientOptions } from '../../src/client/client-options';
import type { FlowNode, Message } from '../helpers/node-red';

/** The worker of a server may report a new request before the end of an old one. */
async function onlyOneWaits(): Promise<void> {
  while (pendingReads.size !== 1) await turn();
}

const LARGE = Buffer.alloc(10_000_000, 'a line of a firmware\n');

/** A client that asks no options asks once, also where ERROR 0, 2 or 4 could mean that it is the options. */
const PLAIN: ClientOptions = { blksize: null, windowsize: null, tsize: false };

describe('tftp-response', () => {
  useNodeRed();
  closePeersAfterEach();
  let root: string;
  let port: string;
  let client: TftpClient;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'tftp-response-'));
    port = await freePort();
    client = new TftpClient({ host: '127.0.0.1', port: Number(port) });
    closeAfterTest(() => rm(root, { recursive: true, force: true }));
    closeAfterTest(() => Promise.resolve(client.close()));
  });

  function nodes(server: object, response: object, requestOutput: number): FlowNode[] {
    const wires = Array.from({ length: requestOutput }, () => ['events']);
    return [
      {
        id: 'server',
        type: 'tftp-server',
        address: '127.0.0.1',
        port,
        reads: 'flow',
        ...server,
        wires: [...wires, ['requests']],
      },
      { id: 'response', type: 'tftp-response', ...response },
      { id: 'n1', type: 'catch', scope: ['server', 'response'], wires: [['caught']] },
      { id: 'n2', type: 'complete', scope: ['response'], wires: [['completed']] },
      { id: 'n3', type: 'status', scope: ['server', 'response'], wires: [['statuses']] },
      ...['events', 'requests', 'caught', 'completed', 'statuses'].map((id) => ({
        id,
        type: 'inbox',
      })),
    ];
  }

  async function start(
    { server = {}, response = {}, requestOutput = 2 } = {},
    load = loadFlow,
  ): Promise<void> {
    await load(nodes(server, response, requestOutput));
    await Inbox.of('statuses').until(({ status }) => status?.text === `:${port}`);
  }

  /** Hands the first request, with these properties, to the response node. */
  async function answer(more: object = {}): Promise<Message> {
    const request = await Inbox.of('requests').until();
    nodeOf('response').receive({ ...request, ...more });
    return request;
  }

  /** What a client gets when the flow answers so. */
  async function got(more: object, options: ClientOptions = {}): Promise<string> {
    const [{ data }] = await Promise.all([client.get('phone.cfg', options), answer(more)]);
    return data.toString();
  }

  /** Waits until so many requests have come to the server. */
  async function requestsHaveCome(count: number): Promise<void> {
    for (let topic = '1'; ; topic += '1') {
      nodeOf('server').receive({ action: 'status', topic });
      const { payload } = await Inbox.of('events').until((msg) => msg.topic === topic);
      if (asReport(payload).counters.requests! >= count) return;
    }
  }

  /** What a Catch node hears of one of the nodes. */
  const caughtFrom = (id: string): Promise<Message> =>
    Inbox.of('caught').until((msg) => msg.error?.source.id === id);

  for (const [events, requestOutput] of [
    ['none', 1],
    ['one', 2],
    ['separate', 6],
  ] as const) {
    it(`gets a message for each request, on the last output (events: ${events})`, async () => {
      await start({ server: { events }, requestOutput });
      const options = { blksize: 1024, windowsize: 4, tsize: true };
      const [{ record }, request] = await Promise.all([
        client.get('cfg/phone.cfg', options),
        answer({ payload: 'x' }),
      ]);
      should(request).have.properties({
        topic: 'cfg/phone.cfg',
        event: 'request',
        filename: 'cfg/phone.cfg',
        ip: '127.0.0.1',
        clientPort: record.localPort,
        mode: 'octet',
        options: { tsize: '0', blksize: '1024', windowsize: '4' },
      });
      // get and put take a port for that of their server, and the response a payload for the content.
      should(request).not.have.properties('payload', 'port');
      should(Inbox.of('requests').messages).have.length(1);
      should(Inbox.of('events').events).not.containEql('request');
    });
  }

  describe('answers with', () => {
    const kinds: [title: string, payload: unknown, sent: string][] = [
      ['a Buffer', Buffer.from([0x61, 0x0a]), 'a\n'],
      ['bytes that are no Buffer', new Uint8Array([0x62]), 'b'],
      ['a string', 'Grüße\n', 'Grüße\n'],
      ['an empty string', '', ''],
      ['a number', 42, '42'],
      ['a boolean', false, 'false'],
      ['an object', { line: 7 }, '{"line":7}'],
      ['an array', [1, 'two'], '[1,"two"]'],
    ];
    for (const [title, payload, sent] of kinds) {
      it(title, async () => {
        await start();
        should(await got({ payload })).equal(sent);
        await Inbox.of('completed').until();
        await Inbox.of('events').until(({ event }) => event === 'complete');
        should(Inbox.of('events').events).eql(['start', 'progress', 'complete']);
        should(Inbox.of('caught').messages).be.empty();
      });
    }

    it('a local file, whose relative name starts at fileWorkingDirectory', async () => {
      await mkdir(path.join(root, 'local'));
      await writeFile(path.join(root, 'local', 'f.bin'), LARGE);
      useSettings({ fileWorkingDirectory: root });
      closeAfterTest(() => Promise.resolve(useSettings({ fileWorkingDirectory: '' })));
      await start();
      const sent = await got({ localFilename: 'local/f.bin' }, { blksize: 8192, windowsize: 8 });
      should(sent === LARGE.toString()).be.true();
    });

    it('another file of the folder', async () => {
      await writeFile(path.join(root, 'default.cfg'), 'for everybody');
      await start({ server: { root } });
      should(await got({ serve: 'default.cfg' })).equal('for everybody');
    });

    it('the first of an error, another file, a local file and the payload', async () => {
      await writeFile(path.join(root, 'a'), 'from the folder');
      await writeFile(path.join(root, 'b'), 'local');
      await start({ server: { root } });
      const local = { localFilename: path.join(root, 'b'), payload: 'payload' };
      should(await got({ ...local, serve: '', tftpError: null })).equal('local');
      Inbox.of('requests').messages.length = 0;
      should(await got({ ...local, serve: 'a' })).equal('from the folder');
      Inbox.of('requests').messages.length = 0;
      const all = { ...local, serve: 'a', tftpError: 2 };
      await should(got(all, PLAIN)).be.rejectedWith({ code: 'EACCES' });
    });
  });

  describe('answers with all options, for content of', () => {
    for (const size of [0, 1, 511, 512, LARGE.length]) {
      it(`${size} bytes`, async () => {
        await start();
        const payload = LARGE.subarray(0, size);
        const options = { tsize: true, blksize: 1428, windowsize: 16, timeout: 2000 };
        const [{ data, record }] = await Promise.all([
          client.get('f', options),
          answer({ payload }),
        ]);
        should(data.equals(payload)).be.true();
        should(record.size).equal(size);
        should(record.options).have.properties({ blksize: 1428, windowsize: 16 });
        // A size of 0 is not told: some clients take that for an error.
        should(record.options.tsize).equal(size === 0 ? undefined : size);
      });

      it(`${size} bytes in netascii`, async () => {
        await start();
        const payload = LARGE.subarray(0, size);
        const options = { mode: 'netascii', windowsize: 16, blksize: 1428 } as const;
        const [{ data }, request] = await Promise.all([
          client.get('f', options),
          answer({ payload }),
        ]);
        should(sha256(data)).equal(sha256(payload));
        should(request).have.property('mode', 'netascii');
      });
    }
  });

  describe('refuses', () => {
    const refusals: [tftpError: unknown, heard: string][] = [
      [{ code: 1, message: 'No such phone' }, 'ERROR 1 No such phone'],
      [{ code: 'EACCES', message: 'Not you' }, 'ERROR 2 Not you'],
      [{ message: 'Ask the help desk' }, 'ERROR 0 Ask the help desk'],
      [0, 'ERROR 0 Not defined'],
      [3, 'ERROR 3 Disk full or allocation exceeded'],
      ['7', 'ERROR 7 No such user'],
      ['enoent', 'ERROR 1 File not found'],
    ];
    for (const [tftpError, heard] of refusals) {
      it(`with ${JSON.stringify(tftpError)}`, async () => {
        await start();
        const peer = await ScriptedPeer.bind();
        peer.send(rrq('f'), { address: '127.0.0.1', port: Number(port) });
        await answer({ tftpError });
        should(await peer.hear()).equal(heard);
        await Inbox.of('completed').until();
        const told = await caughtFrom('server');
        should(told.error!.message).containEql(heard.slice('ERROR 0 '.length));
        should(Inbox.of('caught').messages).have.length(1);
      });
    }

    it('always, if the node says so', async () => {
      await start({ response: { mode: 'error', errorCode: '2', errorText: 'Go away' } });
      await should(got({ payload: 'x' }, PLAIN)).be.rejectedWith({
        code: 'EACCES',
        message: /Go away/,
      });
      await start({ response: { mode: 'error' } }, redeploy);
      await should(got({ payload: 'x' })).be.rejectedWith({ message: /File not found/ });
    });
  });

  describe('cannot answer', () => {
    async function refusedWith(more: object, server = {}): Promise<[heard: string, Message]> {
      await start({ server });
      const peer = await ScriptedPeer.bind();
      peer.send(rrq('f'), { address: '127.0.0.1', port: Number(port) });
      await answer(more);
      return [await peer.hear(), await caughtFrom('response')];
    }

    it('with a local file that is missing or no file', async () => {
      const missing = path.join(root, 'missing');
      const [heard, { error: told }] = await refusedWith({ localFilename: missing });
      should(heard).equal('ERROR 1 File not found');
      should(told!.code).equal('ENOFILE');
      should(told!.message).containEql(missing);
      Inbox.of('requests').messages.length = 0;
      await should(got({ localFilename: root }, PLAIN)).be.rejectedWith({ code: 'EACCES' });
    });

    it('with a file that is missing in the folder, or is out of it', async () => {
      const [heard, { error: told }] = await refusedWith({ serve: 'missing' }, { root });
      should(heard).equal('ERROR 1 File not found');
      should(told!.code).equal('ENOENT');
      Inbox.of('requests').messages.length = 0;
      await should(got({ serve: '../outside' }, PLAIN)).be.rejectedWith({ code: 'EACCES' });
    });

    it('with a file of the folder if there is no folder', async () => {
      const [heard, { error: told }] = await refusedWith({ serve: 'f' });
      should(heard).equal('ERROR 2 This server has no files to read');
      should(told!.message).match(/fill in its "Folder"/);
    });

    const wrong: [title: string, more: object, says: RegExp][] = [
      ['nothing', {}, /No answer: set msg\.payload/],
      ['null', { payload: null }, /No answer: set msg\.payload/],
      ['a function', { payload: () => 1 }, /nothing to send/],
      ['a code that TFTP does not have', { tftpError: { code: 9 } }, /number from 0 to 8/],
      ['a number that TFTP does not have', { tftpError: '12' }, /number from 0 to 8/],
      ['an error without code and text', { tftpError: {} }, /no code and no message/],
      ['a name that is none', { serve: {} }, /msg\.serve is no name/],
    ];
    for (const [title, more, says] of wrong) {
      it(`with ${title}: the client is refused at once, and both nodes tell`, async () => {
        // Whoever waited for the flow's time to be over would not hear within the time of a test.
        const [heard, told] = await refusedWith(more, { responseTimeout: '3600' });
        should(heard).equal('ERROR 0 The server has no answer to this request');
        should(told.error!.message).match(says);
        should(told.payload).have.properties({ event: 'error', filename: 'f', host: '127.0.0.1' });
        should(told.payload).have.propertyByPath('error', 'code').equal('EINVAL');
        await Inbox.of('statuses').until(({ status }) => status?.fill === 'red');
        const { payload } = await Inbox.of('events').until(({ event }) => event === 'error');
        should(asRecord(payload).error).have.properties({ code: 'EINVAL', by: 'flow' });
        const request = Inbox.of('requests').messages[0]!;
        Inbox.of('caught').messages.length = 0;
        nodeOf('response').receive({ ...request, payload: 'too late' });
        should((await caughtFrom('response')).error!.message).match(/already answered/);
      });
    }
  });

  describe('tells that an answer comes to nothing', () => {
    /** A client that has asked, and the place that it asks. */
    async function asked(server = {}) {
      await start({ server });
      const place = { address: '127.0.0.1', port: Number(port) };
      const peer = await ScriptedPeer.bind();
      peer.send(rrq('f'), place);
      await Inbox.of('requests').until();
      return { peer, place };
    }

    it('if it is late: the client was told, and there is an error event', async () => {
      const { peer } = await asked({ responseTimeout: '0.2' });
      should(await peer.hear()).equal('ERROR 0 The flow did not answer in time');
      const { payload } = await Inbox.of('events').until(({ event }) => event === 'error');
      should(asRecord(payload).error).have.properties({ code: 'ENOANSWER', tftpCode: 0 });
      should((await caughtFrom('server')).error!.message).match(/did not answer in time/);
      await answer({ payload: 'x' });
      const { error: told, ...msg } = await caughtFrom('response');
      should(told!.message).match(/too late: the tftp server waited for 0\.2 seconds/);
      should(told!.code).equal('ENOANSWER');
      should(msg).have.properties({ _payload: 'x', filename: 'f' });
      should(Inbox.of('completed').messages).be.empty();
      await peer.expectSilence();
    });

    it('if it is the second one', async () => {
      const { peer } = await asked();
      await answer({ payload: 'first' });
      should(await peer.hear()).equal('DATA 1 5 B');
      await answer({ payload: 'second answer' });
      should((await caughtFrom('response')).error!.message).match(/already answered/);
      should(Inbox.of('completed').messages).have.length(1);
      await peer.expectSilence();
    });

    for (const _session of [undefined, { type: 'tcp', id: 'x' }, { type: 'tftp', id: 'x' }]) {
      it(`if it belongs to no request: ${JSON.stringify(_session)}`, async () => {
        await start();
        nodeOf('response').receive({ payload: 'x', _session });
        const { error: told } = await caughtFrom('response');
        should(told!.message).match(/No (TFTP|pending) request.*msg\._session/);
        const { status } = await Inbox.of('statuses').until((msg) => msg.status?.fill === 'red');
        should(status!.text).match(/reason\.EINVAL$/);
      });
    }

    it('if the client has given up', async () => {
      const { peer, place } = await asked();
      peer.send(error(0, 'too slow'), place);
      // What the same peer sends next is handled next.
      peer.send(rrq('g'), place);
      await Inbox.of('requests').count(2);
      await onlyOneWaits();
      await answer({ payload: 'x' });
      should((await caughtFrom('response')).error!.message).match(/no longer waiting.*too slow/);
      await peer.expectSilence();
    });

    it('if the client has asked for something else', async () => {
      const { peer, place } = await asked();
      peer.send(rrq('g'), place);
      const [first, second] = await Inbox.of('requests').count(2);
      await onlyOneWaits();
      nodeOf('response').receive({ ...first!, payload: 'old' });
      should((await caughtFrom('response')).error!.message).match(/Replaced by a new request/);
      nodeOf('response').receive({ ...second!, payload: 'new content' });
      should(await peer.hear()).equal('DATA 1 11 B');
    });

    it('if the server was stopped by a redeploy, which the client is told', async () => {
      const { peer } = await asked();
      const request = Inbox.of('requests').messages[0]!;
      const before = Date.now();
      await start({}, redeploy);
      should(Date.now() - before).be.below(2000);
      should(await peer.hear()).equal('ERROR 0 The server was stopped');
      nodeOf('response').receive({ ...request, payload: 'x' });
      should((await caughtFrom('response')).error!.message).match(/The server was stopped/);
      should((await caughtFrom('server')).error!.message).match(/The server was stopped/);
      should(Inbox.of('events').events.filter((event) => event === 'error')).have.length(1);
      should(Inbox.of('caught').messages).have.length(2);
    });
  });

  it('answers once to a client that repeats its request, and a slow flow is no second transfer', async () => {
    await start({ server: { maxPerHost: '1', inputs: 1 } });
    const place = { address: '127.0.0.1', port: Number(port) };
    const peer = await ScriptedPeer.bind();
    for (let times = 0; times < 3; times += 1) peer.send(rrq('f'), place);
    await Inbox.of('requests').until();
    // There is no slot for it, so it is not heard of.
    const other = await ScriptedPeer.bind();
    other.send(rrq('other'), place);
    await requestsHaveCome(4);
    await answer({ payload: 'x' });
    should(await peer.hear()).equal('DATA 1 1 B');
    peer.send(ack(1));
    await Inbox.of('events').until(({ event }) => event === 'complete');
    should(Inbox.of('requests').messages).have.length(1);
    await peer.expectSilence();
    await other.expectSilence();
  });

  it('is asked only for what the folder does not have, if that comes first', async () => {
    await writeFile(path.join(root, 'firmware.bin'), 'from the folder');
    await start({ server: { reads: 'both', root } });
    should((await client.get('firmware.bin')).data.toString()).equal('from the folder');
    await should(client.get('../outside')).be.rejectedWith({ code: 'EACCES' });
    should(Inbox.of('requests').messages).be.empty();
    should(await got({ payload: 'from the flow' })).equal('from the flow');
  });

  it('takes its status back when the next answer is right', async () => {
    await start();
    nodeOf('response').receive({ payload: 'x' });
    await Inbox.of('statuses').until(({ status }) => status?.fill === 'red');
    should(await got({ payload: 'x' })).equal('x');
    await Inbox.of('statuses').until(({ status }) => status?.text === undefined);
  });

  it('says what is wrong with its settings', async () => {
    await start({ response: { mode: 'error', errorCode: '12' } });
    should((await caughtFrom('response')).error!.message).match(/errorCode is 12/);
  });
});

function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
