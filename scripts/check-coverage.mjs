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
const files = Object.entries(summary).filter(
  ([file]) => PURE_FOLDERS.includes(path.basename(path.dirname(file))) && hasCode(file),
);
const gaps = files.flatMap(([file, covered]) =>
  MEASURES.filter((measure) => covered[measure].pct < 100).map(
    (measure) => `${path.relative(root, file)}: ${covered[measure].pct} % of its ${measure}`,
  ),
);

if (files.length === 0) gaps.push('the summary names no file of protocol/ or transfer/');
for (const gap of gaps) console.error(`Not fully covered: ${gap}`);
if (gaps.length === 0) console.log(`${files.length} files of the pure folders are fully covered`);
process.exitCode = gaps.length === 0 ? 0 : 1;

/** A file of types alone is empty when compiled: nobody loads it, and there is nothing to cover. */
function hasCode(file) {
  const compiled = path.join(root, 'dist', path.relative(root, file).replace(/\.ts$/, '.js'));
  const code = readFileSync(compiled, 'utf8')
    .replaceAll(/\/\*.*?\*\/|\/\/.*?$/gms, '')
    .replaceAll(/^("use strict"|Object\.defineProperty\(exports, "__esModule".*\));$/gm, '');
  return code.trim() !== '';
}
