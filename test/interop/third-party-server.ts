/** Other people's TFTP servers, on a free port of the loopback address. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { BackgroundProgram } from '../helpers/program';
import { missing } from '../helpers/requirements';
import { TestFolders } from './test-files';
import { requireTool } from './tools';

export type ThirdPartyServerName = 'in.tftpd' | 'atftpd';

/** How often a server is asked whether it is there, and how long each time, in milliseconds. */
const QUESTIONS = 200;
const PATIENCE = 50;

/** A running server with its folders. */
export class ThirdPartyServer {
  private constructor(
    readonly folders: TestFolders,
    readonly port: number,
    private readonly program: BackgroundProgram,
  ) {}

  /** Starts it and waits until it answers. It needs root: both servers change their user. */
  static async start(
    context: Mocha.Context,
    name: ThirdPartyServerName,
  ): Promise<ThirdPartyServer> {
    const file = requireTool(context, name);
    if (process.getuid?.() !== 0) missing(context, `${name} has to be started by root`);
    const folders = new TestFolders();
    const port = await freePort();
    const program = new BackgroundProgram(file, flagsOf(name, port, folders.server));
    const server = new ThirdPartyServer(folders, port, program);
    await server.#listening();
    return server;
  }

  url(name: string): string {
    return `tftp://127.0.0.1:${this.port}/${name}`;
  }

  async stop(): Promise<void> {
    await this.program.stop();
    this.folders.remove();
  }

  /** Asks for a file until something comes back. */
  async #listening(): Promise<void> {
    const socket = createSocket('udp4');
    // Nobody listens yet: the system says so, and the next question may be answered.
    socket.on('error', () => undefined);
    const answered = once(socket, 'message').then(() => true);
    const question = Buffer.from('\0\u0001is-there-anybody\0octet\0');
    for (let i = 0; i < QUESTIONS && this.program.running; i += 1) {
      socket.send(question, this.port, '127.0.0.1');
      if (await Promise.race([answered, pause(PATIENCE)])) return void socket.close();
    }
    socket.close();
    await this.stop();
    throw new Error(`The server does not answer: ${this.program.output}`);
  }
}

function flagsOf(name: ThirdPartyServerName, port: number, folder: string): string[] {
  if (name === 'in.tftpd') {
    const listen = ['-L', '--foreground', '-a', `127.0.0.1:${port}`];
    return [...listen, '--create', '--permissive', '--user', 'root', '--secure', folder];
  }
  const listen = ['--daemon', '--no-fork', '--bind-address', '127.0.0.1', '--port', `${port}`];
  return [...listen, '--user', 'root', '--group', 'root', '--logfile', '-', folder];
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

function pause(milliseconds: number): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), milliseconds);
  });
}
