// The cases. What each of them means is told in README.md, in the same order.
import { CLIENTS } from './clients.mjs';
import { ClientRun } from './client-run.mjs';
import { LoadRun } from './load-run.mjs';
import { MemoryRun } from './memory-run.mjs';
import { NodesRun } from './nodes-run.mjs';
import { OURS } from './peers.mjs';

const MB = 1_000_000;
const RATE = { field: 'rate', better: 'more' };

const LESS_TIME = { field: 'milliseconds', better: 'less' };
const LESS_MEMORY = { field: 'kibPerTransfer', better: 'less' };

/** What one transfer carries where one client runs, so that each run takes about a second or two. */
const LOCK_STEP = [
  { blksize: 512, megabytes: 24 },
  { blksize: 1428, megabytes: 64 },
];
const WINDOWS = [16, 64].map((windowsize) => ({ blksize: 1428, windowsize, megabytes: 200 }));

/** What all readers fetch together where many run at once. */
const CROWDS = [1, 10, 100, 300];
const CROWD_MEGABYTES = 32;

/** All cases, for these servers; with smaller files in a quick run. */
export function allCases(servers, { quick, long }) {
  const bytes = (megabytes) => Math.round((quick ? megabytes / 8 : megabytes) * MB);
  const able = (ability) => servers.filter((server) => server[ability]);
  const withWindows = able('windows');
  return [
    ...LOCK_STEP.map(({ blksize, megabytes }) => ({
      name: `lock-step ${blksize}, one curl`,
      ...oneClient({ blksize, bytes: bytes(megabytes) }, through('curl', servers)),
    })),
    ...WINDOWS.map(({ megabytes, ...task }) => ({
      name: `window ${task.windowsize}, one atftp`,
      ...oneClient({ ...task, bytes: bytes(megabytes) }, through('atftp', withWindows)),
    })),
    ...WINDOWS.map(({ megabytes, ...task }) => ({
      name: `window ${task.windowsize}, own client with own server`,
      ...oneClient({ ...task, bytes: bytes(megabytes) }, PAIRS),
    })),
    {
      name: 'upload, lock-step 1428, one curl',
      ...oneClient(
        { direction: 'put', blksize: 1428, bytes: bytes(64) },
        through('curl', able('uploads')),
      ),
    },
    {
      name: 'upload, window 16, one atftp',
      ...oneClient(
        { direction: 'put', blksize: 1428, windowsize: 16, bytes: bytes(200) },
        through(
          'atftp',
          withWindows.filter(({ uploads }) => uploads),
        ),
      ),
    },
    ...CROWDS.map((readers) => ({
      name: `readers ${readers}, lock-step 512`,
      ...crowd({ readers, blksize: 512, windowsize: 1, bytes: share(bytes, readers) }, servers),
    })),
    ...CROWDS.map((readers) => ({
      name: `readers ${readers}, window 16`,
      ...crowd(
        { readers, blksize: 1428, windowsize: 16, bytes: share(bytes, readers) },
        withWindows,
      ),
    })),
    ...[100, 500, 1000].map((readers) => ({
      name: `memory, ${readers} silent transfers`,
      figure: LESS_MEMORY,
      Run: MemoryRun,
      task: { readers, blksize: 512, bytes: MB },
      contestants: alone(servers),
      note: 'Ratios are against the best peer that holds 1 KiB or more.',
    })),
    {
      name: 'start, 1 KiB',
      ...oneClient({ blksize: 1428, windowsize: 16, bytes: 1024 }, STARTS),
      figure: LESS_TIME,
    },
    ...['get', 'put'].map((direction) => ({
      name: `${direction}, the nodes beside the bare engine`,
      figure: LESS_TIME,
      Run: NodesRun,
      task: { direction, blksize: 1428, windowsize: 16, bytes: bytes(100) },
      contestants: ENGINE_AND_NODES,
    })),
    storm('window 16', { windowsize: 16, bytes: bytes(2) }, withWindows),
    ...(long
      ? [
          storm('20 MB, window 16', { windowsize: 16, bytes: 20 * MB }, withWindows),
          storm('20 MB, lock-step 1428', { windowsize: 1, bytes: 20 * MB }, servers),
        ]
      : []),
  ];
}

const PAIRS = [
  { name: 'atftp from atftpd', client: 'atftp', server: 'atftpd' },
  { name: `${OURS} from ${OURS}`, client: OURS, server: OURS },
];

/** All from the same server, so that only the clients differ. */
const STARTS = ['cp', 'Node.js', 'curl', 'atftp', 'node-tftp', OURS].map((client) => ({
  name: client,
  client,
  server: 'atftpd',
  floor: CLIENTS[client].floor,
}));

const ENGINE_AND_NODES = [
  { name: 'the bare engine', script: 'engine.mjs' },
  { name: `${OURS} nodes`, script: 'node-red.mjs' },
];

function oneClient(task, contestants) {
  return { figure: RATE, Run: ClientRun, task, contestants };
}

function crowd(task, servers) {
  return { figure: RATE, Run: LoadRun, task, contestants: alone(servers) };
}

function storm(title, task, servers) {
  return {
    name: `boot storm, ${title}`,
    ...crowd({ readers: 300, blksize: 1428, ...task }, servers),
  };
}

function share(bytes, readers) {
  return Math.floor(bytes(CROWD_MEGABYTES) / readers);
}

function through(client, servers) {
  return servers.map(({ name }) => ({ name, client, server: name }));
}

function alone(servers) {
  return servers.map(({ name }) => ({ name, server: name }));
}
