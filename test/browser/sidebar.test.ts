/** The sidebar beside a flow that transfers: below another address, and behind a login. */

import should = require('should');
import { freePort } from '../helpers/scripted-peer';
import { NODE_RED_RELEASES } from '../package/node-red-runtime';
import { namelessFields, rawKeys } from './look';
import { PacedServer } from './paced-server';
import { Sidebar } from './sidebar';
import { useWorkplace } from './workplace';
import type { EditorPage } from './editor-page';

/** The hash of `tftp`, by bcrypt. */
const PASSWORD = '$2b$04$e4kAaqHPeXz2fkyeQZocPus42sikda6.Huyep2ECpHVxQ0ieL5nQa';
const SETTINGS = {
  httpAdminRoot: '/red',
  adminAuth: {
    type: 'credentials',
    users: [
      { username: 'operator', password: PASSWORD, permissions: '*' },
      { username: 'guest', password: PASSWORD, permissions: 'read' },
    ],
  },
};

for (const release of NODE_RED_RELEASES) {
  describe(`the sidebar in ${release.title}`, () => {
    let remote: PacedServer;
    let port: number;
    let editor: EditorPage;
    let sidebar: Sidebar;

    before(async () => {
      remote = await PacedServer.listen();
      port = await freePort();
    });
    after(() => remote?.close());

    const workplace = useWorkplace({
      release,
      settings: SETTINGS,
      flow: (directory) => {
        directory.write('tftp/sw1.cfg', 'hostname sw1\n');
        return flowOf({ remote: remote.port, port, root: directory.file('tftp') });
      },
    });

    async function logIn(username: string): Promise<EditorPage> {
      return workplace().visit({ path: '/red/', credentials: { username, password: 'tftp' } });
    }

    before(async () => {
      editor = await logIn('operator');
      sidebar = await Sidebar.open(editor.page);
    });

    it('follows a transfer to its end', async () => {
      await editor.press('push');
      await sidebar.moves('slow.bin', 0);
      const before = await sidebar.progress('slow.bin');
      remote.half();
      await sidebar.moves('slow.bin', before);
      remote.rest();
      await sidebar.row('slow.bin', 'completed').waitFor();
      await editor.status('get', '1.0 MB');
    });

    it('cancels a transfer after a question', async () => {
      remote.pause();
      await editor.press('push');
      await sidebar.moves('slow.bin', 0);
      await sidebar.cancel('slow.bin');
      await sidebar.row('slow.bin', 'cancelled').waitFor();
      await editor.status('get', 'cancelled');
    });

    it('lets those look on who may only read', async () => {
      const guest = await logIn('guest');
      const shown = await Sidebar.open(guest.page);
      await editor.press('push');
      await shown.moves('slow.bin', 0);
      await shown.cancel('slow.bin');
      await guest.notification('tftp.write');
      await shown.row('slow.bin', 'running').waitFor();
      remote.rest();
      await shown.row('slow.bin', 'running').waitFor({ state: 'detached' });
      await guest.close();
    });

    it('tells why a transfer failed, in readable words', async () => {
      await editor.press('miss');
      const details = await sidebar.unfold('missing.cfg', 'failed');
      (await details.innerText()).should.match(/file not found/i);
      for (const look of [rawKeys, namelessFields]) {
        should(await sidebar.area.evaluate(look)).eql([]);
      }
    });
  });
}

/** Two inject nodes: one fetches from a slow server, the other one what is missing in our own. */
function flowOf({ remote, port, root }: { remote: number; port: number; root: string }): object[] {
  const tab = { id: 'tab', type: 'tab', label: 'Flow 1' };
  const inject = { type: 'inject', z: 'tab', props: [], repeat: '', once: false };
  const get = { type: 'tftp-get', z: 'tab', host: '127.0.0.1', outputs: 2, wires: [[], []] };
  return [
    tab,
    { ...inject, id: 'push', name: 'push', x: 120, y: 100, wires: [['get']] },
    { ...get, id: 'get', port: String(remote), filename: 'slow.bin', x: 320, y: 100 },
    { ...inject, id: 'miss', name: 'miss', x: 120, y: 200, wires: [['get2']] },
    { ...get, id: 'get2', port: String(port), filename: 'missing.cfg', x: 320, y: 200 },
    {
      ...{ id: 'server', type: 'tftp-server', z: 'tab', x: 320, y: 300, root },
      ...{ address: '127.0.0.1', port: String(port), outputs: 2, wires: [[], []] },
    },
  ];
}
