// Writes docs/library.md and docs/command.md from the docstrings of what was built. `--check`: writes
// nothing, and ends with 1 if a page is not what would be written.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { commandPage } from './docs/command-page.mjs';
import { publicDeclarations } from './docs/declarations.mjs';
import { libraryPage } from './docs/library-page.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const pages = {
  'docs/library.md': libraryPage(publicDeclarations(path.join(root, 'dist/src/index.d.ts'))),
  'docs/command.md': commandPage(root),
};

for (const [file, text] of Object.entries(pages)) {
  const target = path.join(root, file);
  const page = await format(text, { ...(await resolveConfig(target)), parser: 'markdown' });
  if (!process.argv.includes('--check')) write(target, page);
  else if (read(target) !== page) {
    console.error(`${file} does not tell what the code does: run npm run docs`);
    process.exitCode = 1;
  }
}

function write(file, text) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** The page with the line ends that a checkout on Windows has taken away. */
function read(file) {
  return readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
}
