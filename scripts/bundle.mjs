// Puts the modules of the command into two files: Node.js takes some tenths of a millisecond to find
// and read each file, and a small get needs fifty of them, which is more than the transfer takes.
// Nothing else is changed, so that stack traces and debuggers show the code as the compiler wrote it.
// A file of its own in `dist/src` can still be started by its path, as `__dirname` stays what it was.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** How a compiled module asks for another one of ours. */
const RELATIVE_REQUIRE = /\brequire\((['"])(\.{1,2}\/[^'"]+)\1\)/g;

/**
 * What Node.js does for modules in files, for those in `modules`. All names of ours are seen in there:
 * `__require` is one that no module has itself.
 */
const LOADER = `
const SOURCE = require('node:path').join(__dirname, '../src/');
const loaded = {};

function __require(name) {
  if (loaded[name] !== undefined) return loaded[name].exports;
  const own = name === ENTRY ? module : { exports: {} };
  loaded[name] = own;
  if (modules[name] === undefined) Object.assign(modules, require(SECOND_FILE)(__require));
  modules[name](own.exports, own, SOURCE + name.slice(0, name.lastIndexOf('/')));
  return own.exports;
}

__require(ENTRY);
`;

/**
 * @param source the folder with the compiled modules, `../src` as the bundle sees it.
 * @param entry the module that starts the program, relative to `source`.
 * @param late modules that go into the second file, with what only they need. It is read when one of
 *   them is needed.
 * @param target the first file. The second one lies beside it.
 */
export function bundleCommand({ source, entry, late, target }) {
  const first = reachable(source, [entry], late);
  const rest = [...reachable(source, [entry], [])].filter((name) => !first.has(name));
  const second = target.replace(/\.js$/, '-more.js');
  const loader = LOADER.replaceAll('ENTRY', `'${entry}'`);
  mkdirSync(path.dirname(target), { recursive: true });
  writeFileSync(
    target,
    `#!/usr/bin/env node\n'use strict';\nconst modules = ${definitions(source, [...first])};\n` +
      loader.replace('SECOND_FILE', `'./${path.basename(second)}'`),
  );
  writeFileSync(
    second,
    `'use strict';\nmodule.exports = (__require) => (${definitions(source, rest)});\n`,
  );
  chmodSync(target, 0o755);
}

/** These modules and all that they need, but for those that are left out. */
function reachable(source, names, leftOut, found = new Set()) {
  for (const name of names) {
    if (found.has(name) || leftOut.includes(name)) continue;
    found.add(name);
    const requires = [...read(source, name).matchAll(RELATIVE_REQUIRE)];
    const needed = requires.map(([, , id]) => moduleNamed(id, name));
    reachable(source, needed, leftOut, found);
  }
  return found;
}

/** The parentheses make V8 compile each function at once, instead of looking first where it ends. */
function definitions(source, names) {
  const all = names.map(
    (name) => `'${name}': (function (exports, module, __dirname) {\n${code(source, name)}}),`,
  );
  return `{\n${all.join('\n')}\n}`;
}

function code(source, name) {
  return read(source, name)
    .replace(/^\/\/# sourceMappingURL=.*\n?/m, '')
    .replace(RELATIVE_REQUIRE, (_, __, id) => `__require('${moduleNamed(id, name)}')`);
}

/** The module that another one calls by this path, relative to the source. */
function moduleNamed(id, from) {
  return `${path.posix.join(path.posix.dirname(from), id)}.js`;
}

function read(source, name) {
  return readFileSync(path.join(source, name), 'utf8');
}
