/** The runtime side of the sidebar: what nodes transfer shows up, and can be cancelled. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import {
  adminRequest,
  bench,
  closeAfterTest,
  freePort,
  loadFlow,
  nodeOf,
  redeploy,
  startServer,
  stuckStorage,
  useNodeRed,
} from '../helpers/node-red';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { rrq } from '../helpers/wire';
import type { Bench } from '../helpers/node-red';
import type { Snapshot } from '../../src/node-red/monitor-feed';
import type { TransferDetails } from '../../src/node-red/sidebar-routes';
import type { TransferRow } from '../../src/node-red/transfer-rows';

describe('the TFTP sidebar', () => {
  useNodeRed();
  closePeersAfterEach();

  async function snapshot(): Promise<Snapshot> {
    const { status, body } = await adminRequest().get('/tftp/transfers');
    should(status).equal(200);
    return body as Snapshot;
  }

  async function details(id: string): Promise<TransferDetails> {
    const { status, body } = await adminRequest().get(`/tftp/transfers/${id}`);
    should(status).equal(200);
    return body as TransferDetails;
  }

  const cancel = async (id: string): Promise<number> =>
    (await adminRequest().delete(`/tftp/transfers/${id}`)).status;

  /** The only live row. */
  async function liveRow(): Promise<TransferRow> {
    const { live } = await snapshot();
    should(live).have.length(1);
    return live[0]!;
  }

  async function serveFirmware(): Promise<{ flow: Bench; peer: ScriptedPeer; row: TransferRow }> {
    const root = await mkdtemp(path.join(tmpdir(), 'tftp-sidebar-'));
    closeAfterTest(() => rm(root, { recursive: true }));
    await writeFile(path.join(root, 'firmware.bin'), Buffer.alloc(100_000));
    const port = await freePort();
    const settings = { address: '127.0.0.1', port, root, timeout: '30', name: 'phones' };
    const flow = await bench({ type: 'tftp-server', ...settings });
    await flow.statuses.until((msg) => msg.status?.text === `:${port}`);
    const peer = await ScriptedPeer.bind();
    peer.send(rrq('firmware.bin'), { address: '127.0.0.1', port: Number(port) });
    should(await peer.hear()).equal('DATA 1 512 B');
    await flow.outputs[1]!.until(({ event }) => event === 'start');
    return { flow, peer, row: await liveRow() };
  }

  async function getForever(): Promise<{ row: TransferRow; ended: Promise<unknown> }> {
    const { port } = await startServer({}, { storage: stuckStorage() });
    const flow = await bench({ type: 'tftp-get', host: '127.0.0.1', port, filename: 'f' });
    flow.send({ payload: 'go' });
    await flow.outputs[1]!.until(({ event }) => event === 'start');
    return { row: await liveRow(), ended: flow.caught.until() };
  }

  it('shows a transfer of a server node, and cancels it', async () => {
    const { flow, peer, row } = await serveFirmware();
    should(row).have.properties({
      node: 'node',
      event: 'start',
      role: 'server',
      operation: 'read',
      filename: 'firmware.bin',
      host: '127.0.0.1',
      port: peer.port,
      size: 100_000,
      blksize: 512,
    });
    const node = { id: 'node', reveal: 'node', type: 'tftp-server', name: 'phones' };
    should((await snapshot()).nodes).containEql(node);
    should((await details(row.id)).node).eql(node);
    should(await cancel(row.id)).equal(204);
    should(await peer.hear()).equal('ERROR 0 The transfer was cancelled');
    await flow.outputs[1]!.until(({ event }) => event === 'error');
    const { finished } = await snapshot();
    should(finished[0]).have.properties({ id: row.id, event: 'error' });
    should(finished[0]!.error!.code).equal('ECANCELED');
    should(await cancel(row.id)).equal(404);
    const { record, diagnosis } = await details(row.id);
    should(record.trace!.join('\n')).match(/-> ERROR 0/);
    should(diagnosis[0]!.key).equal('cancelled');
  });

  it('shows a transfer of a get node, and cancels it', async () => {
    const { row, ended } = await getForever();
    should(row).have.properties({ node: 'node', role: 'client', filename: 'f' });
    should(await cancel(row.id)).equal(204);
    should(await ended)
      .have.property('error')
      .with.property('code', 'ECANCELED');
    should((await snapshot()).finished[0]).have.property('id', row.id);
  });

  it('shows what fails before anything moves', async () => {
    const flow = await bench({ type: 'tftp-get', host: '', port: '69', filename: 'nowhere' });
    flow.send({ payload: 'go' });
    await flow.caught.until();
    const { finished } = await snapshot();
    should(finished[0]).have.properties({ node: 'node', filename: 'nowhere', event: 'error' });
    should((await details(finished[0]!.id)).diagnosis[0]).have.property('key', 'badSetting');
  });

  for (const [type, begin] of [
    ['tftp-get', getForever],
    ['tftp-server', serveFirmware],
  ] as const) {
    it(`shows the ending of what a ${type} node ran when it was closed`, async () => {
      const { row } = await begin();
      await redeploy([]);
      const { live, liveCount, finished } = await snapshot();
      should([live.length, liveCount, finished[0]!.id]).eql([0, 0, row.id]);
      const { record } = await details(row.id);
      should(record).have.properties({ event: 'error' });
      should(record.error).have.property('code', 'ECANCELED');
    });
  }

  it('names the node of a template for one inside a subflow', async () => {
    const { port } = await startServer({}, { storage: stuckStorage() });
    await loadFlow([
      {
        id: 'template',
        type: 'subflow',
        name: 'fetch',
        in: [{ wires: [{ id: 'inner' }] }],
        out: [],
      },
      { id: 'inner', type: 'tftp-get', z: 'template', host: '127.0.0.1', port, filename: 'f' },
      { id: 'instance', type: 'subflow:template', wires: [] },
    ]);
    nodeOf('instance').receive({ payload: 'go' });
    while ((await snapshot()).live.length === 0) await new Promise(setImmediate);
    const row = await liveRow();
    const { node } = await details(row.id);
    should(node).have.properties({ id: row.node, reveal: 'inner' });
    should(node.id).not.equal('inner');
  });
});
