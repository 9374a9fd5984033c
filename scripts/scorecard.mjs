// What the Flow Library will say of the package: node-red-dev's checks on the packed package, every one of
// which must be true. It runs without the network but for the installation of node-red-dev itself, which is
// no development dependency: it would bring more than 400 packages, the youngest of which are years old.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const TOOL = 'node-red-dev@0.1.6';

/** What that version checks. It also warns that new packages should have a scope (P04), and lets `node-red-contrib-` pass. */
const CHECKS = 'P01 P03 P04 P05 P06 P07 P08 N01 N02 D01 D02 D03'.split(' ');

const folder = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(folder, '..');
const work = mkdtempSync(path.join(tmpdir(), 'red-tftp-scorecard-'));

try {
  const card = validate(install(TOOL), unpack());
  for (const check of CHECKS) console.log(`${check} ${card[check]?.test ?? 'was not done'}`);
  const failed = CHECKS.filter((check) => card[check]?.test !== true);
  if (failed.length > 0) throw new Error(`The scorecard has failures: ${failed.join(', ')}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** Installs the tool beside nothing else. Its packages' install scripts have nothing to do here. */
function install(tool) {
  const prefix = path.join(work, 'tool');
  mkdirSync(prefix);
  npm(['install', '--ignore-scripts', '--prefix', prefix, tool], prefix);
  return path.join(prefix, 'node_modules', 'node-red-dev', 'bin', 'run');
}

/** The package as npm would publish it. */
function unpack() {
  const packed = npm(['pack', '--ignore-scripts', '--json', '--pack-destination', work], root);
  const [{ filename, size, unpackedSize, entryCount }] = JSON.parse(packed);
  console.log(`${filename}: ${entryCount} files, ${kB(size)} packed, ${kB(unpackedSize)} unpacked`);
  execFileSync('tar', ['-xzf', filename], { cwd: work });
  return path.join(work, 'package');
}

function validate(tool, packageFolder) {
  const output = path.join(work, 'scorecard.json');
  const offline = path.join(folder, 'scorecard', 'offline.cjs');
  const args = [
    '--require',
    offline,
    tool,
    'validate',
    '--path',
    packageFolder,
    '--output',
    output,
  ];
  execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (!existsSync(output)) throw new Error(`${TOOL} has written no scorecard`);
  return JSON.parse(readFileSync(output, 'utf8'));
}

function npm(args, cwd) {
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  // npm is a batch file on Windows, which only a shell can start.
  return execFileSync('npm', [...args, ...quiet], { cwd, shell: process.platform === 'win32' });
}

function kB(bytes) {
  return `${Math.round(bytes / 1000)} kB`;
}
