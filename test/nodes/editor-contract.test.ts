/** The editor's side of each node against its catalogue, its help, and what its runtime reads. */

import { readFileSync, readdirSync } from 'node:fs';
import * as path from 'node:path';
import should = require('should');
import {
  TFTP_GET_DEFAULTS,
  TFTP_PUT_DEFAULTS,
  TFTP_RESPONSE_DEFAULTS,
  TFTP_SERVER_DEFAULTS,
} from '../../src/node-red/node-config';
import { TFTP_ERROR_CODES } from '../../src/protocol/errors';
import { DEVICE_PROFILES } from '../../src/server/device-profiles';
import { loadEditorPage, readIcon } from './editor-page';
import { OTHER_SETTINGS, RIGHT_VALUES, WRONG_VALUES } from './editor-values';
import type { EditorPage } from './editor-page';

const REPOSITORY = path.resolve(__dirname, '../../..');

const RUNTIME_DEFAULTS: Record<string, object> = {
  'tftp-server': TFTP_SERVER_DEFAULTS,
  'tftp-get': TFTP_GET_DEFAULTS,
  'tftp-put': TFTP_PUT_DEFAULTS,
  'tftp-response': TFTP_RESPONSE_DEFAULTS,
};

const CLIENT_PROPERTIES = ['host', 'port', 'filename', 'url', 'tftpOptions', 'reset', 'tftp'];

/** What the help of each node must tell of. */
const MESSAGE_PROPERTIES: Record<string, readonly string[]> = {
  'tftp-server': [
    ...['payload', 'topic', 'filename', 'ip', 'port', 'path', 'event', 'tftp'],
    ...['action', 'id', 'host', 'mode', 'options', '_session'],
  ],
  'tftp-get': [...CLIENT_PROPERTIES, 'localFilename', 'sha256', 'md5', 'parts', 'payload', 'event'],
  'tftp-put': [...CLIENT_PROPERTIES, 'localFilename', 'payload', 'event'],
  'tftp-response': ['_session', 'payload', 'localFilename', 'serve', 'tftpError'],
};

/** Properties that the page keeps in lists; the editor keeps the version. */
const LISTS = ['allow', 'deny', 'refuseOptions', 'expectedSets'];
const WITHOUT_FIELD = ['version', ...LISTS];

/** A reason is a sentence, not a word. */
const REASON_LENGTH = 20;

