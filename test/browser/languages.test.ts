/** Each language in the editor: no text is missing, none is cut off, no row lies upon another. */

import { readdirSync } from 'node:fs';
import path from 'node:path';
import should = require('should');
import { ROOT } from '../helpers/program';
import { NODE_RED_RELEASES } from '../package/node-red-runtime';
import { namelessFields, rawKeys } from './look';
import { Sidebar } from './sidebar';
import { useWorkplace } from './workplace';
import type { EditorPage } from './editor-page';

const LANGUAGES = readdirSync(path.join(ROOT, 'nodes/locales'));
const TYPES = ['tftp-server', 'tftp-get', 'tftp-put', 'tftp-response'];

/** Milliseconds for all languages. */
const PATIENCE = 120_000;

/** Large enough for a dialog: what is larger takes longer to draw. */
const VIEWPORT = { width: 900, height: 700 };

/** Nodes whose dialogs show all the rows that they have. */
const FLOW = [
  { id: 'tab', type: 'tab', label: 'Flow 1', disabled: true },
  {
    ...{ id: 'tftp-server', type: 'tftp-server', z: 'tab', x: 300, y: 100, port: '6969' },
    ...{ reads: 'both', writes: 'both', access: 'list', allow: ['192.0.2.0/24'] },
    ...{ deny: ['192.0.2.7'], refuseOptions: [{ clients: ['192.0.2.8'], refuse: ['tsize'] }] },
    ...{ transferPorts: 'range', portRange: '50000-50100', events: 'separate', outputs: 7 },
  },
  {
    ...{ id: 'tftp-get', type: 'tftp-get', z: 'tab', x: 300, y: 300, ret: 'file' },
    ...{ events: 'separate', outputs: 5 },
  },
  { id: 'tftp-put', type: 'tftp-put', z: 'tab', x: 300, y: 400, events: 'one', outputs: 2 },
  { id: 'tftp-response', type: 'tftp-response', z: 'tab', x: 300, y: 500, mode: 'error' },
];

for (const release of NODE_RED_RELEASES) {
  describe(`the languages in ${release.title}`, () => {
    const workplace = useWorkplace({ release, flow: () => FLOW });
    const flaws = new Map<string, Flaws>();

    before(async function () {
      this.timeout(PATIENCE);
      const left = [...LANGUAGES];
      // An editor waits for animations half of the time.
      await Promise.all(
        [1, 2].map(async () => {
          const editor = await workplace().visit({ browser: { viewport: VIEWPORT } });
          for (let name = left.shift(); name !== undefined; name = left.shift()) {
            flaws.set(name, await lookAround(editor, name));
          }
        }),
      );
    });

    for (const language of LANGUAGES) {
      it(`${language}: the palette, dialogs, help and sidebar are whole and readable`, () => {
        should(flaws.get(language)).eql({});
      });
    }
  });
}

/** Where something is wrong, and what. */
type Flaws = Readonly<Record<string, readonly string[]>>;

async function lookAround(editor: EditorPage, language: string): Promise<Flaws> {
  await editor.speak(language);
  const flaws: Record<string, string[]> = {};
  for (const type of TYPES) {
    const dialog = await editor.openDialog(type);
    await dialog.openSections();
    flaws[type] = await dialog.flaws();
    await dialog.cancel();
    const help = await editor.help(type);
    if (/__\w+__|<!--/.test(help) || !help.includes('<p>')) flaws[`help of ${type}`] = [help];
  }
  const { area } = await Sidebar.open(editor.page);
  flaws['palette'] = await editor.paletteArea.evaluate(rawKeys);
  flaws['sidebar'] = [...(await area.evaluate(rawKeys)), ...(await area.evaluate(namelessFields))];
  return Object.fromEntries(Object.entries(flaws).filter(([, found]) => found.length > 0));
}
