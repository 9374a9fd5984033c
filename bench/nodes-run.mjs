// A transfer through the nodes in real Node-RED, and the same with the library alone. Both run in a
// process that is warm, so that only the way through the flow differs.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from './files.mjs';
import { OURS } from './peers.mjs';
import { spawnPinned } from './processes.mjs';

const CHILDREN = path.join(path.dirname(fileURLToPath(import.meta.url)), 'children');

/** Milliseconds that Node-RED may take to start, and a transfer to end. */
const PATIENCE = 60_000;

export class NodesRun {
  #workbench;
  #task;
  #script;
  #server;
  #child;
  #source;
  #target;

  constructor(workbench, task, { script }) {
    this.#workbench = workbench;
    this.#task = task;
    this.#script = path.join(CHILDREN, script);
  }

  /** Starts the server and the process, and sees once that every byte arrives. */
  async prepare() {
    const { server, port } = await this.#workbench.startServer(OURS);
    this.#server = server;
    const command = [process.execPath, this.#script, JSON.stringify(this.#plan(port))];
    this.#child = spawnPinned(this.#workbench.options.clientCpu, command, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    await this.#reply();
    await this.#transfer();
    if ((await sha256(this.#source)) !== (await sha256(this.#target))) {
      throw new Error('other bytes arrived');
    }
  }

  async sample() {
    return this.#transfer();
  }

  async close() {
    if (this.#child?.connected) {
      const ended = once(this.#child, 'exit');
      this.#child.disconnect();
      await ended;
    }
    await this.#server?.stop();
  }

  async #transfer() {
    rmSync(this.#target, { force: true });
    this.#child.send('transfer');
    return this.#reply();
  }

  /** What the process says next; throws if it ends instead, or says what went wrong. */
  async #reply() {
    const child = this.#child;
    const limit = AbortSignal.timeout(PATIENCE);
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the process ended: ${child.complaints.trim()}`);
    });
    const [message] = await Promise.race([once(child, 'message', { signal: limit }), ended]);
    if (message.trouble !== undefined) throw new Error(message.trouble);
    return message;
  }

  #plan(port) {
    const { files } = this.#workbench;
    const { direction, bytes, blksize, windowsize } = this.#task;
    const name = files.ofSize(bytes);
    const copy = `copy-${path.basename(this.#script, '.mjs')}`;
    this.#source = path.join(files.root, name);
    this.#target = path.join(direction === 'get' ? files.local : files.root, copy);
    const [remote, local] = direction === 'get' ? [name, this.#target] : [copy, this.#source];
    return { direction, port, blksize, windowsize, remote, local };
  }
}
