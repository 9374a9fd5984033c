/** A device that was restarted in the middle of an upload, and sends the file again from another port. */

import { readdirSync, readFileSync } from 'node:fs';
import should = require('should');
import { FolderStorage, type FolderStorageOptions } from '../../src/storage/folder-storage';
import { closeEnginesAfterEach, startServer, type RunningServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { useTempFolder } from '../helpers/temp-folder';
import { data, error, wrq } from '../helpers/wire';

/** A storage that no other thread can make anew, so it is asked where it is. */
class OwnStorage extends FolderStorage {}

describe('TftpServer, an upload that begins anew', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  const temp = useTempFolder();
  const names = (): string[] => readdirSync(temp.path).toSorted();
  const ends = ({ records }: RunningServer): string[] =>
    records
      .filter(({ event }) => event === 'complete' || event === 'error')
      .map(
        ({ event, error: reason }) => `${event} ${reason?.code ?? ''} ${reason?.expected ?? ''}`,
      );

  for (const [where, Kind] of [
    ['a folder', FolderStorage],
    ['a storage of its own', OwnStorage],
  ] as const) {
    for (const overwrite of ['replace', 'refuse'] as const) {
      it(`takes over from the dead try (${overwrite}, ${where})`, async () => {
        const options: FolderStorageOptions = { root: temp.path, overwrite };
        const running = await startServer({ storage: new Kind(options), timeout: 10_000 });
        const { place, record } = running;
        const dead = await ScriptedPeer.bind();
        should(await dead.ask(wrq('sw1.cfg'), place)).equal('ACK 0');
        should(await dead.ask(data(1, 'o'.repeat(512)))).equal('ACK 1');
        const device = await ScriptedPeer.bind();
        should(await device.ask(wrq('sw1.cfg'), place)).equal('ACK 0');
        // Anybody can send a request in the name of another: that alone ends nothing.
        should(await dead.ask(data(2, 'o'.repeat(512)))).equal('ACK 2');
        should(await device.ask(data(1, 'new'))).equal('ACK 1');
        should(await dead.hear()).equal('ERROR 0 The client has begun this upload anew');
        await record('complete');
        should(ends(running).toSorted()).deepEqual(['complete  ', 'error ECANCELED true']);
        should(names()).deepEqual(['sw1.cfg']);
        should(readFileSync(temp.file('sw1.cfg'), 'utf8')).equal('new');
        const third = await ScriptedPeer.bind();
        const answer = overwrite === 'refuse' ? 'ERROR 6 File already exists' : 'ACK 0';
        should(await third.ask(wrq('sw1.cfg'), place)).equal(answer);
        if (overwrite === 'replace') third.send(error(0));
      });
    }
  }

  it('goes on with the first one if the second ends', async () => {
    const running = await startServer({
      storage: new FolderStorage({ root: temp.path }),
      timeout: 10_000,
    });
    const first = await ScriptedPeer.bind();
    should(await first.ask(wrq('a'), running.place)).equal('ACK 0');
    const second = await ScriptedPeer.bind();
    should(await second.ask(wrq('a'), running.place)).equal('ACK 0');
    second.send(error(0, 'no'));
    await running.record('error');
    should(await first.ask(data(1, 'content'))).equal('ACK 1');
    await running.record('complete');
    should(readFileSync(temp.file('a'), 'utf8')).equal('content');
    should(names()).deepEqual(['a']);
  });
});
