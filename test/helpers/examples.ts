/** The flows of the import menu: their files, and a real Node-RED that runs them one after the other. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { NODE_RED_RELEASES, NodeRedRuntime, nodeFor } from '../package/node-red-runtime';
import { DebugSidebar } from './debug-sidebar';
import type { NodeStatus } from './debug-sidebar';
import { ROOT } from './program';
import { WORKER } from './worker';
import { UserDirectory } from './user-directory';

/** A node of a flow as it is saved. */
export interface SavedNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly address?: string;
  readonly port?: string;
  /** The middle of the node on its tab, or the corner of a group. */
  readonly x?: number;
  readonly y?: number;
  /** For each output the ids of the nodes that follow. */
  readonly wires?: readonly (readonly string[])[];
  readonly [property: string]: unknown;
}

/** A file of the import menu. */
export interface ExampleFile {
  /** As the menu shows it. */
  readonly title: string;
  readonly text: string;
  readonly nodes: readonly SavedNode[];
}

const FOLDER = path.join(ROOT, 'examples');

/** In the order of their numbers. */
export function exampleFiles(): ExampleFile[] {
  const names = readdirSync(FOLDER).toSorted((a, b) => Number.parseInt(a) - Number.parseInt(b));
  return names.map((name) => {
    const text = readFileSync(path.join(FOLDER, name), 'utf8');
    const nodes: SavedNode[] = JSON.parse(text);
    return { title: path.parse(name).name, text, nodes };
  });
}

/** 6970 and the number of the example; ten more for a second port of the same example. */
const UDP_PORT = /\b69[789]\d\b/g;
/** Where Node-RED and an MQTT broker are on most computers. */
const NODE_RED_PORT = /\b1880\b/g;
const MQTT_PORT = /\b1883\b/g;

/** Longer texts than this would be cut off in the debug sidebar. */
const LONGEST_TEXT = 100_000;

/** A real Node-RED, driven from outside as its user does it, and the example that runs in it. */
export class ExampleStage {
  readonly #sidebar: DebugSidebar;
  readonly #runtime: NodeRedRuntime;
  readonly #directory: UserDirectory;
  readonly #mqttPort: number;
  #ports = new Map<string, number>();
  /** The tab of the example that runs: its id is the beginning of all others. */
  #tab = '';

  private constructor(runtime: NodeRedRuntime, directory: UserDirectory, mqttPort: number) {
    this.#runtime = runtime;
    this.#directory = directory;
    this.#mqttPort = mqttPort;
    this.#sidebar = new DebugSidebar(runtime.base);
  }

  /**
   * Starts the newest Node-RED that the running Node.js allows, without any flow.
   *
   * @param mqttPort where a broker is.
   */
  static async open(mqttPort: number): Promise<ExampleStage> {
    const release = NODE_RED_RELEASES.findLast((one) => nodeFor(one) === process.execPath)!;
    const directory = new UserDirectory();
    const settings = { debugMaxLength: LONGEST_TEXT };
    const runtime = await NodeRedRuntime.start(release, process.execPath, directory.path, settings);
    const stage = new ExampleStage(runtime, directory, mqttPort);
    await stage.#sidebar.open().catch(async (error: unknown) => {
      await stage.close();
      throw error;
    });
    return stage;
  }

  async close(): Promise<void> {
    this.#sidebar.close();
    await this.#runtime.stop();
    this.#directory.remove();
  }

  /**
   * Deploys an example in the place of the one before, at ports that are free, and waits until its
   * servers listen.
   */
  async deploy(example: ExampleFile): Promise<void> {
    const wanted = [...new Set(example.text.match(UDP_PORT))];
    const free = await freeUdpPorts(wanted.length);
    this.#ports = new Map(wanted.map((port, index) => [port, free[index]!]));
    const text = example.text
      .replace(UDP_PORT, (port) => String(this.port(port)))
      .replace(NODE_RED_PORT, new URL(this.#runtime.base).port)
      .replace(MQTT_PORT, String(this.#mqttPort));
    const flows: SavedNode[] = JSON.parse(text);
    this.#tab = flows.find(({ type }) => type === 'tab')!.id;
    await this.#post('/flows', { flows: flows.map(withWorker) });
    for (const { id, type } of flows) {
      if (/^(?:tftp-server|mqtt (?:in|out))$/.test(type)) {
        await this.#sidebar.status(id, ({ fill }) => fill === 'green');
      }
    }
  }

  /** The port that stands in for one of the example. */
  port(written: string): number {
    return this.#ports.get(written)!;
  }

  /** Presses the button of an inject node, which is named by the end of its id. */
  async press(node: string): Promise<void> {
    await this.#post(`/inject/${this.#tab}-${node}`, {});
  }

  /** Waits for the first thing a Debug node shows that fits. */
  shown(node: string, fits?: (value: unknown) => boolean): Promise<unknown> {
    return this.#sidebar.shown(`${this.#tab}-${node}`, fits);
  }

  /** Waits until a node has a status that fits. */
  status(node: string, fits: (status: NodeStatus) => boolean): Promise<unknown> {
    return this.#sidebar.status(`${this.#tab}-${node}`, fits);
  }

  /** The errors and warnings of the example that no Catch node took. */
  get uncaught(): unknown[] {
    const lines = this.#sidebar.lines.filter(({ tab }) => tab === this.#tab);
    return lines
      .filter(({ uncaught }) => uncaught)
      .map(({ id, value }) => `${id}: ${JSON.stringify(value)}`);
  }

  /** All that a Debug node has shown, in order. */
  all(node: string): unknown[] {
    const lines = this.#sidebar.lines.filter(({ id }) => id === `${this.#tab}-${node}`);
    return lines.map(({ value }) => value);
  }

  /** Where Node-RED serves the pages of the flow. */
  get base(): string {
    return this.#runtime.base;
  }

  /** The types of nodes that are Node-RED's own or this package's. */
  async nodeTypes(): Promise<ReadonlySet<string>> {
    const sets = await this.#runtime.json<{ module: string; types: string[] }[]>('/nodes');
    return new Set(sets.flatMap(({ types }) => types));
  }

  /** A file or folder in the working directory of Node-RED. */
  file(...parts: string[]): string {
    return this.#directory.file(...parts);
  }

  async #post(route: string, body: object): Promise<void> {
    const headers = { 'content-type': 'application/json', 'node-red-api-version': 'v2' };
    const address = new URL(route, this.#runtime.base);
    const response = await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${route} gave ${response.status}`);
  }
}

/** Servers have the worker that they were given, unless the environment says it for all tests. */
function withWorker(node: SavedNode): SavedNode {
  const said = 'TFTP_TEST_WORKER' in process.env && node.type === 'tftp-server';
  return said ? { ...node, worker: WORKER } : node;
}

/** UDP ports that are free now, all of them different. */
async function freeUdpPorts(count: number): Promise<number[]> {
  const sockets = Array.from({ length: count }, () => createSocket('udp4').bind(0));
  await Promise.all(sockets.map((socket) => once(socket, 'listening')));
  const ports = sockets.map((socket) => socket.address().port);
  await Promise.all(sockets.map((socket) => new Promise<void>((done) => socket.close(done))));
  return ports;
}
