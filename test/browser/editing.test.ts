/** The editor as a person uses it: nodes come from the palette, flows are drawn, deployed and used. */

import 'should';
import { freePort } from '../helpers/scripted-peer';
import { NODE_RED_RELEASES } from '../package/node-red-runtime';
import { useWorkplace } from './workplace';
import type { EditorPage } from './editor-page';

const TYPES = ['tftp-server', 'tftp-get', 'tftp-put', 'tftp-response'];
const CONTENT = 'hostname sw1\n';

for (const release of NODE_RED_RELEASES) {
  describe(`the editor of ${release.title}`, () => {
    const workplace = useWorkplace({
      release,
      flow: (directory) => {
        directory.write('tftp/sw1.cfg', CONTENT);
        return [
          { id: 'tab', type: 'tab', label: 'Flow 1' },
          { id: 'bare', type: 'tftp-get', z: 'tab', x: 700, y: 500, wires: [[], []] },
        ];
      },
    });
    let editor: EditorPage;

    beforeEach(async () => {
      editor = await workplace().visit();
    });
    afterEach(() => editor.close());

    it('has each node in the palette, to be dragged out, and a dialog for it', async () => {
      for (const [index, type] of TYPES.entries()) {
        const id = await editor.drag(type, 300, 100 + 80 * index);
        const dialog = await editor.openDialog(id);
        (await dialog.title()).should.containEql(type.replace('-', ' '));
        await dialog.openSections();
        const fields = await dialog.visibleFields();
        (await dialog.tabThrough()).should.eql(fields);
        await dialog.cancel();
      }
    });

    it('says what a field may hold, in the dialog and on the node', async () => {
      const id = await editor.drag('tftp-server', 300, 200);
      await editor.triangle(id).waitFor();
      const dialog = await editor.openDialog(id);
      await dialog.marked('root', true);
      (await dialog.reason('root')).should.match(/^Folder: give the folder/);
      await dialog.fill('root', '/srv/tftp');
      await dialog.marked('root', false);
      await dialog.fill('port', '65536');
      await dialog.marked('port', true);
      (await dialog.reason('port')).should.match(/^Port: give a whole number from 1 to 65535/);
      await dialog.save();
      await editor.triangle(id).hover();
      (await editor.tooltip()).should.match(/Port: give a whole number from 1 to 65535/);
      const again = await editor.openDialog(id);
      await again.fill('port', '6969');
      await again.marked('port', false);
      await again.save();
      await editor.triangle(id).waitFor({ state: 'hidden' });
    });

    it('shows the defaults of what a flow does not say', async () => {
      const dialog = await editor.openDialog('bare');
      (await dialog.field('action').inputValue()).should.equal('get');
      (await dialog.field('ret').inputValue()).should.equal('bin');
      await dialog.openSections();
      (await dialog.field('windowsize').inputValue()).should.equal('16');
      (await dialog.field('tsize').isChecked()).should.be.true();
      await dialog.marked('concurrency', false);
      await dialog.cancel();
    });

    it('names the node that has the same port, while one types', async () => {
      await editor.drag('tftp-server', 300, 200);
      const second = await editor.drag('tftp-server', 300, 300);
      const dialog = await editor.openDialog(second);
      await dialog.portTaken.waitFor();
      (await dialog.portTaken.innerText()).should.match(/^The node tftp :69 has port 69 too\./);
      await dialog.field('port').fill(String(await freePort()));
      await dialog.portTaken.waitFor({ state: 'hidden' });
      await dialog.cancel();
    });

    it('draws, deploys and uses a flow, whose nodes tell below them how it goes', async () => {
      const port = String(await freePort());
      const server = await editor.drag('tftp-server', 300, 100);
      const get = await editor.drag('tftp-get', 500, 300);
      const inject = await editor.drag('inject', 200, 300);
      await editor.wire(inject, get);
      const serverDialog = await editor.openDialog(server);
      await serverDialog.fill('root', workplace().directory.file('tftp'));
      await serverDialog.fill('port', port);
      await serverDialog.save();
      const getDialog = await editor.openDialog(get);
      await getDialog.fill('host', '127.0.0.1');
      await getDialog.fill('port', port);
      await getDialog.fill('filename', 'sw1.cfg');
      await getDialog.save();
      await editor.deploy();
      await editor.status(server, port);
      await editor.press(inject);
      await editor.status(get, `${CONTENT.length} B`);
    });
  });
}
