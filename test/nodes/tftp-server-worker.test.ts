import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import {
  Inbox,
  asRecord,
  closeAfterTest,
  freePort,
  loadFlow,
  nodeOf,
  useNodeRed,
} from '../helpers/node-red';
import { startPacedClients } from '../helpers/paced-client';
import { seededBytes } from '../helpers/random';

const BLOCKED_FOR = 2000;
/** So long that a slow read outlasts the busy flow. */
const LONG = seededBytes(512 * 20 + 7, 31);

describe('tftp-server beside a busy flow', () => {
  useNodeRed();

  it('serves its folder, and what the flow has answered before, without a packet sent twice', async () => {
    const root = await mkdtemp(path.join(tmpdir(), 'tftp-busy-'));
    closeAfterTest(() => rm(root, { recursive: true, force: true }));
    const port = await freePort();
    await writeFile(path.join(root, 'long'), LONG);
    const server = { type: 'tftp-server', address: '127.0.0.1', port, root, reads: 'both' };
    await loadFlow([
      { id: 'server', ...server, worker: true, wires: [[], ['events'], ['requests']] },
      { id: 'response', type: 'tftp-response' },
      { id: 'status', type: 'status', scope: ['server'], wires: [['statuses']] },
      ...['events', 'requests', 'statuses'].map((id) => ({ id, type: 'inbox' })),
    ]);
    await Inbox.of('statuses').until(({ status }) => status?.text === `:${port}`);

    const blocked = new Int32Array(new SharedArrayBuffer(4));
    const clients = startPacedClients({
      place: { address: '127.0.0.1', port: Number(port) },
      reads: ['long', 'answered'].map((file) => ({ file, windowsize: 1 })),
      fresh: 'long',
      blocked,
    });
    const request = await Inbox.of('requests').until();
    nodeOf('response').receive({ ...request, payload: LONG });
    await clients.running;
    Atomics.store(blocked, 0, 1);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BLOCKED_FOR);
    Atomics.store(blocked, 0, 2);

    const { reads, fresh } = await clients.result;
    for (const { content, repeated } of reads) {
      should(repeated).equal(0);
      should(LONG.equals(content)).equal(true);
    }
    should(fresh.length).be.above(2);
    const events = Inbox.of('events');
    await events.until(({ event, filename }) => event === 'complete' && filename === 'answered');
    for (const { payload } of events.messages) {
      should(asRecord(payload)).have.properties({ retransmits: 0, duplicates: 0 });
    }
  });
});
