// One client program that fetches one file, or sends it.
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CLIENTS } from './clients.mjs';
import { sha256 } from './files.mjs';
import { timePinned } from './processes.mjs';

const GIB = 2 ** 30;

/** Milliseconds in which a server ends its transfer after the client has gone. */
const AFTERMATH = 100;

export class ClientRun {
  #workbench;
  #task;
  #contestant;
  #server;
  #port;

  constructor(workbench, task, contestant) {
    this.#workbench = workbench;
    this.#task = task;
    this.#contestant = contestant;
  }

  /** Starts the server, and moves the file once to see that every byte of it arrives. */
  async prepare() {
    const { server, client } = this.#contestant;
    this.#workbench.fileOf(CLIENTS[client].program);
    ({ server: this.#server, port: this.#port } = await this.#workbench.startServer(server));
    await this.#transfer(async (source, target) => {
      if ((await sha256(source)) !== (await sha256(target))) throw new Error('other bytes arrived');
    });
  }

  async sample() {
    const before = this.#server.cpuSeconds();
    const { seconds, output } = await this.#transfer(() => undefined);
    const cpu = this.#server.cpuSeconds() - before;
    const { bytes } = this.#task;
    const { ownRate } = CLIENTS[this.#contestant.client];
    return {
      milliseconds: seconds * 1000,
      rate: bytes / seconds / 1e6,
      ...(ownRate && { ownRate: ownRate(output) / 1e6 }),
      cpuPerGiB: (cpu / bytes) * GIB,
    };
  }

  async close() {
    await this.#server?.stop();
  }

  async #transfer(check) {
    const { source, target, command } = this.#plan();
    const outcome = await timePinned(this.#workbench.options.clientCpu, command);
    await pause(AFTERMATH);
    const { size } = statSync(target);
    if (size !== this.#task.bytes) throw new Error(`${size} bytes arrived`);
    await check(source, target);
    rmSync(target);
    return outcome;
  }

  /** An upload gets a name of its own, so that no server has to replace another one's file. */
  #plan() {
    const { files } = this.#workbench;
    const { direction, blksize, windowsize, bytes } = this.#task;
    const { program, [direction]: command } = CLIENTS[this.#contestant.client];
    const name = files.ofSize(bytes);
    const source = path.join(files.root, name);
    const copy = `copy-${this.#contestant.name.replaceAll(/\W+/g, '-')}`;
    const [remote, local, target] =
      direction === 'get'
        ? [name, path.join(files.local, copy), path.join(files.local, copy)]
        : [copy, source, path.join(files.root, copy)];
    const file = this.#workbench.fileOf(program);
    const places = { file, source, port: this.#port, blksize, windowsize, remote, local };
    return { source, target, command: command(places) };
  }
}
