// Builds dist/: the compiler first, then what Node-RED expects beside each node's .js file.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const compiler = path.join(
  path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin',
  'tsc',
);

rmSync(path.join(root, 'dist'), { recursive: true, force: true });
execFileSync(process.execPath, [compiler, '-p', root], { stdio: 'inherit' });

for (const file of readdirSync(path.join(root, 'nodes'))) {
  if (file.endsWith('.html')) copy(`nodes/${file}`, `dist/nodes/${file}`);
}
copy('nodes/locales', 'dist/nodes/locales');
copy('icons', 'dist/nodes/icons');
chmodSync(path.join(root, 'dist', 'src', 'cli', 'main.js'), 0o755);

function copy(from, to) {
  cpSync(path.join(root, from), path.join(root, to), { recursive: true });
}
