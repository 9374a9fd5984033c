// The clients: the command that fetches a file, and the one that sends it.
import { NODE_TFTP, RED_TFTP } from './peers.mjs';

const HOST = '127.0.0.1';

export const CLIENTS = {
  curl: {
    program: 'curl',
    get: ({ file, port, blksize, remote, local }) => [
      ...[file, '--silent', '--show-error', '--tftp-blksize', blksize, '--output', local],
      `tftp://${HOST}:${port}/${remote}`,
    ],
    put: ({ file, port, blksize, remote, local }) => [
      ...[file, '--silent', '--show-error', '--tftp-blksize', blksize, '--upload-file', local],
      `tftp://${HOST}:${port}/${remote}`,
    ],
  },
  atftp: {
    program: 'atftp',
    get: (task) => atftp('--get', task),
    put: (task) => atftp('--put', task),
  },
  'red-tftp': {
    program: 'red-tftp',
    get: ({ port, blksize, windowsize, remote, local }) => [
      ...[...RED_TFTP, 'get', `tftp://${HOST}:${port}/${remote}`, '--output', local, '--json'],
      ...['--blksize', blksize, '--windowsize', windowsize],
    ],
    /** Bytes a second from the first packet to the last, from the record that it prints. */
    ownRate: (output) => JSON.parse(output.trimEnd().split('\n').at(-1)).averageRate,
  },
  /** Two that use no network: less time than these no program takes, and none that runs on Node.js. */
  cp: {
    floor: true,
    get: ({ source, local }) => ['cp', source, local],
  },
  'Node.js': {
    floor: true,
    get: ({ source, local }) => [
      ...[process.execPath, '--eval', 'fs.copyFileSync(...process.argv.slice(1))', source, local],
    ],
  },
  'node-tftp': {
    program: 'node-tftp',
    get: ({ file, port, remote, local }) => [...NODE_TFTP, file, 'get', port, remote, local],
  },
};

function atftp(direction, { file, port, blksize, windowsize, remote, local }) {
  const options = [`blksize ${blksize}`, ...(windowsize > 1 ? [`windowsize ${windowsize}`] : [])];
  return [
    ...[file, direction, '--local-file', local, '--remote-file', remote],
    ...options.flatMap((option) => ['--option', option]),
    ...[HOST, port],
  ];
}