for (const type of Object.keys(RUNTIME_DEFAULTS)) {
  describe(`${type} in the editor`, () => {
    const page = loadEditorPage(type);
    const { definition } = page;

    it('is registered with literals, which tools read without running the page', () => {
      page.registration.should.containEql(`RED.nodes.registerType('${type}', {`);
      for (const literal of [
        "category: 'network'",
        "color: '#3FADB5'",
        `icon: '${type}.svg'`,
        `inputs: ${definition.inputs}`,
        `outputs: ${definition.outputs}`,
      ]) {
        page.registration.should.containEql(`    ${literal},\n`);
      }
      page.scripts.should.not.match(/\bimport\b/);
    });

    it('has the properties and defaults that the runtime reads', () => {
      const saved = Object.entries(definition.defaults)
        .filter(([name]) => !['name', 'outputs'].includes(name))
        .map(([name, { value }]) => [name, plain(value)]);
      should(Object.fromEntries(saved)).deepEqual(RUNTIME_DEFAULTS[type]);
      should(definition.defaults.outputs?.value ?? 0).equal(definition.outputs);
    });

    it('has a field for each property and a property for each field', () => {
      const properties = Object.keys(definition.defaults).filter(
        (name) => !WITHOUT_FIELD.includes(name),
      );
      fieldsOf(page).sort().should.deepEqual(properties.sort());
      for (const list of LISTS.filter((name) => name in definition.defaults)) {
        page.dialog.should.match(
          new RegExp(
            `id="node-input-${list}-container"[^>]*\\saria-labelledby="tftp-${list}-label"`,
          ),
        );
        page.dialog.should.containEql(`id="tftp-${list}-label"`);
      }
    });

    it('has a label for each field that can be seen', () => {
      for (const [, tag = ''] of page.dialog.matchAll(/(<(?:input|select|textarea)\s[^>]*>)/g)) {
        if (tag.includes('type="hidden"')) continue;
        const id = /id="([^"]+)"/.exec(tag)?.[1] ?? '';
        page.dialog.should.containEql(`for="${id}"`);
      }
    });

    it('shows and hides rows by properties and choices that exist', () => {
      for (const [, condition = ''] of page.dialog.matchAll(/data-show-if="([^"]+)"/g)) {
        for (const [, name = '', values = ''] of condition.matchAll(/(\w+)=(\S+)/g)) {
          values.split(',').forEach((value) => choicesOf(page, name).should.containEql(value));
        }
      }
    });

    it('offers the default among the choices', () => {
      for (const [, name = ''] of page.dialog.matchAll(/<select id="node-input-(\w+)"/g)) {
        choicesOf(page, name).should.containEql(definition.defaults[name]?.value);
      }
    });

    it('finds its defaults right, but for a folder that is not yet chosen', () => {
      const wrong = Object.keys(definition.defaults).filter(
        (name) => check(page, name, definition.defaults[name]?.value, {}) !== true,
      );
      wrong.should.deepEqual(type === 'tftp-server' ? ['root'] : []);
    });

    for (const [name, values] of Object.entries(WRONG_VALUES[type] ?? {})) {
      it(`says why a wrong ${name} cannot be used`, () => {
        should(definition.defaults[name]?.validate).have.length(2);
        for (const value of values) {
          const reason = check(page, name, value);
          should(typeof reason).equal('string', `${name} accepts ${JSON.stringify(value)}`);
          String(reason).length.should.be.above(REASON_LENGTH);
          String(reason).should.not.match(/__|undefined/);
        }
      });
    }

    it('accepts what can be used', () => {
      for (const [name, values] of Object.entries(RIGHT_VALUES)) {
        if (!(name in definition.defaults)) continue;
        for (const value of values) {
          should(check(page, name, value)).equal(true, `${name}: ${JSON.stringify(value)}`);
        }
      }
    });

    it('names each output, whatever is chosen for the events', () => {
      should(definition.align).equal(definition.outputs === 0 ? 'right' : undefined);
      if (definition.outputs === 0) return;
      const kinds = ['start', 'progress', 'complete', 'error'];
      if (type === 'tftp-server') kinds.push('probe');
      const labels = { none: [], one: ['events'], separate: kinds };
      for (const [events, expected] of Object.entries(labels)) {
        const node = page.node({ events, outputs: 1 + expected.length });
        should(definition.outputLabels!.call(node, 0)).be.a.String();
        expected.forEach((label, index) => {
          should(definition.outputLabels!.call(node, index + 1)).equal(label);
        });
        should(definition.outputLabels!.call(node, expected.length + 1)).be.undefined();
      }
    });

    if (type === 'tftp-server') {
      it('offers each device that has a profile', () => {
        const boxes = [...page.dialog.matchAll(/id="tftp-expected-([\w-]+)"\s+value="\1"/g)];
        const sets = boxes.map((match) => match[1] ?? '');
        should(sets.sort()).deepEqual(Object.keys(DEVICE_PROFILES).sort());
      });

      it('has the requests that the flow answers at its last output', () => {
        for (const [events, outputs] of [
          ['none', 2],
          ['one', 3],
          ['separate', 7],
        ] as const) {
          for (const reads of ['flow', 'both']) {
            const node = page.node({ events, reads, outputs });
            should(definition.outputLabels!.call(node, outputs - 1)).equal('read request');
            should(definition.outputLabels!.call(node, outputs)).be.undefined();
          }
        }
      });
    }

    it('is labelled by its name, else by what it does', () => {
      const named = page.node({ name: 'my node' });
      definition.label.call(named).should.equal('my node');
      definition.labelStyle.call(named).should.equal('node_label_italic');
      definition.labelStyle.call(page.node()).should.equal('');
      definition.paletteLabel.call(page.node()).should.equal(type.replace('-', ' '));
      const bare = Object.keys(definition.defaults).map((name) => [name, undefined]);
      definition.label.call(page.node(Object.fromEntries(bare))).should.not.match(/undefined/);
      if (definition.inputs > 0) should(definition.inputLabels?.call(page.node())).be.a.String();
    });

    it('has an icon: white, 40 x 60', () => {
      const icon = readIcon(definition.icon);
      icon.should.containEql('viewBox="0 0 40 60"');
      const colours = [...icon.matchAll(/(?:fill|stroke)="(#\w+)"/g)].map((match) => match[1]);
      should([...new Set(colours)]).deepEqual(['#fff']);
    });

    it('has help that begins with a tooltip and tells of each message property', () => {
      page.help.should.match(
        new RegExp(`^<script type="text/html" data-help-name="${type}">\\s*<p>`),
      );
      page.help.should.not.containEql('<!--');
      const sections = definition.outputs > 0 ? ['Outputs'] : [];
      for (const heading of [...sections, 'Details', 'References']) {
        page.help.should.containEql(`<h3>${heading}</h3>`);
      }
      const terms = [...page.help.matchAll(/<dt[^>]*>([^<]+)/g)].map((match) => match[1] ?? '');
      const described = new Set(terms.join(',').split(/[,\s]+/));
      for (const property of MESSAGE_PROPERTIES[type] ?? []) {
        should(described.has(property)).equal(true, `the help does not tell of msg.${property}`);
      }
      if (definition.outputs === 0) return;
      for (const code of errorCodes()) page.help.should.containEql(`<code>${code}</code>`);
      for (const field of recordFields()) should(described.has(field)).equal(true, field);
    });

    it('calls the fields in its help what the dialog calls them', () => {
      const labels = new Set(page.catalogue.values());
      for (const [, label = ''] of page.help.matchAll(/<b>([^<]+)<\/b>/g)) {
        const unit = / \([^)]*\)$/;
        const known = [...labels].some((text) => text.replace(unit, '') === oneLine(label));
        known.should.equal(true, `no field is called ${label}`);
      }
    });

    it('uses no colour of its own and no absolute address', () => {
      `${page.dialog}${page.scripts}`.should.not.match(/(?:src|url|href)\s*[=:(]\s*['"]?\//);
      page.dialog.should.not.match(/#[0-9a-f]{3,8}\b|rgba?\(/i);
    });
  });
}

describe('the catalogues of the nodes', () => {
  const pages = Object.keys(RUNTIME_DEFAULTS).map((type) => loadEditorPage(type));
  const runtime = ['nodes', 'src/node-red']
    .map(readScripts)
    .join('\n')
    // Permissions look like keys.
    .replaceAll(/\btftp\.(?:read|write)\b/g, '');

  it('have every text that a dialog asks for', () => {
    for (const page of pages) {
      for (const key of keysIn(page.dialog)) {
        should(page.catalogue.has(key)).equal(true, `${page.type}: ${key}`);
      }
    }
  });

  it('have every text that the runtime asks for', () => {
    for (const key of [...keysIn(runtime), ...statusKeys()]) {
      const holders = pages.filter((page) => page.catalogue.has(key));
      should(holders.length).be.above(0, `no catalogue has ${key}`);
    }
  });

  it('have no text that nothing asks for', () => {
    pages.forEach(exerciseLabels);
    const used = new Set([...keysIn(runtime), ...statusKeys()]);
    for (const page of pages) {
      for (const key of [...keysIn(page.dialog), ...keysIn(page.scripts), ...page.askedKeys]) {
        used.add(key);
      }
    }
    const unused = pages.flatMap((page) =>
      [...page.catalogue.keys()].filter((key) => !used.has(key)),
    );
    should([...new Set(unused)]).deepEqual([]);
  });

  it('keep what is shown below a node short', () => {
    const values = { count: 500, active: 5, queued: 99, attempt: 2, retries: 6, port: 1023 };
    for (const [key, text] of pages[0]?.catalogue ?? []) {
      if (!/^tftp\.(status|reason)\./.test(key)) continue;
      const filled = text.replace(/__(\w+)__/g, (_, name: keyof typeof values) =>
        String(values[name]),
      );
      filled.length.should.be.below(20, filled);
    }
  });
});

/** Calls all that gives a text, with all choices, so that the page's `askedKeys` are complete. */
function exerciseLabels(page: EditorPage): void {
  const { definition } = page;
  for (const ret of choicesOf(page, 'ret')) {
    for (const action of ['get', 'stat'])
      definition.outputLabels?.call(page.node({ ret, action }), 0);
  }
  for (const events of ['one', 'separate']) {
    for (let index = 0; index < 7; index++) {
      definition.outputLabels?.call(page.node({ events, reads: 'flow' }), index);
    }
  }
  for (const [name, values] of Object.entries(WRONG_VALUES[page.type] ?? {})) {
    values.forEach((value) => check(page, name, value));
  }
}

function check(
  page: EditorPage,
  name: string,
  value: unknown,
  settings = OTHER_SETTINGS[name],
): unknown {
  const node = page.node({ ...settings, [name]: value });
  const validate = page.definition.defaults[name]?.validate;
  return validate === undefined ? true : validate.call(node, value, {});
}

function fieldsOf(page: EditorPage): string[] {
  return [...page.dialog.matchAll(/<(?:input|select|textarea)\s[^>]*id="node-input-(\w+)"/g)].map(
    (match) => match[1] ?? '',
  );
}

function choicesOf(page: EditorPage, name: string): string[] {
  const select = new RegExp(`<select id="node-input-${name}">([\\s\\S]*?)</select>`);
  const options = select.exec(page.dialog)?.[1] ?? '';
  return [...options.matchAll(/value="([^"]*)"/g)].map((match) => match[1] ?? '');
}

function keysIn(text: string): string[] {
  return [...text.matchAll(/['"`\]:](tftp(?:-\w+)?(?:\.\w+)+)['"`;]/g)].map(
    (match) => match[1] ?? '',
  );
}

function readScripts(folder: string): string {
  return readdirSync(path.join(REPOSITORY, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(REPOSITORY, folder, name), 'utf8'))
    .join('\n');
}

/** All codes that an error can have, from the type itself. */
function errorCodes(): string[] {
  const source = readFileSync(path.join(REPOSITORY, 'src/protocol/errors.ts'), 'utf8');
  const union = /export type TftpErrorCode =([\s\S]*?);/.exec(source)?.[1] ?? '';
  return [...union.matchAll(/'(E\w+)'/g)].map((match) => match[1] ?? '');
}

/** The keys of all texts that the runtime shows below a node, from the type itself. */
function statusKeys(): string[] {
  const source = readFileSync(path.join(REPOSITORY, 'src/node-red/status.ts'), 'utf8');
  const union = /export type StatusKey =([\s\S]*?);/.exec(source)?.[1] ?? '';
  const [statuses = ''] = /status\.[^`]*/.exec(union) ?? [];
  const reasons = [...TFTP_ERROR_CODES, 'flow'].map((code) => `tftp.reason.${code}`);
  return [
    ...[...statuses.matchAll(/'(\w+)'/g)].map((match) => `tftp.status.${match[1]}`),
    ...reasons,
  ];
}

/** All fields of a transfer record, from the type itself. */
function recordFields(): string[] {
  const source = readFileSync(path.join(REPOSITORY, 'src/net/transfer-record.ts'), 'utf8');
  const body = /export interface TransferRecord \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? '';
  return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map((match) => match[1] ?? '');
}

/** A value from another realm, as this realm's equal. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
