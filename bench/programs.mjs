// Other people's programs: fetched into bench/.cache, never installed, since some of them conflict.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { OURS } from './peers.mjs';

const FOLDER = path.dirname(fileURLToPath(import.meta.url));
const CACHE = path.join(FOLDER, '.cache');
const UNPACKED = path.join(CACHE, 'debian');
const NPM = path.join(CACHE, 'npm');
const MANIFEST = path.join(FOLDER, '..', 'package.json');

/** Debian's name for this machine's kind, as in /usr/lib/x86_64-linux-gnu. */
const MULTIARCH = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }[process.arch] ?? '';

/** What dnsmasq needs, and a bare Debian machine does not have. */
const DNSMASQ_NEEDS = [
  ...['libnetfilter-conntrack3', 'libnfnetlink0', 'libnftables1', 'libnftnl11'],
  ...['libxtables12', 'libjansson4', 'libmnl0'],
];

/** Where each program comes from, and how it tells its version. */
const PROGRAMS = {
  'in.tftpd': debian('usr/sbin/in.tftpd', '-V', 'tftpd-hpa', ['libwrap0']),
  atftpd: debian('usr/sbin/atftpd', '--version', 'atftpd', ['libpcre2-8-0']),
  dnsmasq: debian('usr/sbin/dnsmasq', '--version', 'dnsmasq-base', DNSMASQ_NEEDS),
  atftp: debian('usr/bin/atftp', '--version', 'atftp', ['libreadline8']),
  curl: findCurl,
  'node-tftp': findNodeTftp,
  load: compileLoad,
  [OURS]: () => ({ version: `${OURS} ${read(MANIFEST).version}` }),
};

/**
 * Finds or fetches all programs. Gives for each name either `file` and `version`, or `missing`: the
 * reason why what needs it is left out.
 */
export function findPrograms() {
  return new Map(Object.entries(PROGRAMS).map(([name, find]) => [name, tryTo(find)]));
}

/** Where the libraries are that were unpacked: for LD_LIBRARY_PATH. */
export function libraryPath() {
  const packages = existsSync(UNPACKED) ? readdirSync(UNPACKED) : [];
  const folders = packages.flatMap((name) =>
    ['lib', 'usr/lib'].map((library) => path.join(UNPACKED, name, library, MULTIARCH)),
  );
  return folders.filter((folder) => existsSync(folder)).join(path.delimiter);
}

function tryTo(find) {
  try {
    return find();
  } catch (error) {
    return { missing: firstLine(String(error.stderr ?? '')) || firstLine(error.message) };
  }
}

/** A library that cannot be fetched may be installed; if not, the program says so. */
function debian(file, versionFlag, name, libraries) {
  const target = path.join(UNPACKED, name, file);
  return () => {
    if (!existsSync(target)) {
      for (const library of libraries) tryTo(() => unpack(library));
      unpack(name);
    }
    const { stdout, stderr } = spawnSync(target, [versionFlag], spawnOptions());
    if (stderr.includes('shared libraries')) throw new Error(stderr);
    return { file: target, version: firstLine(stdout || stderr) };
  };
}

/** Each package has its own folder: tftpd-hpa and atftpd both have a program in.tftpd. */
function unpack(name) {
  console.error(`Fetching the Debian package ${name}`);
  const debs = path.join(CACHE, 'debs');
  for (const folder of [debs, UNPACKED]) mkdirSync(folder, { recursive: true });
  run('apt-get', ['download', '-qq', name], { cwd: debs });
  const deb = readdirSync(debs).find((file) => file.startsWith(`${name}_`));
  run('dpkg', ['-x', path.join(debs, deb), path.join(UNPACKED, name)]);
}

function findCurl() {
  const version = run('curl', ['--version']);
  if (!/^Protocols:.*\btftp\b/m.test(version)) throw new Error('this curl knows no TFTP');
  return { file: 'curl', version: firstLine(version).split(' ').slice(0, 2).join(' ') };
}

function findNodeTftp() {
  const file = path.join(NPM, 'node_modules', 'tftp');
  if (!existsSync(file)) {
    console.error('Fetching the npm package tftp');
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', NPM, 'tftp']);
  }
  return { file, version: `node-tftp ${read(path.join(file, 'package.json')).version}` };
}

/** The load generator is compiled each time: it takes less than a second. */
function compileLoad() {
  mkdirSync(CACHE, { recursive: true });
  const file = path.join(CACHE, 'load-generator');
  const sources = ['main.c', 'reader.c'].map((name) => path.join(FOLDER, 'load', name));
  run('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', file, ...sources]);
  return { file, version: `load generator by ${firstLine(run('cc', ['--version']))}` };
}

function run(file, args, options = {}) {
  return execFileSync(file, args, { ...spawnOptions(), ...options });
}

function spawnOptions() {
  const env = { ...process.env, LD_LIBRARY_PATH: libraryPath() };
  return { encoding: 'utf8', stdio: 'pipe', env };
}

function read(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function firstLine(text) {
  return text.trim().split('\n')[0];
}
