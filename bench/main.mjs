// The benchmark: red-tftp beside other TFTP programs. See README.md.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { allCases } from './cases.mjs';
import { Files } from './files.mjs';
import { describeMachine } from './machine.mjs';
import { measure } from './measure.mjs';
import { isInside, obstacle, runInside } from './network.mjs';
import { USAGE, readOptions } from './options.mjs';
import { OURS, servers } from './peers.mjs';
import { findPrograms } from './programs.mjs';
import { toMarkdown, updateReadme } from './report.mjs';
import { Workbench } from './workbench.mjs';

/** The exit code of a command that cannot be understood. */
const USAGE_ERROR = 2;

process.exitCode = await main(process.argv.slice(2));

async function main(args) {
  let options;
  try {
    options = readOptions(args);
  } catch (error) {
    return complain(`${error.message}\n\n${USAGE}`, USAGE_ERROR);
  }
  if (options.help) return say(USAGE);

  const all = servers(options.peers);
  const cases = chosen(allCases(all, options), options);
  if (options.list) return say(cases.map(({ name }) => `${name}\n`).join(''));
  const unable = obstacle(options);
  if (unable !== undefined) return complain(unable, 1);

  const programs = findPrograms();
  const self = [process.execPath, fileURLToPath(import.meta.url), ...args];
  if (!isInside()) return runInside(self, options);
  return say(await run({ options, programs, servers: all }, cases));
}

function chosen(cases, { only }) {
  if (only.length === 0) return cases;
  return cases.filter(({ name }) => only.some((text) => name.includes(text)));
}

/** Saves what there is after each case: a run takes long, and may be stopped. */
async function run(parts, cases) {
  const files = new Files();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  process.once('exit', () => files.remove());
  for (const [name, { missing }] of parts.programs) {
    if (missing !== undefined) console.error(`Without ${name}: ${missing}`);
  }
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

function complain(text, status) {
  console.error(text);
  return status;
}
