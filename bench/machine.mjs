// What a report has to name: the machine and the versions.
import { execFileSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Lines of text. */
export function describeMachine({ options, programs }) {
  const { serverCpu, clientCpu, runs, quick } = options;
  const cores =
    serverCpu === clientCpu
      ? `server and client share core ${serverCpu}`
      : `the server has core ${serverCpu}, the client core ${clientCpu}`;
  return [
    `${cpus()[0]?.model.trim()}, ${cpus().length} cores; Linux ${release()}; Node.js ${process.version}`,
    `Loopback; ${cores}; medians of ${runs} interleaved runs${quick ? '; quick: small files' : ''}`,
    [...programs.values()].flatMap(({ version }) => version ?? []).join('; '),
    `Measured ${new Date().toISOString().slice(0, 10)}, at ${revision()}`,
  ];
}

function revision() {
  try {
    const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
    const changed = git('status', '--porcelain', '--', 'src') === '' ? '' : ' with changes';
    return `revision ${git('rev-parse', '--short', 'HEAD')}${changed}`;
  } catch {
    return 'no revision';
  }
}
