/** A real Node-RED for the tests of the nodes: 5 where Node allows it, else 4. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import helper = require('node-red-node-test-helper');
import tftpGet = require('../../nodes/tftp-get');
import tftpPut = require('../../nodes/tftp-put');
import tftpResponse = require('../../nodes/tftp-response');
import tftpServer = require('../../nodes/tftp-server');
import tftpSidebar = require('../../nodes/tftp-sidebar');
import { untoldNews } from '../../src/node-red/flow-news';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { TftpServer } from '../../src/server/server';
import { WORKER } from './worker';
import type { Node, NodeAPI, NodeDef, NodeMessage, NodeMessageInFlow } from 'node-red';
import type { TransferRecord } from '../../src/net/transfer-record';
import type { ServerReport } from '../../src/node-red/server-control';
import type { ServerOptions } from '../../src/server/server-options';
import type { DataSource, Storage } from '../../src/storage/storage';

/** What its published types do not allow: the properties of our nodes, and promises. */
interface Helper {
  load(types: unknown[], flow: FlowNode[]): Promise<void>;
  settings(settings: Record<string, unknown>): void;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see Helper
const nodeRed = helper as unknown as Helper;
helper.init(require.resolve(nodeRedPackage()));

/** What its published types do not have: flows that are put in the place of those that run. */
interface Runtime {
  readonly events: EventEmitter;
  readonly nodes: {
    setFlows(flow: FlowNode[], credentials: object, kind: string): Promise<void>;
  };
}

const runtime: Runtime = require(nodeRedPackage());

/** Node-RED 5 needs Node 22.9. */
export function nodeRedPackage(): 'node-red' | 'node-red-4' {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 9) ? 'node-red' : 'node-red-4';
}

/** What is saved for a node. */
export interface Properties {
  type: string;
  [property: string]: unknown;
}

/** A node of a flow. */
export interface FlowNode extends Properties {
  id: string;
}

/** A message as it arrives in a test. */
export type Message = NodeMessage & {
  event?: string;
  tftp?: TransferRecord;
  error?: { message: string; code?: string; source: { id: string } };
  status?: { text?: string; fill?: string; event?: string; transfer?: TransferRecord };
  filename?: string;
  parts?: NodeMessageInFlow['parts'];
};

/** A payload that has to be a Buffer. */
export function asBuffer(payload: unknown): Buffer {
  if (Buffer.isBuffer(payload)) return payload;
  throw new TypeError(`${String(payload)} is no Buffer`);
}

/** A payload that has to be text. */
export function asText(payload: unknown): string {
  if (typeof payload === 'string') return payload;
  throw new TypeError(`${String(payload)} is no text`);
}

/** A payload that has to be a record. */
export function asRecord(payload: unknown): TransferRecord {
  if (isRecord(payload)) return payload;
  throw new TypeError(`${String(payload)} is no record`);
}

function isRecord(payload: unknown): payload is TransferRecord {
  return typeof payload === 'object' && payload !== null && 'role' in payload;
}

/** A payload that has to be what a server says of itself. */
export function asReport(payload: unknown): ServerReport {
  if (isReport(payload)) return payload;
  throw new TypeError(`${JSON.stringify(payload)} is no report`);
}

function isReport(payload: unknown): payload is ServerReport {
  return typeof payload === 'object' && payload !== null && 'state' in payload;
}

/** What the `inbox` node with this id has received, in order, since the flow was started. */
export class Inbox {
  static readonly #all = new Map<string, Inbox>();
  readonly messages: Message[] = [];
  #wake = (): void => undefined;

  static of(id: string): Inbox {
    const inbox = this.#all.get(id);
    if (inbox === undefined) throw new Error(`There is no inbox ${id}`);
    return inbox;
  }

  /** The node type for a flow. */
  static register(this: void, RED: NodeAPI): void {
    RED.nodes.registerType('inbox', function (this: Node, config: NodeDef): void {
      RED.nodes.createNode(this, config);
      const inbox = new Inbox();
      Inbox.#all.set(config.id, inbox);
      this.on('input', (msg) => {
        inbox.messages.push(msg);
        inbox.#wake();
      });
    });
  }

  /** Waits for the first message that fits; those that came before count. */
  async until(fits: (msg: Message) => boolean = () => true): Promise<Message> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Waits until so many messages have come. */
  async count(count: number): Promise<Message[]> {
    await this.until(() => this.messages.length >= count);
    return this.messages;
  }

  get events(): (string | undefined)[] {
    return this.messages.map(({ event }) => event);
  }
}

/** A flow with one node under test, its outputs, and a Catch, a Complete and a Status node. */
export interface Bench {
  readonly outputs: readonly Inbox[];
  readonly caught: Inbox;
  readonly completed: Inbox;
  readonly statuses: Inbox;
  readonly send: (msg: NodeMessage) => void;
}

