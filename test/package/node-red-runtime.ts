/** The real Node-RED as a program of its own, with the user directory that it is given. */

import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { BackgroundProgram, ROOT } from '../helpers/program';

/** A release of Node-RED among the development dependencies, and the Node.js that it needs. */
export interface NodeRedRelease {
  readonly title: string;
  /** Its folder below node_modules. */
  readonly folder: string;
  /** The least version of Node.js, as major and minor number. */
  readonly node: readonly [major: number, minor: number];
}

export const NODE_RED_RELEASES: readonly NodeRedRelease[] = [
  { title: 'Node-RED 4.1', folder: 'node-red-4', node: [18, 5] },
  { title: 'Node-RED 5', folder: 'node-red', node: [22, 9] },
];

/**
 * A Node.js that can run the release: the one that runs this, else the one that `TFTP_NODE_24` names;
 * undefined if there is none.
 */
export function nodeFor({ node: [major, minor] }: NodeRedRelease): string | undefined {
  const [runningMajor = 0, runningMinor = 0] = process.versions.node.split('.').map(Number);
  const suffices = runningMajor > major || (runningMajor === major && runningMinor >= minor);
  return suffices ? process.execPath : process.env['TFTP_NODE_24'];
}

/** A running Node-RED. */
export class NodeRedRuntime {
  private constructor(
    private readonly program: BackgroundProgram,
    /** Where its editor would be without an `httpAdminRoot`. */
    readonly base: string,
  ) {}

  /**
   * Starts it on a free port, and waits until its flows run.
   *
   * @param more settings of Node-RED besides the usual ones, or instead of them.
   */
  static async start(
    release: NodeRedRelease,
    node: string,
    userDirectory: string,
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<NodeRedRuntime> {
    const port = await freePort();
    const settings = path.join(userDirectory, 'settings.js');
    writeFileSync(settings, settingsFile(port, more));
    const script = path.join(ROOT, 'node_modules', release.folder, 'red.js');
    const program = new BackgroundProgram(
      node,
      [script, '--userDir', userDirectory, '--settings', settings],
      { cwd: userDirectory },
    );
    await program.printed(/Started flows/);
    return new NodeRedRuntime(program, `http://127.0.0.1:${port}`);
  }

  /** All that it has logged. */
  get log(): string {
    return this.program.output;
  }

  /** Fetches a page of the admin interface; throws unless it is there. */
  async get(route: string, accept = '*/*'): Promise<Response> {
    const response = await fetch(new URL(route, this.base), { headers: { accept } });
    if (!response.ok) throw new Error(`GET ${route} gave ${response.status}`);
    return response;
  }

  async json<T>(route: string): Promise<T> {
    const body: T = JSON.parse(await this.text(route, 'application/json'));
    return body;
  }

  async text(route: string, accept?: string): Promise<string> {
    return (await this.get(route, accept)).text();
  }

  /** Deploys flows: all, or what the kind says. Resolves when Node-RED has begun to start them. */
  async deploy(flows: readonly object[], kind: 'full' | 'flows' | 'nodes'): Promise<void> {
    const headers = { 'Content-Type': 'application/json', 'Node-RED-Deployment-Type': kind };
    await this.#post('/flows', { headers, body: JSON.stringify(flows) });
  }

  /** Presses the button of an Inject node. */
  async inject(id: string): Promise<void> {
    await this.#post(`/inject/${id}`);
  }

  /** Waits until what it has logged from this character on fits. */
  async logs(fits: (log: string) => boolean, from: number, what: string): Promise<void> {
    await this.program.saysSo(() => fits(this.log.slice(from)), what);
  }

  async stop(): Promise<void> {
    await this.program.stop();
  }

  /** Ends it as a power failure would. */
  async kill(): Promise<void> {
    await this.program.kill();
  }

  async #post(route: string, request: RequestInit = {}): Promise<void> {
    const response = await fetch(new URL(route, this.base), { method: 'POST', ...request });
    if (!response.ok) throw new Error(`POST ${route} gave ${response.status}`);
  }
}

function settingsFile(port: number, more: Readonly<Record<string, unknown>>): string {
  const settings = {
    uiHost: '127.0.0.1',
    uiPort: port,
    flowFile: 'flows.json',
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false },
    logging: { console: { level: 'info', metrics: false, audit: false } },
    ...more,
  };
  return `module.exports = ${JSON.stringify(settings, undefined, 2)};\n`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('There is no TCP port');
  return address.port;
}
