// What the command line asks for.
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run bench -- [options]

Measures red-tftp beside other TFTP programs, in one run.

  --quick            Three runs in place of five, and smaller files.
  --long             Also what takes an hour: boot storms with a 20 MB image.
  --only TEXT        Only the cases whose name contains this; may be repeated.
  --list             Name the cases and end.
  --runs N           Runs of each program in each case.
  --cpus A,B         The cores of the server and of the client. Default: the last core for both.
  --peer NAME=COMMAND  One more server; {root} and {port} in COMMAND are its folder and its port.
  --json FILE        Write all figures as JSON.
  --markdown FILE    Write the report as Markdown.
  --update-readme    Put the report into bench/README.md.
  --help             Show this text.
`;

const FLAGS = {
  quick: { type: 'boolean', default: false },
  long: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
  list: { type: 'boolean', default: false },
  runs: { type: 'string' },
  cpus: { type: 'string', default: String(cpus().length - 1) },
  peer: { type: 'string', multiple: true, default: [] },
  json: { type: 'string' },
  markdown: { type: 'string' },
  'update-readme': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

/** Throws an Error that says what to change. */
export function readOptions(args) {
  const { values } = parseArgs({ args, options: FLAGS });
  const runs = values.runs === undefined ? (values.quick ? 3 : 5) : Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs has to be 1 or more');
  const cores = values.cpus.split(',').map(Number);
  if (cores.length > 2 || !cores.every((cpu) => Number.isInteger(cpu) && cpu >= 0)) {
    throw new Error('--cpus has to be one core or two, such as 0 or 0,1');
  }
  const [serverCpu, clientCpu = serverCpu] = cores;
  return { ...values, runs, serverCpu, clientCpu, peers: values.peer.map(readPeer) };
}

function readPeer(text) {
  const [, name, command = ''] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (!command.includes('{port}')) {
    throw new Error('--peer has to be NAME=COMMAND, with {port} in the command');
  }
  return { name, command };
}
