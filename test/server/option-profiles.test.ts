import should = require('should');
import { OptionProfiles } from '../../src/server/option-profiles';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { closeEnginesAfterEach, startServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ack, error, rrq, wrq } from '../helpers/wire';

const storage = new MemoryStorage([['f', Buffer.alloc(2000)]]);
const ALL = ['blksize', '1024', 'tsize', '0', 'windowsize', '4', 'timeout', '9'];

describe('options that some clients are refused', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();

  for (const [refuse, first] of [
    ['all-but-tsize', 'OACK tsize 2000'],
    [['blksize', 'Windowsize '], 'OACK tsize 2000 timeout 9'],
    [['tsize', 'blksize', 'windowsize', 'timeout'], 'DATA 1 512 B'],
    [[], 'OACK blksize 1024 tsize 2000 windowsize 4 timeout 9'],
  ] as const) {
    it(`${JSON.stringify(refuse)}: ${first}`, async () => {
      const profiles = [{ clients: ['127.0.0.0/8'], refuse }];
      const { place } = await startServer({ storage, profiles, timeout: 1000 });
      const peer = await ScriptedPeer.bind();
      should(await peer.ask(rrq('f', ...ALL), place)).equal(first);
      if (first.startsWith('OACK')) should(await peer.ask(ack(0))).startWith('DATA 1 ');
      peer.send(error(0));
    });
  }

  it('holds for writes and for these clients only', async () => {
    const profiles = [{ clients: ['127.0.0.2'], refuse: ['blksize'] }];
    const { place } = await startServer({ storage, profiles, address: '127.0.0.1' });
    const peer = await ScriptedPeer.bind();
    should(await peer.ask(wrq('new', 'blksize', '8'), place)).equal('OACK blksize 8');
    peer.send(error(0));
  });

  it('adds up what the profiles of a client refuse', () => {
    const profiles = new OptionProfiles([
      { clients: ['192.0.2.0/24'], refuse: ['blksize'] },
      { clients: ['192.0.2.1'], refuse: ['tsize'] },
    ]);
    const asked = ['blksize', 'tsize', 'timeout'].map((name) => ({ name, value: '9' }));
    const granted = (address: string): string[] =>
      profiles.grantable(asked, address).map(({ name }) => name);
    should(granted('192.0.2.1')).eql(['timeout']);
    should(granted('192.0.2.2')).eql(['tsize', 'timeout']);
    should(granted('198.51.100.1')).eql(['blksize', 'tsize', 'timeout']);
  });

  for (const [profile, text] of [
    [{ clients: ['home'], refuse: [] }, /home is no network/],
    [{ clients: [], refuse: ['blocksize'] }, /blocksize is no option: name some of blksize, /],
  ] as const) {
    it(`refuses ${JSON.stringify(profile)}`, () => {
      should(() => new OptionProfiles([profile])).throw(text, { code: 'EINVAL' });
    });
  }
});
