// Transfers a file through a flow of real Node-RED, each time that a message comes: node-red.mjs TASK
// The flow: an Inject node, tftp get or tftp put, a Debug node.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { startNodeRed } from '../../scripts/demo/embedded.mjs';

const TAB = 'bench';
const INJECT = 'bench-inject';

const task = JSON.parse(process.argv[2]);
const folder = mkdtempSync(path.join(tmpdir(), 'red-tftp-bench-flow-'));
const flowFile = path.join(folder, 'flow.json');
writeFileSync(flowFile, JSON.stringify(flow(task)));

let arrived = () => undefined;
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const runtime = await startNodeRed({ root, flowFile, onDebug: (...told) => arrived(...told) });
rmSync(folder, { recursive: true });

process.on('message', async () => {
  const start = performance.now();
  const end = new Promise((resolve) => (arrived = (name, msg) => resolve({ name, msg })));
  await fetch(new URL(`inject/${INJECT}`, runtime.editor), { method: 'POST' });
  const { name, msg } = await end;
  if (name === 'failed') process.send({ trouble: msg.error.message });
  else process.send({ milliseconds: performance.now() - start });
});
process.on('disconnect', async () => {
  await runtime.stop();
  process.exit();
});
process.send({ ready: true });

function flow({ direction, port, windowsize, blksize, remote, local }) {
  const place = { host: '127.0.0.1', port: String(port), filename: remote };
  const transfer = {
    ...place,
    version: 1,
    blksize: String(blksize),
    windowsize: String(windowsize),
  };
  const ways = {
    get: { action: 'get', ret: 'file', localFilename: local, maxSize: '0' },
    put: { source: local, sourceType: 'file' },
  };
  const nodes = [
    { id: INJECT, type: 'inject', props: [], wires: [['transfer']] },
    {
      id: 'transfer',
      type: `tftp-${direction}`,
      ...transfer,
      ...ways[direction],
      wires: [['done']],
    },
    { id: 'done', type: 'debug', name: 'done', wires: [] },
    { id: 'catch', type: 'catch', scope: ['transfer'], wires: [['failed']] },
    { id: 'failed', type: 'debug', name: 'failed', wires: [] },
  ];
  return [{ id: TAB, type: 'tab' }, ...nodes.map((node) => ({ z: TAB, x: 0, y: 0, ...node }))];
}
