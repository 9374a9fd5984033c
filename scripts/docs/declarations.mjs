// What a program that imports the package gets: the declarations behind each name that index.d.ts exports.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from '@babel/parser';
import { parseDocComment } from './doc-comment.mjs';

/**
 * The public declarations, in the order in which index.d.ts exports them; `about` is its own docstring.
 *
 * @returns `{ name, node, file, imports, source, doc }` of each: `node` is its syntax tree, `file` is below
 * the folder of index.d.ts, `imports` are the names that this has from others, `source` cuts text out of
 * it, and `doc` finds a docstring in it.
 */
export function publicDeclarations(index) {
  const modules = new Map();
  const load = (file) => {
    if (!modules.has(file)) modules.set(file, readModule(file));
    return modules.get(file);
  };
  const entry = load(index);
  const declarations = entry.exports.map(({ name, from }) => {
    const found = find(name, resolve(index, from), load);
    if (found === undefined)
      throw new Error(`index.d.ts exports ${name}, which is nowhere declared`);
    const { file, imports } = found.module;
    return { name, ...found, file: path.relative(path.dirname(index), file), imports };
  });
  const about = parseDocComment(entry.comments[0].value);
  return { about, declarations };
}

function readModule(file) {
  const text = readFileSync(file, 'utf8');
  const { program, comments } = parse(text, {
    sourceType: 'module',
    sourceFilename: file,
    plugins: ['estree', ['typescript', { dts: true }]],
  });
  const docs = comments.filter(({ value }) => value.startsWith('*'));
  const declared = declaredIn(program);
  return {
    file,
    comments: docs,
    text,
    declared,
    exports: exportsOf(program),
    imports: importsOf(program),
  };
}

/** The names that a module has from other modules of the package. */
function importsOf(program) {
  return program.body
    .filter(({ type, source }) => type === 'ImportDeclaration' && source.value.startsWith('.'))
    .flatMap(({ specifiers }) => specifiers.map(({ local }) => local.name));
}

function declaredIn(program) {
  const declared = new Map();
  for (const statement of program.body) {
    const node = statement.declaration ?? statement;
    const names = node.declarations?.map(({ id }) => id.name) ?? [node.id?.name];
    for (const name of names.filter(Boolean)) declared.set(name, { statement, node });
  }
  return declared;
}

/** What a module passes on: with `from`, or imported before. */
function exportsOf(program) {
  return program.body
    .filter(({ type, source }) => type === 'ExportNamedDeclaration' && source)
    .flatMap(({ specifiers, source }) =>
      specifiers.map(({ exported }) => ({ name: exported.name, from: source.value })),
    );
}

function find(name, file, load) {
  const module = load(file);
  const own = module.declared.get(name);
  if (own !== undefined) return { node: own.node, ...readers(module, own.statement) };
  const passed = module.exports.find((one) => one.name === name);
  return passed && find(name, resolve(file, passed.from), load);
}

function readers(module, statement) {
  return {
    module,
    /** The text of a node without comments, its white space as it stands. */
    source: ({ start, end }) => withoutComments(module, start, end),
    /** The docstring right before a node; the declaration's own without one. */
    doc: (node = statement) => docBefore(module, node.start),
  };
}

function withoutComments({ text, comments }, start, end) {
  let at = start;
  let result = '';
  for (const comment of comments.filter((one) => one.start >= start && one.end <= end)) {
    result += text.slice(at, comment.start);
    at = comment.end;
  }
  return result + text.slice(at, end);
}

function docBefore({ text, comments }, start) {
  const comment = comments.findLast(({ end }) => end <= start);
  const near = comment !== undefined && text.slice(comment.end, start).trim() === '';
  return parseDocComment(near ? comment.value : '*');
}

function resolve(file, specifier) {
  return `${path.resolve(path.dirname(file), specifier)}.d.ts`;
}
