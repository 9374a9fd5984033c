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
    let editor: EditorPage;

    before(async () => {
      editor = await workplace().visit();
    });

    for (const language of LANGUAGES) {
      it(`${language}: the palette, dialogs, help and sidebar are whole and readable`, async () => {
        await editor.speak(language);
        const flaws: Record<string, string[]> = {};
        for (const type of TYPES) {
          const dialog = await editor.openDialog(type);
          await dialog.openSections();
          flaws[type] = await dialog.flaws();
          await dialog.cancel();
          (await editor.help(type)).should.not.match(/__\w+__|<!--/);
        }
        flaws['palette'] = await editor.paletteArea.evaluate(rawKeys);
        const { area } = await Sidebar.open(editor.page);
        flaws['sidebar'] = [
          ...(await area.evaluate(rawKeys)),
          ...(await area.evaluate(namelessFields)),
        ];
        const found = Object.entries(flaws).filter(([, list]) => list.length > 0);
        should(Object.fromEntries(found)).eql({});
      });
    }
  });
}
