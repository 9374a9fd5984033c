// Builds dist/: the compiler first, then what Node-RED expects beside each node's .js file, then the command.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleCommand } from './bundle.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const compiler = path.join(
  path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);

/** How a part of a page is put into it. */
const PART_WRAPPERS = {
  '.js': (code) => `<script type="text/javascript">\n${code}</script>`,
  '.css': (rules) => `<style>\n${rules}</style>`,
  '.html': (markup) => markup.trimEnd(),
};

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
execFileSync(process.execPath, [compiler, '-p', root], { stdio: 'inherit' });

buildPages('nodes', 'nodes/editor');
for (const language of readdirSync(path.join(root, 'nodes/locales'))) {
  const folder = `nodes/locales/${language}`;
  buildPages(folder, `${folder}/parts`);
  buildCatalogues(folder);
}
cpSync(path.join(root, 'icons'), path.join(root, 'dist/nodes/icons'), { recursive: true });
bundleCommand({
  source: path.join(root, 'dist/src'),
  entry: 'cli/main.js',
  late: ['cli/expected-source.js', 'cli/help.js', 'cli/map-test.js', 'cli/serve.js'],
  target: path.join(root, 'dist/bin/red-tftp.js'),
});

/**
 * Writes each page with its parts put in where it says `<!-- include: NAME -->`. The nodes' dialogs
 * and help have much in common, and Node-RED loads every page on its own, even if the others are
 * disabled; so each page gets its own copy.
 */
function buildPages(folder, partsFolder) {
  const unused = new Set(readdirSync(path.join(root, partsFolder)));
  for (const page of filesOf(folder, '.html')) {
    const text = read(`${folder}/${page}`).replace(/<!-- include: (\S+) -->/g, (_, part) => {
      unused.delete(part);
      return PART_WRAPPERS[path.extname(part)](read(`${partsFolder}/${part}`));
    });
    write(`dist/${folder}/${page}`, text);
  }
  if (unused.size > 0)
    throw new Error(`${partsFolder}: no page includes ${[...unused].join(', ')}`);
}

/** Node-RED knows one catalogue for each node: what the nodes share in tftp.json goes into each of them. */
function buildCatalogues(folder) {
  const shared = JSON.parse(read(`${folder}/tftp.json`));
  for (const file of filesOf(folder, '.json').filter((name) => name !== 'tftp.json')) {
    const catalogue = { ...JSON.parse(read(`${folder}/${file}`)), ...shared };
    write(`dist/${folder}/${file}`, JSON.stringify(catalogue));
  }
}

function filesOf(folder, extension) {
  return readdirSync(path.join(root, folder)).filter((name) => name.endsWith(extension));
}

function read(file) {
  return readFileSync(path.join(root, file), 'utf8');
}

function write(file, text) {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}
