/** Names of files with bytes that are not UTF-8: what is served, and what is told of it. */

import { readFileSync, writeFileSync } from 'node:fs';
import should = require('should');
import { FolderStorage } from '../../src/storage/folder-storage';
import { NameRules } from '../../src/server/names/name-rules';
import { nameText } from '../../src/protocol/name-text';
import { closeEnginesAfterEach, startServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { skipWithoutRawNames } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';
import { ack, data } from '../helpers/wire';

/** A request for a name of which each character is a byte. */
const request = (opcode: 1 | 2, name: string) =>
  Buffer.from(`\0${String.fromCharCode(opcode)}${name}\0octet\0`, 'latin1');

describe('TftpServer, names that are not UTF-8', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  const temp = useTempFolder();
  const bytes = (name: string): Buffer => Buffer.from(`${temp.path}/${name}`, 'latin1');
  let peer: ScriptedPeer;
  beforeEach(async function () {
    skipWithoutRawNames(this, temp.path);
    peer = await ScriptedPeer.bind();
  });

  const storage = (): FolderStorage => new FolderStorage({ root: temp.path });

  it('serves the file of exactly these bytes, and shows them', async () => {
    writeFileSync(bytes('netboot\xff'), 'file');
    const { place, record } = await startServer({ storage: storage() });
    should(await peer.ask(request(1, 'netboot\xff'), place)).equal('DATA 1 4 B');
    peer.send(ack(1));
    should(await record('complete')).have.property('filename', 'netboot<FF>');
    should(await peer.ask(request(1, 'netboot\xfe'), place)).equal('ERROR 1 File not found');
    should(await record('error')).have.property('filename', 'netboot<FE>');
  });

  it('stores an upload under exactly these bytes', async () => {
    const { place, record } = await startServer({ storage: storage() });
    should(await peer.ask(request(2, 'caf\xe9'), place)).equal('ACK 0');
    should(await peer.ask(data(1, 'content'))).equal('ACK 1');
    should(await record('complete')).have.property('filename', 'caf<E9>');
    should(readFileSync(bytes('caf\xe9'), 'utf8')).equal('content');
  });

  it('lets rules and patterns see each byte', async () => {
    writeFileSync(temp.file('plain'), 'plain');
    writeFileSync(bytes('own\xff'), 'own');
    const text = nameText(Buffer.from('r ^(plain)\xff$ \\1\n', 'latin1'));
    const { place, record } = await startServer({
      storage: storage(),
      rules: NameRules.parse(text),
      readNames: ['!own?'],
    });
    should(await peer.ask(request(1, 'plain\xff'), place)).equal('DATA 1 5 B');
    peer.send(ack(1));
    const done = await record('complete');
    should(done).have.properties({ filename: 'plain<FF>', servedAs: 'plain' });
    should(await peer.ask(request(1, 'own\xff'), place)).match(/^ERROR 2 /);
  });
});
