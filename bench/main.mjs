// The benchmark: red-tftp beside other TFTP programs. See README.md.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { allCases } from './cases.mjs';
import { Files } from './files.mjs';
import { describeMachine } from './machine.mjs';
import { measure } from './measure.mjs';
import { USAGE, readOptions } from './options.mjs';
import { OURS, servers } from './peers.mjs';
import { findPrograms } from './programs.mjs';
import { toMarkdown, updateReadme } from './report.mjs';
import { Workbench } from './workbench.mjs';

/** tftpd-hpa resolves no name, not even 127.0.0.1, where there is nothing but loopback addresses. */
const SET_UP_NETWORK = 'ip link set lo up && ip address add 192.0.2.1/32 dev lo';

/** Set in the second process, which has a network of its own. */
const INSIDE = 'RED_TFTP_BENCH_INSIDE';

process.exitCode = await main(process.argv.slice(2));

async function main(args) {
  const options = tryToRead(args);
  const all = servers(options.peers);
  const cases = allCases(all, options).filter(
    ({ name }) => options.only.length === 0 || options.only.some((text) => name.includes(text)),
  );
  if (options.help) return say(USAGE);
  if (options.list) return say(cases.map(({ name }) => `${name}\n`).join(''));
  const unable = reasonNotToRun(options);
  if (unable !== undefined) {
    console.error(unable);
    return 1;
  }

  const programs = findPrograms();
  if (process.env[INSIDE] === undefined) return insideOwnNetwork(args, options);
  return say(await run({ options, programs, servers: all }, cases));
}

function tryToRead(args) {
  try {
    return readOptions(args);
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    return process.exit(2);
  }
}

function reasonNotToRun({ serverCpu, clientCpu }) {
  if (process.platform !== 'linux') return 'The benchmark needs Linux: it reads /proc.';
  for (const cpu of [serverCpu, clientCpu]) {
    const { error, status } = spawnSync('taskset', ['-c', String(cpu), 'true']);
    if (error) return 'There is no taskset, which binds programs to a core: install util-linux.';
    if (status !== 0) return `There is no core ${cpu}: name others with --cpus.`;
  }
  return undefined;
}

/**
 * Runs this program once more in a network namespace: dnsmasq insists on port 69, and nobody else is
 * disturbed. It needs root; without it dnsmasq is left out.
 */
async function insideOwnNetwork(args, { serverCpu, clientCpu }) {
  const self = [
    ...besides([serverCpu, clientCpu]),
    process.execPath,
    fileURLToPath(import.meta.url),
    ...args,
  ];
  const inside = (command) => [
    '--net',
    'sh',
    '-c',
    `${SET_UP_NETWORK} && exec "$@"`,
    'sh',
    ...command,
  ];
  const possible = spawnSync('unshare', inside(['true'])).status === 0;
  const [file, ...rest] = possible ? ['unshare', ...inside(self)] : self;
  const env = { ...process.env, [INSIDE]: possible ? 'namespace' : 'host' };
  const child = spawn(file, rest, { stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill('SIGTERM'));
  const [status] = await once(child, 'exit');
  return status ?? 1;
}

/** Keeps what measures off the cores that are measured, where there are others. */
function besides(measured) {
  const others = cpus()
    .map((_, cpu) => cpu)
    .filter((cpu) => !measured.includes(cpu));
  return others.length > 0 ? ['taskset', '-c', others.join(',')] : [];
}

/** Saves what there is after each case: a run takes long, and may be stopped. */
async function run(parts, cases) {
  const files = new Files();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  process.once('exit', () => files.remove());
  const workbench = new Workbench({ ...parts, files });
  const report = { machine: describeMachine(parts), results: [] };
  for (const one of cases) {
    report.results.push(await measure(workbench, one));
    save(report, parts.options);
  }
  return toMarkdown(report, OURS);
}

function save(report, { json, markdown, 'update-readme': readme }) {
  const text = toMarkdown(report, OURS);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`);
  if (markdown !== undefined) writeFileSync(markdown, text);
  if (readme) updateReadme(text);
}

function say(text) {
  process.stdout.write(text);
  return 0;
}
