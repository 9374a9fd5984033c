// What every measurement works with: the programs, the files, the cores.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { ServerProcess } from './processes.mjs';

export class Workbench {
  constructor({ options, programs, files, servers }) {
    Object.assign(this, { options, programs, files });
    this.servers = new Map(servers.map((server) => [server.name, server]));
  }

  /** The file of a program; throws the reason if there is none. */
  fileOf(program) {
    if (program === undefined) return undefined;
    const { file, missing } = this.programs.get(program);
    if (missing !== undefined) throw new Error(missing);
    return file;
  }

  /** Starts the server of this name on its core. Gives its process and its port. */
  async startServer(name) {
    const { program, port: fixedPort, forgetful, command } = this.servers.get(name);
    const file = this.fileOf(program);
    const port = String(fixedPort ?? (await freePort()));
    const line = command({ file, root: this.files.root, port });
    const server = await ServerProcess.start(this.options.serverCpu, line, {
      port: Number(port),
      forgetful,
    });
    return { server, port };
  }
}

async function freePort() {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
