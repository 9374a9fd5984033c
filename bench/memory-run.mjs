// What an open transfer holds: many readers take a few blocks and fall silent, as phones do that lose
// their power.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { spawnPinned, timePinned } from './processes.mjs';

/** Blocks that a reader acknowledges before it falls silent. */
const BLOCKS = 4;

/** Seconds that the readers may take until all are silent, and stay. */
const DEADLINE = 15;

/** Milliseconds in which a server comes to rest. */
const REST = 1000;

export class MemoryRun {
  #workbench;
  #task;
  #serverName;

  constructor(workbench, task, { server }) {
    this.#workbench = workbench;
    this.#task = task;
    this.#serverName = server;
  }

  async prepare() {
    this.#workbench.fileOf('load');
  }

  /** With a server of its own each time, since memory that was used is seldom given back. */
  async sample() {
    const { server, port } = await this.#workbench.startServer(this.#serverName);
    try {
      return await this.#measure(server, port);
    } finally {
      await server.stop();
    }
  }

  async close() {
    // Each sample has stopped its server.
  }

  /** One whole transfer comes first, so that code which is loaded for the first one does not count. */
  async #measure(server, port) {
    const { options } = this.#workbench;
    await timePinned(options.clientCpu, this.#command(port, 1));
    await pause(REST);
    const before = server.memory();
    const { readers } = this.#task;
    const load = spawnPinned(options.clientCpu, this.#command(port, readers, 'hold', BLOCKS));
    const ended = once(load, 'exit');
    try {
      const { silent, trouble } = JSON.parse(await firstLine(load));
      if (silent < readers) throw new Error(`only ${silent} transfers opened: ${trouble}`);
      await pause(REST);
      return { kibPerTransfer: (server.memory() - before) / readers / 1024 };
    } finally {
      load.stdin.end();
      await ended;
    }
  }

  #command(port, readers, ...more) {
    const { files } = this.#workbench;
    const { bytes, blksize } = this.#task;
    const load = this.#workbench.fileOf('load');
    return [load, port, files.ofSize(bytes), readers, blksize, 1, DEADLINE, ...more];
  }
}

async function firstLine(program) {
  let output = '';
  for await (const text of program.stdout) {
    output += text;
    if (output.includes('\n')) return output;
  }
  throw new Error(`the load generator ended: ${program.complaints.trim()}`);
}
