import should = require('should');
import { MemoryStorage } from '../../src/storage/memory-storage';
import { failureOf, readAll, requestFor, writeAll } from '../helpers/content';

describe('MemoryStorage', () => {
  it('serves its files by their path', async () => {
    const storage = new MemoryStorage([['boot/a.cfg', Buffer.from('content')]]);
    for (const name of ['boot/a.cfg', '/boot/a.cfg', 'boot\\a.cfg', './boot//a.cfg']) {
      const source = await storage.openForReading(requestFor(name));
      should((await readAll(source)).toString()).equal('content');
    }
  });

  it('refuses what it does not have, and what is no path', async () => {
    const storage = new MemoryStorage();
    should(await failureOf(storage.openForReading(requestFor('none')))).have.property(
      'code',
      'ENOENT',
    );
    for (const name of ['../a', 'a\0']) {
      const failure = await failureOf(storage.openForWriting(requestFor(name)));
      should(failure).have.property('code', 'EACCES');
    }
  });

  it('shows an upload when it is complete; a reader keeps the old content', async () => {
    const storage = new MemoryStorage([['a', Buffer.from('old')]]);
    const reader = await storage.openForReading(requestFor('a'));
    const sink = await storage.openForWriting(requestFor('/a'));
    await writeAll(sink, 'new');
    should(storage.files.get('a')?.toString()).equal('old');
    await sink.commit();
    should(storage.files.get('a')?.toString()).equal('new');
    should((await readAll(reader)).toString()).equal('old');
  });

  it('forgets a discarded upload', async () => {
    const storage = new MemoryStorage();
    const sink = await storage.openForWriting(requestFor('a'));
    await writeAll(sink, 'new');
    await sink.discard();
    should(storage.files.size).equal(0);
  });
});
