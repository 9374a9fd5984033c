/** The sidebar's page: its texts, its colours, and what it must never do. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import should = require('should');
import { loadSidebarPage } from './sidebar-page';

const { scripts, styles, catalogue, sidebar } = loadSidebarPage();

/** Keys that are put together, with all that can be put in. */
const COMPOSED: Readonly<Record<string, readonly string[]>> = {
  head: ['down', 'up'],
  row: ['down', 'up'],
  filter: sidebar.filter.CHOICES,
  'filter.by': ['node', 'outcome'],
  counter: sidebar.filter.CHOICES.filter((choice) => choice !== 'all'),
  heading: ['running', 'finished'],
  outcome: ['completed', 'failed', 'probe', 'expected', 'cancelled'],
  cancel: ['forbidden', 'over', 'lost'],
  column: ['icon', 'file', 'peer', 'state', 'rate', 'time', 'age', 'resent', 'action'],
  'direction.server': ['read', 'write'],
  'direction.client': ['read', 'write'],
  notice: [
    ...['retry', 'clear', 'examples', 'loading.title'],
    ...['lost', 'forbidden', 'missing', 'noNodes', 'nothing', 'filtered'].flatMap((name) => [
      `${name}.title`,
      `${name}.text`,
    ]),
  ],
};

describe('the page of the sidebar', () => {
  it('registers its plugin under the name that package.json gives', () => {
    scripts.should.containEql("RED.plugins.registerPlugin('tftp-sidebar', {");
  });

  it('finds each text that it asks for, and asks for each text', () => {
    const written = [...scripts.matchAll(/\btext\(\s*'([\w.]+)'/g)].map(([, key]) => key!);
    const chosen = [...scripts.matchAll(/'((?:announce|details|fact|cancel)\.\w+)'/g)].map(
      ([, key]) => key!,
    );
    const facts = [...scripts.matchAll(/\badd\('(\w+)',/g)].map(([, name]) => `fact.${name}`);
    const composed = Object.entries(COMPOSED).flatMap(([group, names]) =>
      names.map((name) => `${group}.${name}`),
    );
    const asked = new Set([...written, ...chosen, ...facts, ...composed]);
    const present = [...catalogue.keys()]
      .map((key) => key.replace('tftp-sidebar.', ''))
      .filter((key) => !key.startsWith('tftp.') && !key.startsWith('diagnosis.'));
    should([...asked].sort()).deepEqual(present.sort());
  });

  it('has sentences for the diagnosis', () => {
    const sentences = [...catalogue.keys()].filter((key) =>
      key.startsWith('tftp-sidebar.diagnosis.'),
    );
    sentences.length.should.be.above(20);
  });

  it('never reads text as markup: names of files come from the network', () => {
    scripts.should.not.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser/);
    scripts.should.not.match(/\.html\(|\$\(\s*[`'"]\s*</);
  });

  it('asks for addresses that are relative, and works below any root', () => {
    scripts.should.not.match(/['"`]\/tftp/);
    for (const [, url] of scripts.matchAll(/url: '([^']+)'/g)) url!.should.startWith('tftp/');
  });

  it('takes its colours from the editor, and has one in hand where a theme lacks it', () => {
    const uses = [...styles.matchAll(/var\(--red-ui-([\w-]+)(,\s*[^)]+)?\)/g)];
    uses.length.should.be.above(20);
    should(uses.filter(([, , fallback]) => fallback === undefined).map(String)).deepEqual([]);
    const rest = styles.replace(/var\(--red-ui-[^)]+\)/g, '').replace(/\/\*[\s\S]*?\*\//g, '');
    rest.should.not.match(/#[0-9a-f]{3,8}\b(?=[;\s])|\b(?:rgb|hsl)a?\(/i);
  });

  for (const name of ['node-red', 'node-red-4']) {
    it(`uses variables of the style sheet that ${name} has`, () => {
      const sheet = readFileSync(styleSheetOf(name), 'utf8');
      const names = new Set([...styles.matchAll(/--red-ui-[\w-]+/g)].map(([variable]) => variable));
      const missing = [...names].filter((variable) => !sheet.includes(`${variable}:`));
      should(missing).deepEqual([]);
    });
  }
});

function styleSheetOf(name: string): string {
  const nodeRed = createRequire(require.resolve(`${name}/package.json`));
  const client = path.dirname(nodeRed.resolve('@node-red/editor-client/package.json'));
  return path.join(client, 'public', 'red', 'style.min.css');
}