/** Starts a flow with this node; `redeploy` puts it in the place of the one that runs. */
export async function bench(
  properties: Properties,
  outputs = 2,
  start: (nodes: FlowNode[]) => Promise<void> = loadFlow,
): Promise<Bench> {
  const names = Array.from({ length: outputs }, (_, index) => `output${index}`);
  await start([
    { ...properties, id: 'node', wires: names.map((name) => [name]) },
    ...names.map((id) => ({ id, type: 'inbox' })),
    { id: 'n1', type: 'catch', scope: ['node'], wires: [['caught']] },
    { id: 'n2', type: 'complete', scope: ['node'], wires: [['completed']] },
    { id: 'n3', type: 'status', scope: ['node'], wires: [['statuses']] },
    ...['caught', 'completed', 'statuses'].map((id) => ({ id, type: 'inbox' })),
  ]);
  return {
    outputs: names.map((name) => Inbox.of(name)),
    caught: Inbox.of('caught'),
    completed: Inbox.of('completed'),
    statuses: Inbox.of('statuses'),
    send: (msg) => helper.getNode('node').receive(msg),
  };
}

/** Starts a flow: all nodes on one tab, as Catch nodes want it. */
export async function loadFlow(nodes: FlowNode[]): Promise<void> {
  await loadWholeFlow(onTab(nodes));
}

/** Starts a flow that has its tab, and may use these nodes of Node-RED's own, such as `common/20-inject`. */
export async function loadWholeFlow(nodes: FlowNode[], core: string[] = []): Promise<void> {
  const from = { paths: [require.resolve(nodeRedPackage())] };
  const types = core.map((name): unknown =>
    require(require.resolve(`@node-red/nodes/core/${name}.js`, from)),
  );
  const ours = [tftpServer, tftpGet, tftpPut, tftpResponse, tftpSidebar];
  const all = [...types, Inbox.register, ...ours];
  for (const { id } of nodes) loaded.add(id);
  await nodeRed.load(all, nodes);
}

/**
 * Deploys another flow in its place. Node-RED reads files before it starts it; the helper's own
 * `setFlows` would give it 300 ms for that, which a busy machine exceeds.
 */
export async function redeploy(nodes: FlowNode[]): Promise<void> {
  const started = once(runtime.events, 'flows:started');
  await runtime.nodes.setFlows(onTab(nodes), {}, 'full');
  await started;
}

function onTab(nodes: FlowNode[]): FlowNode[] {
  return [
    { id: 'tab', type: 'tab' },
    ...nodes.map((node) => ({ z: 'tab', x: 100, y: 100, ...withWorker(node) })),
  ];
}

function withWorker(node: FlowNode): FlowNode {
  return node.type === 'tftp-server' ? { worker: WORKER, ...node } : node;
}

/** A node of the running flow; it also tells of calls: `call:warn`, `call:status`. */
export function nodeOf(id: string): Node & EventEmitter {
  return helper.getNode(id);
}

/** What the editor would ask: requests to the admin server. */
export function adminRequest(): ReturnType<typeof helper.request> {
  return helper.request();
}

/** Settings of Node-RED for the flows that follow. */
export function useSettings(settings: Record<string, unknown>): void {
  nodeRed.settings(settings);
}

/** Gives each test of the surrounding `describe` an empty Node-RED, and closes what the test opened. */
export function useNodeRed(): void {
  before(async () => {
    await nodeRed.startServer();
  });
  afterEach(async () => {
    await helper.unload();
    // The nodes of the next test have the same ids, and would tell what these could not.
    for (const id of loaded) untoldNews.attach(id, () => undefined)();
    loaded.clear();
    for (const close of closers.splice(0).toReversed()) await close();
  });
  after(async () => {
    await nodeRed.stopServer();
  });
}

const closers: (() => Promise<void>)[] = [];

/** The ids of the nodes of a test. */
const loaded = new Set<string>();

/** Has something closed at the end of the test, the last one first. */
export function closeAfterTest(close: () => Promise<void>): void {
  closers.push(close);
}

/** A server of the engine on loopback, whose files are in memory. */
export async function startServer(
  files: Record<string, Buffer | string> = {},
  options: Partial<ServerOptions> = {},
): Promise<{ port: string; files: Map<string, Buffer>; server: TftpServer }> {
  const storage = new MemoryStorage();
  for (const [name, content] of Object.entries(files)) {
    storage.files.set(name, typeof content === 'string' ? Buffer.from(content) : content);
  }
  const server = new TftpServer({ storage, address: '127.0.0.1', port: 0, ...options });
  const [listening] = await server.listen();
  closeAfterTest(() => server.close());
  return { port: String(listening?.port), files: storage.files, server };
}

/** Some bytes, and then nothing until the test is over. */
export function stuckSource(): DataSource {
  let reads = 0;
  return {
    size: 1_000_000,
    read: () => {
      reads += 1;
      return reads === 1 ? Promise.resolve(Buffer.alloc(64_000)) : new Promise(() => undefined);
    },
    close: () => Promise.resolve(),
  };
}

/** A storage whose files never come to an end. */
export function stuckStorage(): Storage {
  const memory = new MemoryStorage();
  return {
    openForReading: () => Promise.resolve(stuckSource()),
    openForWriting: (request) => memory.openForWriting(request),
  };
}

/** A UDP port on loopback that swallows all that comes. */
export async function silentPort(): Promise<string> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  closeAfterTest(() => new Promise((resolve) => socket.close(() => resolve())));
  return String(socket.address().port);
}

/** A UDP port that is free now. */
export async function freePort(): Promise<string> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return String(port);
}

/** True if the port can be bound now. */
export async function isFree(port: string): Promise<boolean> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.on('error', () => resolve(false));
    socket.bind(Number(port), () => socket.close(() => resolve(true)));
  });
}
