/** The files of the import menu, without running them. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import should = require('should');
import { exampleFiles } from '../helpers/examples';
import { overlaps, placeOf, placeOfGroup } from '../helpers/flow-layout';
import { ROOT } from '../helpers/program';
import { loadEditorPage } from './editor-page';
import type { SavedNode } from '../helpers/examples';

const TYPES = ['tftp-server', 'tftp-get', 'tftp-put', 'tftp-response'];
/** What every node has besides its own properties. */
const COMMON = ['id', 'type', 'z', 'g', 'x', 'y', 'wires'];
const { name: PACKAGE }: { name: string } = JSON.parse(
  readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
);

const examples = exampleFiles();
const pages = new Map(TYPES.map((type) => [type, loadEditorPage(type)]));

describe('the files of the examples', () => {
  it('are ten, in the order of the menu', () => {
    const numbers = examples.map(({ title }) => /^(\d\d) - \S/.exec(title)?.[1]);
    should(numbers).deepEqual(examples.map((_, index) => String(index + 1).padStart(2, '0')));
    should(numbers).have.length(10);
  });

  it('have ids that no two nodes share, so that all of them can be imported at once', () => {
    const ids = examples.flatMap(({ nodes }) => nodes.map(({ id }) => id));
    should(ids.filter((id, index) => ids.indexOf(id) !== index)).deepEqual([]);
  });

  it('have ports that need no right and that no two servers share', () => {
    const servers = examples.flatMap(({ nodes }) => nodes.filter(isServer));
    const ports = servers.map(({ port }) => Number(port));
    should(ports.filter((port) => port <= 1023)).deepEqual([]);
    should(new Set(ports).size).equal(ports.length);
  });

  it('use every type of node', () => {
    const used = new Set(examples.flatMap(({ nodes }) => nodes.map(({ type }) => type)));
    should(TYPES.filter((type) => !used.has(type))).deepEqual([]);
  });

  for (const { title, nodes } of examples) {
    describe(`"${title}"`, () => {
      const [note] = nodes;

      it('begins with a comment that gives the steps, a command to try and the ports', () => {
        should(note!.type).equal('comment');
        const info = String(note!['info']);
        should(info).match(/^1\. Deploy\..*$(\n\d\. .+$){2,}/m);
        should(info).match(/\n\n {4}\S.*\n {4}\S.*\n?$/);
        for (const { port } of nodes.filter(isServer)) should(info).containEql(String(port));
      });

      it('says which package it needs, so that the editor can offer to install it', () => {
        const config = nodes.find(({ type }) => type === 'global-config');
        should(Object.keys(Object(config?.['modules']))).deepEqual([PACKAGE]);
      });

      itIsWellMade(nodes);
    });
  }
});

describe('the flow of the demo', () => {
  itIsWellMade(JSON.parse(readFileSync(path.join(ROOT, 'scripts/demo/flow.json'), 'utf8')));
});

/** What holds for every flow that users see. */
function itIsWellMade(nodes: readonly SavedNode[]): void {
  it('has wires, groups and scopes that lead to its own nodes', () => {
    const ids = new Set(nodes.map(({ id }) => id));
    const dangling = nodes.flatMap(referencesOf).filter((id) => !ids.has(id));
    should(dangling).deepEqual([]);
  });

  it('has the properties of our nodes, all of them, with values that their dialogs accept', () => {
    for (const node of nodes.filter(({ type }) => TYPES.includes(type))) {
      const { definition, node: editorNode } = pages.get(node.type)!;
      const own = Object.keys(node).filter((name) => !COMMON.includes(name));
      should(own.toSorted()).deepEqual(Object.keys(definition.defaults).toSorted(), node.id);
      should(node.wires).have.length(Number(node['outputs'] ?? 0), node.id);
      for (const [name, { validate }] of Object.entries(definition.defaults)) {
        const verdict = validate?.call(editorNode({ ...node }), node[name], {}) ?? true;
        should(verdict).equal(true, `${node.id}: ${name}`);
      }
    }
  });

  it('is laid out so that nothing covers anything else', () => {
    const note = nodes.find(({ type }) => type === 'comment')!;
    const groups = nodes.filter(({ type }) => type === 'group').map(placeOfGroup);
    const places = nodes.filter((node) => 'x' in node && node.type !== 'group').map(placeOf);
    should(overlaps(places)).deepEqual([]);
    should(overlaps(groups)).deepEqual([]);
    should(overlaps([placeOf(note), ...groups])).deepEqual([]);
  });

  it('reads from left to right', () => {
    const byId = new Map(nodes.map((node) => [node.id, node]));
    for (const node of nodes) {
      for (const next of (node.wires ?? []).flat()) {
        const { left, width } = placeOf(node);
        const space = placeOf(byId.get(next)!).left - (left + width);
        should(space).be.above(0, `${node.id} → ${next}`);
      }
    }
  });
}

function isServer({ type }: SavedNode): boolean {
  return type === 'tftp-server' || type === 'udp in';
}

/** The ids that a node names: of its wires, tab, group, members, scope and broker. */
function referencesOf(node: SavedNode): string[] {
  const { z, g, nodes, scope, broker } = node;
  const known = node.type.startsWith('mqtt ') ? [z, g, nodes, scope, broker] : [z, g, nodes, scope];
  return [...(node.wires ?? []).flat(), ...known.flat()].filter((id) => typeof id === 'string');
}
