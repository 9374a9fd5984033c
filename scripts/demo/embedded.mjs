// A Node-RED inside this process, in a user directory that is thrown away, on loopback only.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';

const LOOPBACK = '127.0.0.1';
const require = createRequire(import.meta.url);

/** Node-RED 5 needs Node 22.9. */
function nodeRedPackage() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 9) ? 'node-red' : 'node-red-4';
}

/**
 * Starts Node-RED with this package installed and a flow running.
 * `onDebug(name, msg)` hears of every message that reaches a Debug node.
 */
export async function startNodeRed({ root, flowFile, onDebug }) {
  const userDir = await mkdtemp(path.join(tmpdir(), 'tftp-demo-'));
  const files = path.join(userDir, 'tftp');
  const tftpPort = await freeUdpPort(6969);
  Object.assign(process.env, { TFTP_DEMO_PORT: String(tftpPort), TFTP_DEMO_ROOT: files });
  await furnish(userDir, { root, files, flowFile });

  const RED = require(nodeRedPackage());
  const app = { handle: (request, response) => response.end() };
  const server = http.createServer((request, response) => app.handle(request, response));
  RED.init(server, settings(userDir));
  app.handle = RED.httpAdmin;
  RED.hooks.add('onReceive.tftp-demo', ({ destination, msg }) => {
    if (destination.node.type === 'debug') onDebug(destination.node.name, msg);
  });
  // RED.start() does not wait for the flow.
  const flowRuns = once(RED.events, 'flows:started');
  await RED.start();
  await flowRuns;
  const editorPort = await listen(server, 1880);

  return {
    version: RED.version(),
    tftpPort,
    editor: `http://${LOOPBACK}:${editorPort}/`,
    async stop() {
      await RED.stop();
      server.close();
      server.closeAllConnections();
      await rm(userDir, { recursive: true, force: true });
    },
  };
}

/** The package is linked in, as `npm install` of a folder does. */
async function furnish(userDir, { root, files, flowFile }) {
  const { name, version } = require(path.join(root, 'package.json'));
  await mkdir(path.join(userDir, 'node_modules'));
  await mkdir(files);
  await symlink(root, path.join(userDir, 'node_modules', name), 'junction');
  const manifest = { name: 'tftp-demo', private: true, dependencies: { [name]: version } };
  await writeFile(path.join(userDir, 'package.json'), JSON.stringify(manifest));
  await cp(flowFile, path.join(userDir, 'flows.json'));
}

function settings(userDir) {
  return {
    userDir,
    flowFile: 'flows.json',
    uiHost: LOOPBACK,
    httpAdminRoot: '/',
    httpNodeRoot: false,
    credentialSecret: false,
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false },
    logging: { console: { level: 'error', metrics: false, audit: false } },
  };
}

/** Listens at the port that is wanted, or at any other if that one is taken. */
async function listen(server, port) {
  try {
    server.listen(port, LOOPBACK);
    await once(server, 'listening');
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    server.listen(0, LOOPBACK);
    await once(server, 'listening');
    console.log(`TCP port ${port} is taken: the editor is at ${server.address().port} instead`);
  }
  return server.address().port;
}

async function freeUdpPort(port) {
  try {
    return await bindOnce(port);
  } catch {
    const other = await bindOnce(0);
    console.log(`UDP port ${port} is taken: the tftp server is at ${other} instead`);
    return other;
  }
}

async function bindOnce(port) {
  const socket = createSocket('udp4');
  socket.bind(port, LOOPBACK);
  await once(socket, 'listening');
  const free = socket.address().port;
  await new Promise((resolve) => socket.close(resolve));
  return free;
}
