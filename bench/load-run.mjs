// Many readers at once, all of them in one process: see load/.
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { timePinned } from './processes.mjs';

const GIB = 2 ** 30;

/** Seconds that the readers may take. */
const DEADLINE = 600;

/** Milliseconds in which a server ends its transfers after the readers have gone. */
const AFTERMATH = 100;

export class LoadRun {
  #workbench;
  #task;
  #serverName;
  #server;
  #port;

  constructor(workbench, task, { server }) {
    this.#workbench = workbench;
    this.#task = task;
    this.#serverName = server;
  }

  /** Starts the server, and has every byte compared once. */
  async prepare() {
    const load = this.#workbench.fileOf('load');
    ({ server: this.#server, port: this.#port } = await this.#workbench.startServer(
      this.#serverName,
    ));
    const { files } = this.#workbench;
    const source = path.join(files.root, files.ofSize(this.#task.bytes));
    const { blksize, windowsize } = await this.#load(load, ['compare', source]);
    if (blksize !== this.#task.blksize || windowsize !== this.#task.windowsize) {
      throw new Error(`it grants blksize ${blksize} and windowsize ${windowsize}`);
    }
  }

  async sample() {
    const before = this.#server.cpuSeconds();
    const outcome = await this.#load(this.#workbench.fileOf('load'), []);
    await pause(AFTERMATH);
    const cpu = this.#server.cpuSeconds() - before;
    const times = outcome.times.toSorted((a, b) => a - b).map((seconds) => seconds * 1000);
    const [p50, p99] = [percentile(times, 50), percentile(times, 99)];
    return {
      rate: outcome.bytes / outcome.seconds / 1e6,
      ...(times.length > 1 && { p50, p99, fairness: p99 / p50 }),
      max: times.at(-1),
      cpuPerGiB: (cpu / outcome.bytes) * GIB,
      clientCpuPerGiB: (outcome.cpu / outcome.bytes) * GIB,
      resent: outcome.resent,
      duplicates: outcome.duplicates,
      gaps: outcome.gaps,
    };
  }

  async close() {
    await this.#server?.stop();
  }

  /** Runs all readers to their end; throws unless each of them got as many bytes as there are. */
  async #load(load, more) {
    const { bytes, readers, blksize, windowsize } = this.#task;
    const name = this.#workbench.files.ofSize(bytes);
    const command = [load, this.#port, name, readers, blksize, windowsize, DEADLINE, ...more];
    const { output } = await timePinned(this.#workbench.options.clientCpu, command);
    const outcome = JSON.parse(output);
    if (outcome.done < readers || outcome.bytes !== readers * bytes) {
      const { failed, unfinished, trouble } = outcome;
      const counts = `${failed} of ${readers} readers failed, ${unfinished} did not end`;
      throw new Error(`${counts}: ${trouble || `${outcome.bytes} bytes arrived`}`);
    }
    return outcome;
  }
}

function percentile(sorted, percent) {
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)];
}
