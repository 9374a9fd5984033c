// The servers that are compared: what each can do, and how it is started.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = path.dirname(fileURLToPath(import.meta.url));

/** The name of the server of this project. */
export const OURS = 'red-tftp';

/** The command that this project gives. */
export const RED_TFTP = [
  process.execPath,
  path.resolve(FOLDER, '..', 'dist', 'src', 'cli', 'main.js'),
];

/** The program that turns the npm package `tftp` into a command. */
export const NODE_TFTP = [process.execPath, path.join(FOLDER, 'node-tftp.cjs')];

/** More transfers at once than any case wants, and uploads without a limit. */
const MANY = '2000';

/**
 * A server has a name, the program that it needs (see programs.mjs), whether it knows windows
 * (RFC 7440) and takes uploads, the port that it insists on, whether it forgets its children (see
 * processes.mjs), and the command that starts it.
 */
const SERVERS = [
  {
    name: 'tftpd-hpa',
    program: 'in.tftpd',
    windows: false,
    uploads: true,
    forgetful: true,
    command: ({ file, root, port }) => [
      ...[file, '-L', '--foreground', '-a', `127.0.0.1:${port}`, '--create', '--permissive'],
      ...['--user', 'root', '--secure', root],
    ],
  },
  {
    name: 'atftpd',
    program: 'atftpd',
    windows: true,
    uploads: true,
    command: ({ file, root, port }) => [
      ...[file, '--daemon', '--no-fork', '--bind-address', '127.0.0.1', '--port', port],
      ...['--user', 'root', '--group', 'root', '--maxthread', MANY, '--no-multicast'],
      ...['--logfile', '/dev/null', root],
    ],
  },
  {
    name: 'dnsmasq',
    program: 'dnsmasq',
    windows: false,
    uploads: false,
    port: 69,
    command: ({ file, root }) => [
      ...[file, '--no-daemon', '--conf-file=/dev/null', '--port=0', '--enable-tftp'],
      ...[`--tftp-root=${root}`, `--tftp-max=${MANY}`, '--user=root', '--log-facility=/dev/null'],
    ],
  },
  {
    name: 'node-tftp',
    program: 'node-tftp',
    windows: true,
    uploads: false,
    command: ({ file, root, port }) => [...[...NODE_TFTP, file, 'serve', root, port]],
  },
  {
    name: OURS,
    program: OURS,
    windows: true,
    uploads: true,
    command: ({ root, port }) => [
      ...[...RED_TFTP, 'serve', '--root', root, '--address', '127.0.0.1', '--port', port],
      ...['--writable', '--overwrite', 'replace', '--max-upload', '8G'],
      ...['--max-transfers', MANY, '--max-per-host', MANY],
    ],
  },
];

/** All servers, those of the command line last. */
export function servers(extra) {
  return [...SERVERS, ...extra.map(fromCommandLine)];
}

function fromCommandLine({ name, command }) {
  const fill = (text, { root, port }) => text.replaceAll('{root}', root).replaceAll('{port}', port);
  return {
    name,
    windows: true,
    uploads: false,
    command: (places) => ['sh', '-c', `exec ${fill(command, places)}`],
  };
}
