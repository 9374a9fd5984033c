import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import should = require('should');

/** The project's root, seen from dist/test/. */
const ROOT = path.resolve(__dirname, '..', '..');

/** For each layer the layers, or single files, that it may import. Its own files it may import always. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  'src/protocol': [],
  'src/transfer': ['src/protocol'],
  'src/storage': ['src/protocol', 'src/transfer'],
  'src/udp': ['src/protocol', 'src/transfer'],
  // The driver joins a machine with a source and a sink: it knows what they look like, and no more.
  'src/net': ['src/protocol', 'src/transfer', 'src/storage/storage', 'src/udp'],
  'src/client': ['src/protocol', 'src/transfer', 'src/storage', 'src/udp', 'src/net'],
  'src/server': ['src/protocol', 'src/transfer', 'src/storage', 'src/udp', 'src/net'],
  'src/node-red': [
    'src/protocol',
    'src/transfer',
    'src/storage',
    'src/udp',
    'src/net',
    'src/client',
    'src/server',
  ],
  'src/cli': [
    'src/protocol',
    'src/transfer',
    'src/storage',
    'src/udp',
    'src/net',
    'src/client',
    'src/server',
  ],
  'src/index': [
    'src/protocol',
    'src/transfer',
    'src/storage',
    'src/udp',
    'src/net',
    'src/client',
    'src/server',
  ],
  nodes: [
    'src/protocol',
    'src/transfer',
    'src/storage',
    'src/udp',
    'src/net',
    'src/client',
    'src/server',
    'src/node-red',
  ],
};

const PURE = ['src/protocol', 'src/transfer'];
const PLATFORM =
  /\b(Date|setTimeout|setInterval|setImmediate|queueMicrotask|performance|process|Buffer|require|globalThis)\b/;

/** A source file: its path without extension, what it imports, its text without comments and strings. */
interface Source {
  readonly name: string;
  readonly imports: readonly string[];
  readonly code: string;
}

function sources(): Source[] {
  return ['src', 'nodes'].flatMap((folder) => filesOf(folder)).map(readSource);
}

function filesOf(folder: string): string[] {
  if (!existsSync(path.join(ROOT, folder))) return [];
  return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.posix.join(folder, file.split(path.sep).join('/')));
}

function readSource(file: string): Source {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\s\/\/ .*$/gm, '');
  const found = code.matchAll(/\b(?:from|import|require\()\s*\(?\s*(['"])([^'"]+)\1/g);
  return {
    name: file.replace(/\.ts$/, ''),
    imports: [...found].map(([, , target]) => resolve(file, target!)),
    code: code.replace(/'[^'\n]*'|"[^"\n]*"/g, "''"),
  };
}

/** A path from the root for files of ours, the name itself for packages. */
function resolve(from: string, target: string): string {
  return target.startsWith('.') ? path.posix.join(path.posix.dirname(from), target) : target;
}

function isOurs(target: string): boolean {
  return target.startsWith('src/') || target.startsWith('nodes/');
}

function layerOf(name: string): string {
  const [top, folder] = name.split('/');
  return top === 'nodes' ? 'nodes' : `${top}/${folder}`;
}

function mayImport(name: string, target: string): boolean {
  const layer = layerOf(name);
  const allowed = [layer, ...(BELOW[layer] ?? [])];
  return allowed.some((below) => target === below || target.startsWith(`${below}/`));
}

/** The first circle of imports that a walk from `name` finds. */
function circle(
  graph: ReadonlyMap<string, readonly string[]>,
  name: string,
  done: Set<string>,
  trail: readonly string[] = [],
): readonly string[] | undefined {
  if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
  if (done.has(name)) return undefined;
  for (const target of graph.get(name) ?? []) {
    const found = circle(graph, target, done, [...trail, name]);
    if (found) return found;
  }
  done.add(name);
  return undefined;
}

describe('architecture', () => {
  const all = sources();
  const edges = all.flatMap(({ name, imports }) =>
    imports.filter(isOurs).map((target) => [name, target] as const),
  );

  it('finds the sources and their imports', () => {
    should(all.length).be.above(20);
    should(edges).containEql(['src/transfer/machine', 'src/protocol/encode']);
  });

  it('has every file in a layer', () => {
    const strays = all.map(({ name }) => name).filter((name) => !(layerOf(name) in BELOW));
    should(strays).deepEqual([]);
  });

  it('imports point down only', () => {
    const wrong = edges.filter(([name, target]) => !mayImport(name, target));
    should(wrong.map((edge) => edge.join(' -> '))).deepEqual([]);
  });

  it('imports go in no circle', () => {
    const graph = new Map(all.map(({ name, imports }) => [name, imports.filter(isOurs)]));
    const done = new Set<string>();
    const circles = all.flatMap(({ name }) => circle(graph, name, done) ?? []);
    should(circles).deepEqual([]);
  });

  it('nobody inside imports the public index', () => {
    should(edges.filter(([, target]) => /^src(\/index)?$/.test(target))).deepEqual([]);
  });

  it('imports name files without extension, and files that exist', () => {
    const missing = edges.filter(([, target]) => !existsSync(path.join(ROOT, `${target}.ts`)));
    should(missing.map((edge) => edge.join(' -> '))).deepEqual([]);
  });

  it('protocol/ and transfer/ know no platform: no package, no timer, no date', () => {
    const pure = all.filter(({ name }) => PURE.includes(layerOf(name)));
    for (const { name, imports, code } of pure) {
      should(imports.filter((target) => !isOurs(target))).deepEqual([], name);
      should(PLATFORM.exec(code)?.[0]).be.undefined();
    }
  });
});
