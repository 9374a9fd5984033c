import should = require('should');
import { LocalError } from '../../../src/protocol/errors';
import { NameRules } from '../../../src/server/names/name-rules';
import { MemoryStorage } from '../../../src/storage/memory-storage';
import type { Storage, StorageRequest } from '../../../src/storage/storage';
import { clientFor, closeEnginesAfterEach, failureOf, startServer } from '../../helpers/engine';

describe('TftpServer with name rules', () => {
  closeEnginesAfterEach();
  let storage: MemoryStorage;
  beforeEach(() => {
    storage = new MemoryStorage([
      ['pub/phone.cfg', Buffer.from('phone')],
      ['7F000001/own.cfg', Buffer.from('own')],
      ['default/own.cfg', Buffer.from('not own')],
      ['default/other.cfg', Buffer.from('other')],
    ]);
  });

  function start(text: string, own: Storage = storage) {
    return startServer({ storage: own, rules: NameRules.parse(text), progressInterval: 0 });
  }

  it('looks up the mapped name of a read, and tells both names', async () => {
    const { place, record } = await start('r ^ pub/\nr (.*) \\L\\1');
    const { data } = await clientFor(place).get('PHONE.CFG');
    data.toString().should.equal('phone');
    const names = { filename: 'PHONE.CFG', servedAs: 'pub/phone.cfg' };
    (await record('start')).should.match(names);
    (await record('complete')).should.match(names);
  });

  it('gives the name to the rules as the client sent it', async () => {
    const { place } = await start('a ^/ With\\ a\\ slash\nrg \\\\ /');
    (await clientFor(place).get('pub\\phone.cfg')).data.toString().should.equal('phone');
    (await failureOf(clientFor(place).get('/pub/phone.cfg'))).message.should.equal('With a slash');
  });

  it('stores an upload under the mapped name', async () => {
    const { place, record } = await start('rP ^ up/\nrG ^ pub/');
    await clientFor(place).put('new', 'a');
    storage.files.get('up/a')?.toString().should.equal('new');
    (await record('complete')).should.match({ filename: 'a', servedAs: 'up/a' });
  });

  it('says nothing of another name if there is none', async () => {
    const { place, record } = await start('r nothing x');
    await clientFor(place).get('pub/phone.cfg');
    (await record('complete')).should.not.have.property('servedAs');
  });

  it('sends the text of an abort to the client, with ERROR 2', async () => {
    const { server, place, record } = await start('a secret Ask\\ \\i');
    // A client that asks no options asks once.
    const plain = { blksize: null, windowsize: null, tsize: false };
    const failure = await failureOf(clientFor(place).get('secret.cfg', plain));
    failure.should.match({ code: 'EACCES', tftpCode: 2, message: 'Ask 127.0.0.1' });
    const failed = await record('error');
    failed.should.match({ filename: 'secret.cfg', error: { message: 'Ask 127.0.0.1' } });
    failed.should.not.have.property('servedAs');
    server.counters.refused.should.equal(1);
  });

  it('tells the client little, and us more, if the rules come to no end', async () => {
    const { place, record } = await start('s .');
    const failure = await failureOf(clientFor(place).get('a'));
    failure.should.match({ tftpCode: 2, message: 'Remap table failure' });
    should((await record('error')).error?.message).match(/^The name rules failed in line 1: /);
  });

  it('tells under which name a missing file was looked up', async () => {
    const { place, record } = await start('r ^ pub/');
    (await failureOf(clientFor(place).get('none'))).code.should.equal('ENOENT');
    (await record('error')).should.match({ filename: 'none', servedAs: 'pub/none' });
  });

  it('never leads out of the storage', async () => {
    const { place } = await start('r ^ ../../');
    (await failureOf(clientFor(place).get('etc/passwd'))).code.should.equal('EACCES');
  });

  it('chooses the first name with a file, for reads and writes', async () => {
    const { place } = await start('rE ^ \\x/\nrE ^ default/\na ^ Nothing\\ for\\ you');
    const client = clientFor(place);
    (await client.get('own.cfg')).data.toString().should.equal('own');
    (await client.get('other.cfg')).data.toString().should.equal('other');
    (await failureOf(client.get('none'))).message.should.equal('Nothing for you');
    await client.put('new', 'own.cfg');
    storage.files.get('7F000001/own.cfg')?.toString().should.equal('new');
    [...storage.files.keys()].should.have.length(4);
  });

  it('passes over names that cannot be written', async () => {
    const full: Storage = {
      openForReading: (request) => storage.openForReading(request),
      openForWriting: (request) =>
        request.filename.startsWith('full/')
          ? Promise.reject(new LocalError('ENOSPC', 'The disk is full'))
          : storage.openForWriting(request),
    };
    const { place } = await start('rE ^ full/\nr ^ free/', full);
    await clientFor(place).put('new', 'a');
    storage.files.has('free/a').should.equal(true);
  });

  it('asks a storage that can tell without opening', async () => {
    const asked: unknown[] = [];
    const telling: Storage = {
      openForReading: (request) => storage.openForReading(request),
      openForWriting: (request) => storage.openForWriting(request),
      canOpen: (request: StorageRequest, operation) => {
        asked.push([operation, request.filename]);
        return Promise.resolve(request.filename.startsWith('pub/'));
      },
    };
    const { place } = await start('rE ^ x/\nrE ^ pub/', telling);
    await clientFor(place).get('phone.cfg');
    asked.should.deepEqual([
      ['read', 'x/phone.cfg'],
      ['read', 'pub/phone.cfg'],
    ]);
  });

  it('counts the hits, and takes new rules while it runs', async () => {
    const rules = NameRules.parse('r ^ pub/');
    const { place } = await startServer({ storage, rules });
    await clientFor(place).get('phone.cfg');
    rules.hits.should.deepEqual([{ line: 1, rule: 'r ^ pub/', hits: 1 }]);
    rules.reload('r ^ default/');
    (await clientFor(place).get('other.cfg')).data.toString().should.equal('other');
  });
});
