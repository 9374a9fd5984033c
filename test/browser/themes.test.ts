/** Light and dark: every text of the dialogs and of the sidebar can be read. */

import should = require('should');
import { freePort } from '../helpers/scripted-peer';
import { NODE_RED_RELEASES } from '../package/node-red-runtime';
import { faintTexts } from './look';
import { Sidebar } from './sidebar';
import { useWorkplace } from './workplace';
import type { EditorPage, Theme } from './editor-page';

const TYPES = ['tftp-server', 'tftp-get', 'tftp-put', 'tftp-response'];
const THEMES: readonly Theme[] = ['light', 'dark'];

for (const release of NODE_RED_RELEASES) {
  describe(`the themes in ${release.title}`, () => {
    let port: number;
    let editor: EditorPage;

    before(async () => {
      port = await freePort();
    });
    const workplace = useWorkplace({ release, flow: () => flowOf(String(port)) });
    before(async () => {
      editor = await workplace().visit();
    });

    for (const theme of THEMES) {
      describe(theme, () => {
        before(() => editor.wear(theme));

        for (const type of TYPES) {
          it(`${type}: the dialog can be read`, async () => {
            const dialog = await editor.openDialog(type);
            await dialog.openSections();
            const faint = await dialog.form.evaluate(faintTexts);
            await dialog.cancel();
            should(faint).eql([]);
          });
        }

        it('the sidebar can be read, with what it tells of a failure', async () => {
          const sidebar = await Sidebar.open(editor.page);
          await editor.press('ask');
          await sidebar.unfold('missing.cfg', 'failed');
          const faint = await sidebar.area.evaluate(faintTexts);
          await sidebar.fold();
          should(faint).eql([]);
        });
      });
    }
  });
}

/** Dialogs that show all rows, with tips; one node asks another one for a file that is missing. */
function flowOf(port: string): object[] {
  const ours = { z: 'tab', x: 300, host: '127.0.0.1', port, wires: [[], []] };
  return [
    { id: 'tab', type: 'tab', label: 'Flow 1' },
    { id: 'ask', type: 'inject', z: 'tab', x: 100, y: 200, props: [], wires: [['tftp-get']] },
    {
      ...{ ...ours, id: 'tftp-server', type: 'tftp-server', y: 100, address: '127.0.0.1' },
      ...{ reads: 'both', writes: 'message', root: '.', access: 'list', allow: ['127.0.0.0/8'] },
      ...{ responseTimeout: '1', outputs: 3, wires: [[], [], ['tftp-response']] },
    },
    { ...ours, id: 'tftp-get', type: 'tftp-get', y: 200, filename: 'missing.cfg', outputs: 2 },
    { ...ours, id: 'tftp-put', type: 'tftp-put', y: 300, outputs: 2 },
    { id: 'tftp-response', type: 'tftp-response', z: 'tab', x: 500, y: 100, mode: 'error' },
  ];
}
