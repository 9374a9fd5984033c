import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import { TftpClient } from '../../src/client/client';
import {
  asRecord,
  Inbox,
  closeAfterTest,
  freePort,
  loadWholeFlow,
  nodeOf,
  startServer,
  useNodeRed,
  useSettings,
} from '../helpers/node-red';
import type { FlowNode } from '../helpers/node-red';

const FOLDER = path.resolve(__dirname, '../../../examples');
const CORE = [
  'common/20-inject',
  'common/90-comment',
  'function/10-switch',
  'function/80-template',
];
/** The test helper knows no global-config node, and only one Catch node. */
const LEFT_OUT = /-modules$|^tftp-ex4-gone$/;
const TYPES = ['tftp-server', 'tftp-get', 'tftp-put'];
const TYPES_WITHOUT_PORT = ['tftp-response'];

describe('examples', () => {
  useNodeRed();

  async function example(start: string): Promise<FlowNode[]> {
    const file = (await readdir(FOLDER)).find((name) => name.startsWith(start));
    const flow: FlowNode[] = JSON.parse(await readFile(path.join(FOLDER, file!), 'utf8'));
    return flow;
  }

  /** Runs an example at another port, with an inbox in the place of each Debug node. */
  async function run(start: string, port: string): Promise<void> {
    const nodes = (await example(start)).filter(({ id }) => !LEFT_OUT.test(id));
    const flow = nodes.map((node) => ({
      ...node,
      type: node.type === 'debug' ? 'inbox' : node.type,
      ...(TYPES.includes(node.type) && { port }),
    }));
    await loadWholeFlow(flow, CORE);
  }

  /** An empty folder for relative names. */
  async function workingFolder(): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), 'tftp-examples-'));
    useSettings({ fileWorkingDirectory: folder });
    closeAfterTest(() => rm(folder, { recursive: true }));
    closeAfterTest(() => Promise.resolve(useSettings({ fileWorkingDirectory: '' })));
    return folder;
  }

  /** A server shows its first status when it listens. */
  function listening(id: string): Promise<void> {
    return new Promise((resolve) => nodeOf(id).once('call:status', () => resolve()));
  }

  it('begin with a comment and use each type of node, at ports that need no right', async () => {
    const names = await readdir(FOLDER);
    const used = new Set<string>();
    for (const name of names) {
      const flow = await example(name);
      should(flow[0]!.type).equal('comment');
      for (const { type, port } of flow) {
        used.add(type);
        if (TYPES.includes(type)) should(Number(port)).be.above(1023);
      }
    }
    should([...used]).containDeep([...TYPES, ...TYPES_WITHOUT_PORT]);
  });

  it('1 gets a file', async () => {
    const { port } = await startServer({ 'phone.cfg': 'line=7' });
    await run('1', port);
    nodeOf('tftp-ex1-go').receive({});
    should((await Inbox.of('tftp-ex1-file').until()).payload).equal('line=7');
    await Inbox.of('tftp-ex1-events').until(({ event }) => event === 'complete');
  });

  it('2 puts a message as a file', async () => {
    const { port, files } = await startServer({}, { write: true });
    await run('2', port);
    nodeOf('tftp-ex2-go').receive({});
    await Inbox.of('tftp-ex2-sent').until();
    should(files.get('phone-7.json')!.toString()).equal('{"phone":7,"name":"Reception"}');
  });

  it('3 serves a folder and tells of its transfers', async () => {
    const folder = await workingFolder();
    const port = await freePort();
    await run('3', port);
    await listening('tftp-ex3-server');
    const client = new TftpClient({ host: '127.0.0.1', port: Number(port) });
    closeAfterTest(() => Promise.resolve(client.close()));
    await client.put('hello', 'hello.txt');
    const { payload } = await Inbox.of('tftp-ex3-received').until();
    should(payload).equal(path.join(folder, 'tftp', 'hello.txt'));
    should((await client.get('hello.txt')).data.toString()).equal('hello');
    await Inbox.of('tftp-ex3-complete').count(2);
    await should(client.get('nope')).be.rejected();
    const failed = await Inbox.of('tftp-ex3-error').until();
    should(asRecord(failed.payload).filename).equal('nope');
  });

  it('4 raises an alert when a download fails', async () => {
    await workingFolder();
    await run('4', await freePort());
    await listening('tftp-ex4-server');
    nodeOf('tftp-ex4-go').receive({});
    const { payload } = await Inbox.of('tftp-ex4-alert').until();
    should(payload).equal('127.0.0.1 could not get no-such-phone.cfg: File not found');
  });

  it('5 makes the configuration of each phone, and refuses other names', async () => {
    const port = await freePort();
    await run('5', port);
    await listening('tftp-ex5-server');
    const client = new TftpClient({ host: '127.0.0.1', port: Number(port) });
    closeAfterTest(() => Promise.resolve(client.close()));
    for (const mac of ['00:04:f2:aa:bb:cc', '00:04:f2:dd:ee:ff']) {
      const { data } = await client.get(`cfg${mac.replaceAll(':', '')}.xml`);
      should(data.toString()).equal(
        `<config>\n  <mac>${mac}</mac>\n  <address>127.0.0.1</address>\n` +
          `  <line label="Phone ${mac}"/>\n</config>\n`,
      );
    }
    await should(client.get('cfg.xml')).be.rejectedWith({
      code: 'ENOENT',
      message: /No such phone/,
    });
    const { payload } = await Inbox.of('tftp-ex5-alert').until();
    should(asRecord(payload).filename).equal('cfg.xml');
  });

  it('6 pauses and stops a server, and tells how it is', async () => {
    await workingFolder();
    const port = await freePort();
    await run('6', port);
    await listening('tftp-ex6-server');
    const client = new TftpClient({ host: '127.0.0.1', port: Number(port) });
    closeAfterTest(() => Promise.resolve(client.close()));
    const answers = Inbox.of('tftp-ex6-answers');
    const press = async (action: string): Promise<unknown> => {
      nodeOf(`tftp-ex6-${action}`).receive({});
      const answer: { action?: string; payload?: unknown } = await answers.until(
        (msg) => 'action' in msg && msg.action === action,
      );
      return answer.payload;
    };
    should(await press('status')).have.properties({ state: 'listening', transfers: [] });
    should(await press('pause')).have.property('state', 'paused');
    await should(client.get('any')).be.rejectedWith(/The server is paused/);
    await Inbox.of('tftp-ex6-events').until(({ event }) => event === 'error');
    should(await press('resume')).have.property('state', 'listening');
    should(await press('cancel')).have.property('state', 'listening');
    should(await press('stop')).have.properties({ state: 'stopped', addresses: [] });
    should(await press('start')).have.property('state', 'listening');
    await should(client.get('any')).be.rejectedWith({ code: 'ENOENT' });
  });
});
