import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import { TftpClient } from '../../src/client/client';
import {
  asRecord,
  asReport,
  bench,
  closeAfterTest,
  freePort,
  isFree,
  loadFlow,
  redeploy,
  stuckSource,
  useNodeRed,
} from '../helpers/node-red';
import type { Bench, Message, Properties } from '../helpers/node-red';
import { skip } from '../helpers/requirements';

describe('tftp-server, its control messages', () => {
  useNodeRed();
  let root: string;
  let port: string;
  let client: TftpClient;
  let asked = 0;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'tftp-control-'));
    await writeFile(path.join(root, 'phone.cfg'), 'line=7');
    port = await freePort();
    // Requests are counted: on a busy machine it must not ask twice.
    client = new TftpClient({ host: '127.0.0.1', port: Number(port), timeout: 10_000 });
    closeAfterTest(() => rm(root, { recursive: true, force: true }));
    closeAfterTest(() => Promise.resolve(client.close()));
  });

  const server = (more: Record<string, unknown> = {}): Properties => ({
    type: 'tftp-server',
    address: '127.0.0.1',
    port,
    root,
    inputs: 1,
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

  /** Sends a control message and waits for its answer. */
  async function ask(flow: Bench, msg: object, output = 1): Promise<Message> {
    asked += 1;
    const topic = `question ${asked}`;
    flow.send({ ...msg, topic });
    return flow.outputs[output]!.until((answer) => answer.topic === topic);
  }

  /** A client in the middle of an upload. */
  async function uploading(
    flow: Bench,
    name: string,
  ): Promise<{ id: string; end: Promise<Error> }> {
    const end = client.put(stuckSource(), name).then(
      () => new Error('It has ended well'),
      (error: Error) => error,
    );
    const { payload } = await flow.outputs[1]!.until(
      ({ event, topic }) => event === 'start' && topic === name,
    );
    return { id: asRecord(payload).id, end };
  }

  it('status: tells what the server does', async () => {
    const flow = await listening({ writes: 'folder' });
    const { id } = await uploading(flow, 'stuck');
    const answer = await ask(flow, { action: 'status', mine: 1 });
    should(answer).have.properties({ event: 'status', action: 'status', mine: 1 });
    const report = asReport(answer.payload);
    should(report.state).equal('listening');
    should(report.addresses).eql([{ address: '127.0.0.1', port: Number(port), family: 'ipv4' }]);
    should(report.transfers.map((record) => record.id)).eql([id]);
    should(report.counters).have.properties({ requests: 1, completed: 0 });
    await flow.completed.until();
  });

  it('stop: ends the transfers and frees the port; start: listens again', async () => {
    const flow = await listening({ writes: 'folder' });
    const { end } = await uploading(flow, 'stuck');
    const stopped = await ask(flow, { action: 'stop' });
    should(asReport(stopped.payload)).have.properties({
      state: 'stopped',
      addresses: [],
      transfers: [],
    });
    should(asReport(stopped.payload).counters).have.properties({ requests: 1, failed: 1 });
    should(await end).have.property('message', 'The server was stopped');
    should(await isFree(port)).be.true();
    const { status } = await flow.statuses.until(({ status: shown }) => shown?.fill === 'grey');
    should(status).have.property('shape', 'ring');
    should(status!.text).match(/status\.stopped$/);

    should(asReport((await ask(flow, { action: 'start' })).payload).state).equal('listening');
    should((await client.get('phone.cfg')).data.toString()).equal('line=7');
    should(asReport((await ask(flow, { action: 'start' })).payload).counters.requests).equal(1);
  });

  it('a deploy starts a server that was stopped', async () => {
    const flow = await listening();
    await ask(flow, { action: 'stop' });
    await listening({}, 2, redeploy);
    should((await client.get('phone.cfg')).data.toString()).equal('line=7');
  });

  it('pause: refuses requests, and lets transfers go on; resume: ends it', async () => {
    const flow = await listening({ writes: 'folder' });
    const { id } = await uploading(flow, 'stuck');
    const paused = await ask(flow, { action: 'pause' });
    should(asReport(paused.payload).state).equal('paused');
    should(asReport(paused.payload).transfers.map((record) => record.id)).eql([id]);
    await should(client.get('phone.cfg')).be.rejectedWith({
      tftpCode: 0,
      message: /The server is paused/,
    });
    const { status } = await flow.statuses.until(({ status: shown }) => shown?.fill === 'grey');
    should(status!.text).match(/status\.paused$/);
    should(asReport((await ask(flow, { action: 'resume' })).payload).state).equal('listening');
    should((await client.get('phone.cfg')).data.toString()).equal('line=7');
  });

  it('a pause ends with start, and a stop ends it', async () => {
    const flow = await listening();
    await ask(flow, { action: 'pause' });
    should(asReport((await ask(flow, { action: 'start' })).payload).state).equal('listening');
    await ask(flow, { action: 'pause' });
    should(asReport((await ask(flow, { action: 'stop' })).payload).state).equal('stopped');
    should(asReport((await ask(flow, { action: 'resume' })).payload).state).equal('stopped');
    should(asReport((await ask(flow, { action: 'pause' })).payload).state).equal('stopped');
    should(asReport((await ask(flow, { action: 'start' })).payload).state).equal('listening');
  });

  describe('cancel', () => {
    for (const [which, target, ends] of [
      ['one transfer', (id: string) => ({ id }), ['first']],
      ['those of a client', () => ({ host: '127.0.0.1' }), ['first', 'second']],
      ['none of another client', () => ({ host: '192.0.2.1' }), []],
      ['all transfers', () => ({}), ['first', 'second']],
    ] as const) {
      it(`ends ${which}`, async () => {
        const flow = await listening({ writes: 'folder' });
        const first = await uploading(flow, 'first');
        await uploading(flow, 'second');
        await ask(flow, { action: 'cancel', ...target(first.id) });
        for (const name of ends) {
          const ended = await flow.outputs[1]!.until(
            ({ event, topic }) => event === 'error' && topic === name,
          );
          should(asRecord(ended.payload).error).have.property('code', 'ECANCELED');
        }
        const { transfers } = asReport((await ask(flow, { action: 'status' })).payload);
        should(transfers.length).equal(2 - ends.length);
      });
    }

    for (const target of [{ id: undefined }, { host: '' }, { id: {} }]) {
      it(`ends nothing for ${JSON.stringify(target)} by mistake`, async () => {
        const flow = await listening({ writes: 'folder' });
        await uploading(flow, 'stuck');
        flow.send({ action: 'cancel', ...target });
        const { error } = await flow.caught.until();
        should(error!.message).match(/msg\.(id|host) is blank: .*delete it to cancel all/);
        const { transfers } = asReport((await ask(flow, { action: 'status' })).payload);
        should(transfers.length).equal(1);
      });
    }
  });

  describe('reload', () => {
    it('opens the folder again, and keeps transfers and counters', async function () {
      if (process.platform === 'win32') skip(this, 'Windows deletes no folder with an open file');
      const flow = await listening({ writes: 'folder' });
      const { id } = await uploading(flow, 'stuck');
      await rm(root, { recursive: true });
      await mkdir(root);
      await writeFile(path.join(root, 'new.cfg'), 'line=8');
      const report = asReport((await ask(flow, { action: 'reload' })).payload);
      should(report.transfers.map((record) => record.id)).eql([id]);
      should(report.counters.requests).equal(1);
      should((await client.get('new.cfg')).data.toString()).equal('line=8');
    });

    it('fails if the folder is gone, and goes on as before', async () => {
      const flow = await listening();
      await rm(root, { recursive: true });
      flow.send({ action: 'reload' });
      should((await flow.caught.until()).error!.code).equal('ENOFILE');
      should(asReport((await ask(flow, { action: 'status' })).payload).state).equal('listening');
    });

    it('leaves a stopped server stopped', async () => {
      const flow = await listening();
      await ask(flow, { action: 'stop' });
      should(asReport((await ask(flow, { action: 'reload' })).payload).state).equal('stopped');
    });
  });

  it('start and reload fail where the server cannot listen, and say why once', async () => {
    const missing = path.join(root, 'missing');
    const flow = await bench(server({ root: missing }));
    await flow.caught.until();
    should(asReport((await ask(flow, { action: 'status' })).payload).state).equal('failed');
    for (const action of ['start', 'reload']) {
      flow.send({ action, _msgid: action });
      const { error } = await flow.caught.until(({ _msgid }) => _msgid === action);
      should(error!.code).equal('ENOFILE');
    }
    should(flow.caught.messages.length).equal(3);
    await mkdir(missing);
    should(asReport((await ask(flow, { action: 'reload' })).payload).state).equal('listening');
  });

  it('stop ends the attempts of a server that cannot listen', async () => {
    const flow = await bench(server({ root: path.join(root, 'missing') }));
    await flow.caught.until();
    should(asReport((await ask(flow, { action: 'stop' })).payload).state).equal('stopped');
    await flow.statuses.until(({ status }) => status?.fill === 'grey');
  });

  it('carries out messages in the order in which they come', async () => {
    const flow = await listening();
    for (const action of ['stop', 'start', 'pause', 'stop', 'start', 'status']) {
      flow.send({ action });
    }
    const answers = await flow.outputs[1]!.count(6);
    const states = answers.map((answer) => asReport(answer.payload).state);
    should(states).eql(['stopped', 'listening', 'paused', 'stopped', 'listening', 'listening']);
  });

  for (const action of ['reboot', undefined, 7, 'toString']) {
    it(`refuses the action ${String(action)}, and names the right ones`, async () => {
      const flow = await listening();
      flow.send({ action });
      const { error } = await flow.caught.until();
      should(error!.message).match(/start, stop, pause, resume, cancel, status, reload$/);
      should(flow.outputs[1]!.messages).be.empty();
      should(flow.completed.messages).be.empty();
    });
  }

  it('answers at the output for complete among separate ones, and nowhere without events', async () => {
    const separate = await listening({ events: 'separate' }, 6);
    should(asReport((await ask(separate, { action: 'pause' }, 3)).payload).state).equal('paused');
    const silent = await listening({ events: 'none' }, 1, redeploy);
    silent.send({ action: 'pause' });
    await silent.completed.until();
    should(silent.outputs[0]!.messages).be.empty();
  });

  it('takes no messages unless it was told to', async () => {
    const flow = await listening({ inputs: 0 });
    flow.send({ action: 'pause' });
    should((await client.get('phone.cfg')).data.toString()).equal('line=7');
    should(flow.outputs[1]!.events).not.containEql('status');
  });
});
