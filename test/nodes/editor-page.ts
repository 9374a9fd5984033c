/** What a node brings to the editor, as it was built into dist/: its page, help, catalogue and icon. */

import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { createContext, runInContext } from 'node:vm';

const NODES = path.resolve(__dirname, '../../nodes');

/** A catalogue of texts, by keys with dots, as in `tftp.label.port`. */
export type Catalogue = ReadonlyMap<string, string>;

/** A node as the editor holds it: its properties, type and translations. */
export interface EditorNode {
  type: string;
  _(key: string, values?: Record<string, unknown>): string;
  [property: string]: unknown;
}

/** What a page gives to `RED.nodes.registerType`. */
export interface Definition {
  category: string;
  color: string;
  defaults: Record<
    string,
    { value: unknown; validate?: (this: EditorNode, value: unknown, options: object) => unknown }
  >;
  inputs: number;
  outputs: number;
  icon: string;
  align?: string;
  paletteLabel(this: EditorNode): string;
  label(this: EditorNode): string;
  labelStyle(this: EditorNode): string;
  inputLabels?(this: EditorNode): string;
  /** Nodes without outputs have none. */
  outputLabels?(this: EditorNode, index: number): string | undefined;
}

/** A node's part of the editor, loaded without a browser. */
export interface EditorPage {
  readonly type: string;
  readonly definition: Definition;
  /** The text of all scripts of the page, and of the last one, which registers the node. */
  readonly scripts: string;
  readonly registration: string;
  /** The markup of the edit dialog. */
  readonly dialog: string;
  readonly help: string;
  readonly catalogue: Catalogue;
  /** The catalogue's keys that were asked for while the page's functions ran. */
  readonly askedKeys: ReadonlySet<string>;
  /** A node with the defaults, and with `properties` instead where they are given. */
  node(properties?: Record<string, unknown>): EditorNode;
}

/** Runs the scripts of a page with as much of the editor as they need outside a dialog. */
export function loadEditorPage(type: string): EditorPage {
  const html = readFileSync(path.join(NODES, `${type}.html`), 'utf8');
  const catalogue = readCatalogue(`locales/en-US/${type}.json`);
  const askedKeys = new Set<string>();
  const translate = (key: string, values: Record<string, unknown> = {}): string => {
    const ownKey = key.replace(`node-red-contrib-tftp/${type}:`, '');
    const text = catalogue.get(ownKey);
    if (text === undefined) throw new Error(`${type}: the catalogue has no ${key}`);
    askedKeys.add(ownKey);
    return text.replace(/__(\w+)__/g, (_, name: string) => String(values[name]));
  };
  const scripts = partsOf(html, /<script type="text\/javascript">([\s\S]*?)<\/script>/g);
  const definition = runScripts(type, scripts, translate);
  const node = (properties: Record<string, unknown> = {}): EditorNode => ({
    ...Object.fromEntries(
      Object.entries(definition.defaults).map(([name, { value }]) => [name, value]),
    ),
    ...properties,
    type,
    _: translate,
  });
  return {
    type,
    definition,
    scripts: scripts.join('\n'),
    registration: scripts.at(-1) ?? '',
    dialog: partsOf(
      html,
      new RegExp(`data-template-name="${type}">([\\s\\S]*?)</script>`, 'g'),
    ).join(),
    help: readFileSync(path.join(NODES, `locales/en-US/${type}.html`), 'utf8'),
    catalogue,
    askedKeys,
    node,
  };
}

/** The picture of a node in the palette. */
export function readIcon(name: string): string {
  return readFileSync(path.join(NODES, 'icons', name), 'utf8');
}

function partsOf(html: string, pattern: RegExp): string[] {
  return [...html.matchAll(pattern)].map((match) => match[1] ?? '');
}

function runScripts(
  type: string,
  scripts: readonly string[],
  translate: EditorNode['_'],
): Definition {
  const registered = new Map<string, Definition>();
  const RED = {
    _: translate,
    nodes: {
      registerType: (name: string, definition: Definition) => registered.set(name, definition),
    },
    validators: { typedInput: () => () => true },
  };
  const noField = { val: () => undefined };
  const page: Record<string, unknown> = { RED, URL, $: () => noField };
  page.window = page;
  createContext(page);
  for (const script of scripts) runInContext(script, page);
  const definition = registered.get(type);
  if (registered.size !== 1 || definition === undefined) {
    throw new Error(`${type}.html registers ${[...registered.keys()].join(', ') || 'nothing'}`);
  }
  return definition;
}

/** A catalogue, by its file: an absolute path, or one in the folder of the built nodes. */
export function readCatalogue(file: string): Catalogue {
  const tree: Tree = JSON.parse(readFileSync(path.resolve(NODES, file), 'utf8'));
  return new Map(entriesOf(tree, ''));
}

interface Tree {
  readonly [key: string]: string | Tree;
}

function entriesOf(tree: Tree, prefix: string): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[prefix + key, value]] : entriesOf(value, `${prefix}${key}.`),
  );
}
