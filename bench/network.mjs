// Where the benchmark runs: in a network of its own, and off the cores that are measured.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';

/** Set in the second process. */
const INSIDE = 'RED_TFTP_BENCH_INSIDE';

/** tftpd-hpa resolves no name, not even 127.0.0.1, where there is nothing but loopback addresses. */
const SET_UP = 'ip link set lo up && ip address add 192.0.2.1/32 dev lo && exec "$@"';
const UNSHARE = ['unshare', '--net', 'sh', '-c', SET_UP, 'sh'];

/** True in the process that measures. */
export function isInside() {
  return process.env[INSIDE] !== undefined;
}

/** Why nothing can be measured here; undefined if it can. */
export function obstacle({ serverCpu, clientCpu }) {
  if (process.platform !== 'linux') return 'The benchmark needs Linux: it reads /proc.';
  for (const cpu of [serverCpu, clientCpu]) {
    const { error, status } = start('taskset', ['-c', String(cpu), 'true']);
    if (error) return 'There is no taskset, which binds programs to a core: install util-linux.';
    if (status !== 0) return `There is no core ${cpu}: name others with --cpus.`;
  }
  return undefined;
}

/**
 * Runs a command of this project in a network namespace, since dnsmasq insists on port 69, and gives
 * its exit code. That needs root; elsewhere it runs as it is, and dnsmasq may be left out.
 */
export async function runInside(command, { serverCpu, clientCpu }) {
  const possible = start(UNSHARE[0], [...UNSHARE.slice(1), 'true']).status === 0;
  const prefix = [...(possible ? UNSHARE : []), ...besides([serverCpu, clientCpu])];
  const [file, ...args] = [...prefix, ...command];
  const child = spawn(file, args, { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } });
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill('SIGTERM'));
  const [status] = await once(child, 'exit');
  return status ?? 1;
}

/** Keeps what measures off the cores that are measured, where there are others. */
function besides(measured) {
  const others = [...cpus().keys()].filter((cpu) => !measured.includes(cpu));
  return others.length > 0 ? ['taskset', '-c', others.join(',')] : [];
}

function start(file, args) {
  return spawnSync(file, args, { stdio: 'ignore' });
}
