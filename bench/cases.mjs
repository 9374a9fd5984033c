// The cases. What each of them means is told in README.md, in the same order.
import { CLIENTS } from './clients.mjs';
import { ClientRun } from './client-run.mjs';
import { LoadRun } from './load-run.mjs';
import { MemoryRun } from './memory-run.mjs';
import { NodesRun } from './nodes-run.mjs';
import { OURS } from './peers.mjs';

const MB = 1_000_000;
const RATE = { field: 'rate', better: 'more' };
const TIME = { field: 'milliseconds', better: 'less' };
const MEMORY = { field: 'kibPerTransfer', better: 'less' };

/** The block that fits any Ethernet, and the least one that nobody has to ask for. */
const LARGE = 1428;
const SMALL = 512;

const WINDOWS = [16, 64];
const CROWDS = [1, 10, 100, 300];
const SILENT = [100, 500, 1000];

/** All cases, for these servers; a quick run moves an eighth of the bytes. */
export function allCases(servers, { quick, long }) {
  const bytes = (megabytes) => Math.round((quick ? megabytes / 8 : megabytes) * MB);
  const windowed = servers.filter(({ windows }) => windows);
  return [
    ...downloads(bytes, servers, windowed),
    ...pairs(bytes),
    ...uploads(bytes, servers, windowed),
    ...crowds(bytes, servers, windowed),
    ...SILENT.map((readers) => silence(readers, servers)),
    start(),
    ...['get', 'put'].map((direction) => nodes(direction, bytes)),
    storm('window 16', { windowsize: 16, bytes: bytes(2) }, windowed),
    ...(long ? longStorms(servers, windowed) : []),
  ];
}

function downloads(bytes, servers, windowed) {
  const lockStep = (blksize, megabytes) => ({
    name: `lock-step ${blksize}, one curl`,
    ...oneClient({ blksize, bytes: bytes(megabytes) }, through('curl', servers)),
  });
  const window = (windowsize) => ({
    name: `window ${windowsize}, one atftp`,
    ...oneClient({ windowsize, bytes: bytes(200) }, through('atftp', windowed)),
  });
  return [lockStep(SMALL, 24), lockStep(LARGE, 64), ...WINDOWS.map(window)];
}

function pairs(bytes) {
  const contestants = [
    { name: 'atftp from atftpd', client: 'atftp', server: 'atftpd' },
    { name: `${OURS} from ${OURS}`, client: OURS, server: OURS },
  ];
  return WINDOWS.map((windowsize) => ({
    name: `window ${windowsize}, own client with own server`,
    ...oneClient({ windowsize, bytes: bytes(200) }, contestants),
  }));
}

function uploads(bytes, servers, windowed) {
  const takers = (among) => among.filter((server) => server.uploads);
  return [
    {
      name: 'upload, lock-step 1428, one curl',
      ...oneClient({ direction: 'put', bytes: bytes(64) }, through('curl', takers(servers))),
    },
    {
      name: 'upload, window 16, one atftp',
      ...oneClient(
        { direction: 'put', windowsize: 16, bytes: bytes(200) },
        through('atftp', takers(windowed)),
      ),
    },
  ];
}

/** All readers together fetch the same bytes, however many there are. */
function crowds(bytes, servers, windowed) {
  const share = (readers) => Math.floor(bytes(32) / readers);
  const lockStep = (readers) => ({
    name: `readers ${readers}, lock-step 512`,
    ...crowd({ readers, blksize: SMALL, bytes: share(readers) }, servers),
  });
  const window = (readers) => ({
    name: `readers ${readers}, window 16`,
    ...crowd({ readers, windowsize: 16, bytes: share(readers) }, windowed),
  });
  return [...CROWDS.map(lockStep), ...CROWDS.map(window)];
}

function silence(readers, servers) {
  return {
    name: `memory, ${readers} silent transfers`,
    figure: MEMORY,
    Run: MemoryRun,
    task: { readers, blksize: SMALL, bytes: MB },
    contestants: alone(servers),
    note: 'Ratios are against the best peer that holds 1 KiB or more.',
  };
}

/** All from the same server, so that only the clients differ. */
function start() {
  const contestants = ['cp', 'Node.js', 'curl', 'atftp', 'node-tftp', OURS].map((client) => ({
    name: client,
    client,
    server: 'atftpd',
    floor: CLIENTS[client].floor,
  }));
  return { name: 'start, 1 KiB', ...oneClient({ bytes: 1024 }, contestants), figure: TIME };
}

function nodes(direction, bytes) {
  return {
    name: `${direction}, the nodes beside the bare engine`,
    figure: TIME,
    Run: NodesRun,
    task: { direction, blksize: LARGE, windowsize: 16, bytes: bytes(100) },
    contestants: [
      { name: 'the bare engine', script: 'engine.mjs' },
      { name: `${OURS} nodes`, script: 'node-red.mjs' },
    ],
  };
}

function longStorms(servers, windowed) {
  return [
    storm('20 MB, window 16', { windowsize: 16, bytes: 20 * MB }, windowed),
    storm('20 MB, lock-step 1428', { bytes: 20 * MB }, servers),
  ];
}

function storm(title, task, servers) {
  return { name: `boot storm, ${title}`, ...crowd({ readers: 300, ...task }, servers) };
}

function oneClient(task, contestants) {
  const whole = { direction: 'get', blksize: LARGE, windowsize: 1, ...task };
  return { figure: RATE, Run: ClientRun, task: whole, contestants };
}

function crowd(task, servers) {
  const whole = { blksize: LARGE, windowsize: 1, ...task };
  return { figure: RATE, Run: LoadRun, task: whole, contestants: alone(servers) };
}

function through(client, servers) {
  return servers.map(({ name }) => ({ name, client, server: name }));
}

function alone(servers) {
  return servers.map(({ name }) => ({ name, server: name }));
}
