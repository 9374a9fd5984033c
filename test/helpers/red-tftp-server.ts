/** `red-tftp serve` as a program of its own, on a free port of the loopback address. */

import { BackgroundProgram, RED_TFTP } from './program';

/** How to start it. */
export interface ServeSettings {
  /** More flags of `red-tftp serve`. */
  readonly flags?: readonly string[];
  /** Flags of Node.js. */
  readonly nodeFlags?: readonly string[];
  /** A program, with its flags, that starts Node.js. */
  readonly through?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** A running server. */
export class RedTftpServer {
  private constructor(
    readonly program: BackgroundProgram,
    readonly port: number,
  ) {}

  /** Starts a server that accepts uploads, and waits until it listens. */
  static async start(root: string, settings: ServeSettings = {}): Promise<RedTftpServer> {
    const { flags = [], nodeFlags = [], through = [], env = process.env } = settings;
    const serve = ['serve', '--root', root, '--address', '127.0.0.1', '--port', '0', '--json'];
    const [program, ...args] = [...through, process.execPath, ...nodeFlags, RED_TFTP, ...serve];
    const server = new BackgroundProgram(program!, [...args, '--writable', ...flags], { env });
    const [, port] = await server.printed(/"event":"listening".*?"port":(\d+)/);
    return new RedTftpServer(server, Number(port));
  }

  /** The address of a file. */
  url(name: string): string {
    return `tftp://127.0.0.1:${this.port}/${name}`;
  }

  /** Stops it, and throws if it does not end as it should. */
  async stop(): Promise<void> {
    const code = await this.program.stop();
    if (code !== 0) throw new Error(`serve ended with ${String(code)}: ${this.program.output}`);
  }
}
