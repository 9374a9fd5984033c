// Fails unless every line, branch and function of the two pure folders is covered. Run it after
// `npm run coverage`, which leaves the summary that is read here.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const PURE_FOLDERS = ['protocol', 'transfer'];
const MEASURES = ['lines', 'branches', 'functions'];

const summary = JSON.parse(
  readFileSync(path.join(root, 'coverage', 'coverage-summary.json'), 'utf8'),
);
const files = Object.entries(summary).filter(([file]) => PURE_FOLDERS.includes(folderOf(file)));
const gaps = files.flatMap(([file, covered]) =>
  MEASURES.filter((measure) => covered[measure].pct < 100).map(
    (measure) => `${path.relative(root, file)}: ${covered[measure].pct} % of its ${measure}`,
  ),
);

if (files.length === 0) gaps.push('the summary names no file of protocol/ or transfer/');
for (const gap of gaps) console.error(`Not fully covered: ${gap}`);
if (gaps.length === 0) console.log(`${files.length} files of the pure folders are fully covered`);
process.exitCode = gaps.length === 0 ? 0 : 1;

function folderOf(file) {
  return path.basename(path.dirname(file));
}
