import should = require('should');
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { fileSource } from '../../src/storage/data-source';
import { FileSink, type OverwritePolicy } from '../../src/storage/data-sink';
import type { TftpError } from '../../src/protocol/errors';
import { publish } from '../../src/storage/overwrite-policy';
import { nameKey } from '../../src/storage/upload-claims';
import { failureOf, readAll, writeAll } from '../helpers/content';
import { skip } from '../helpers/requirements';
import { skipWithoutSymlinks } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';

const POSIX = process.platform !== 'win32';

describe('FileSink', () => {
  const folder = useTempFolder();

  function open(name: string, overwrite: OverwritePolicy = 'replace'): Promise<FileSink> {
    return FileSink.open(folder.file(name), { overwrite, createDir: false });
  }

  async function store(name: string, overwrite: OverwritePolicy, content: string): Promise<string> {
    const sink = await open(name, overwrite);
    await writeAll(sink, content);
    await sink.commit();
    return sink.path;
  }

  const contentOf = (name: string): string => readFileSync(folder.file(name), 'utf8');
  const names = (): string[] => readdirSync(folder.path).toSorted();

  it('shows the file at commit, and only then', async () => {
    const sink = await open('a.bin');
    await writeAll(sink, 'content', 3);
    should(names()).have.length(1);
    should(names()[0]).match(/^\.a\.bin\.[0-9a-f-]+\.tftp-part$/);
    await sink.commit();
    should(names()).deepEqual(['a.bin']);
    should(contentOf('a.bin')).equal('content');
    should(sink.path).equal(folder.file('a.bin'));
  });

  for (const size of [1, 1428, 65_535, 65_536, 65_537, 200_000]) {
    it(`writes all bytes in order, ${size} at a time`, async () => {
      const content = Buffer.from(Array.from({ length: 200_001 }, (_, index) => index % 251));
      const sink = await open('big');
      await writeAll(sink, content, size);
      await sink.commit();
      should(readFileSync(folder.file('big')).equals(content)).be.true();
    });
  }

  it('writes an empty file', async () => {
    should(await store('empty', 'refuse', '')).equal(folder.file('empty'));
    should(contentOf('empty')).equal('');
  });

  it('leaves nothing after discard, also with a write in flight, and can be discarded twice', async () => {
    const sink = await open('a.bin');
    const write = sink.write(Buffer.alloc(300_000));
    await sink.discard();
    await write;
    await sink.discard();
    should(names()).deepEqual([]);
    should(await failureOf(sink.write(Buffer.from('a')))).have.property('code', 'ECANCELED');
  });

  it('keeps the file if it is discarded after commit', async () => {
    const sink = await open('a.bin');
    const committed = sink.commit();
    await sink.discard();
    await committed;
    should(names()).deepEqual(['a.bin']);
  });

  it('takes the longest names, also in UTF-8', async () => {
    for (const name of ['x'.repeat(255), '固'.repeat(85), '🚀'.repeat(63)]) {
      await store(name, 'refuse', 'content');
      should(contentOf(name)).equal('content');
    }
  });

  it('creates folders only if it may', async () => {
    const file = folder.file('new', 'sub', 'a');
    const refused = await failureOf(
      FileSink.open(file, { overwrite: 'replace', createDir: false }),
    );
    should(refused).have.property('code', 'ENOFILE');
    should(refused.message).startWith(`${file} has no folder to be in: create the folder`);
    const sink = await FileSink.open(file, { overwrite: 'replace', createDir: true });
    await sink.commit();
    should(statSync(file).isFile()).be.true();
  });

  it('gives a new file the mode it is told', async function () {
    if (!POSIX) skip(this, 'Windows has no such permissions');
    const options = { overwrite: 'refuse', createDir: false, mode: 0o606 } as const;
    await (await FileSink.open(folder.file('a'), options)).commit();
    should(statSync(folder.file('a')).mode & 0o777).equal(0o606);
  });

  it('writes the file behind a symbolic link, not the link', async function () {
    skipWithoutSymlinks(this);
    writeFileSync(folder.file('real'), 'old');
    symlinkSync('real', folder.file('link'));
    await store('link', 'replace', 'new');
    should(contentOf('real')).equal('new');
    should(readlinkSync(folder.file('link'))).equal('real');
  });

  it('refuses a folder, a broken link and a pipe, and names the path', async function () {
    skipWithoutSymlinks(this);
    mkdirSync(folder.file('sub'));
    symlinkSync('nowhere', folder.file('link'));
    if (POSIX) execFileSync('mkfifo', [folder.file('fifo')]);
    for (const name of POSIX ? ['sub', 'link', 'fifo'] : ['sub', 'link']) {
      const failure = await failureOf(open(name));
      should(failure).have.properties({ code: 'ENOPERM', peerMessage: 'Not a regular file' });
      should(failure.message).startWith(`${folder.file(name)} is not a regular file`);
    }
  });

  it('removes its file if the commit fails', async () => {
    const sink = await open('a');
    await writeAll(sink, 'content');
    mkdirSync(folder.file('a', 'in the way'), { recursive: true });
    should(await failureOf(sink.commit())).have.properties({ code: 'ENOPERM' });
    should(names()).deepEqual(['a']);
    await sink.discard();
    should(await failureOf(open('a'))).have.property('peerMessage', 'Not a regular file');
  });

  describe('refuse', () => {
    it('refuses a name that is taken', async () => {
      await store('a', 'refuse', 'old');
      const failure = await failureOf(open('a', 'refuse'));
      should(failure).have.properties({ code: 'EFILEEXISTS', tftpCode: 6 });
      should(contentOf('a')).equal('old');
    });

    it('refuses a name that was taken meanwhile', async () => {
      const sink = await open('a', 'refuse');
      await writeAll(sink, 'new');
      writeFileSync(folder.file('a'), 'old');
      should(await failureOf(sink.commit())).have.property('code', 'EFILEEXISTS');
      should(contentOf('a')).equal('old');
      should(names()).deepEqual(['a']);
    });
  });

  describe('replace', () => {
    it('keeps the permissions of the old file', async function () {
      if (!POSIX) skip(this, 'Windows has no such permissions');
      writeFileSync(folder.file('a'), 'old');
      chmodSync(folder.file('a'), 0o640);
      const options = { overwrite: 'replace', createDir: false, mode: 0o600 } as const;
      const sink = await FileSink.open(folder.file('a'), options);
      await sink.commit();
      should(statSync(folder.file('a')).mode & 0o777).equal(0o640);
    });

    it('lets a reader keep the old file', async () => {
      writeFileSync(folder.file('a'), 'old content');
      const reader = await fileSource(folder.file('a'));
      await store('a', 'replace', 'new');
      should((await readAll(reader)).toString()).equal('old content');
      should(contentOf('a')).equal('new');
    });
  });

  describe('existing', () => {
    it('writes only names that are taken', async () => {
      const failure = await failureOf(open('a', 'existing'));
      should(failure).have.properties({ code: 'ENOFILE', tftpCode: 1 });
      writeFileSync(folder.file('a'), '');
      await store('a', 'existing', 'new');
      should(contentOf('a')).equal('new');
      should(names()).deepEqual(['a']);
    });
  });

  describe('version', () => {
    it('keeps old files with a growing number', async () => {
      for (const content of ['first', 'second', 'third']) await store('a.cfg', 'version', content);
      should(names()).deepEqual(['a.cfg', 'a.cfg.1', 'a.cfg.2']);
      should(contentOf('a.cfg')).equal('third');
      should(contentOf('a.cfg.1')).equal('first');
      should(contentOf('a.cfg.2')).equal('second');
    });

    it('goes on after the highest number, whatever else is there', async () => {
      for (const name of ['a', 'a.7', 'a.bak', 'a.99x', 'a.010']) {
        writeFileSync(folder.file(name), name);
      }
      await store('a', 'version', 'new');
      should(contentOf('a.8')).equal('a');
      should(contentOf('a.7')).equal('a.7');
    });

    // Several rounds: which steps meet is up to the system's threads.
    for (const round of [1, 2, 3, 4]) {
      it(`loses none of many uploads at once, round ${round}`, async () => {
        const contents = Array.from({ length: 40 }, (_, index) => `upload ${index}`);
        for (const content of contents) writeFileSync(folder.file(content), content);
        const moves: Promise<string>[] = [];
        for (const content of contents) {
          moves.push(publish(folder.file(content), folder.file('a'), 'version'));
          // The next one begins while those before are at different steps.
          await new Promise(setImmediate);
        }
        await Promise.all(moves);
        should(names()).have.length(40);
        should(names().map(contentOf).toSorted()).deepEqual(contents.toSorted());
      });
    }

    it('lets two uploads of one name go on side by side', async () => {
      const [first, second] = [await open('a', 'version'), await open('a', 'version')];
      await writeAll(first, 'first');
      await writeAll(second, 'second');
      await second.commit();
      await first.commit();
      should(contentOf('a')).equal('first');
      should(contentOf('a.1')).equal('second');
    });
  });

  describe('timestamp', () => {
    it('puts the time before the extension', async () => {
      const stored = await store('router.cfg', 'timestamp', 'one');
      should(path.basename(stored)).match(/^router\.20\d{6}T\d{6}Z\.cfg$/);
      should(readFileSync(stored, 'utf8')).equal('one');
      const hidden = await store('.config', 'timestamp', 'one');
      should(path.basename(hidden)).match(/^\.config\.20\d{6}T\d{6}Z$/);
    });

    it('loses none of many uploads within a second', async () => {
      const contents = Array.from({ length: 8 }, (_, index) => `upload ${index}`);
      const stored = await Promise.all(contents.map((text) => store('a.cfg', 'timestamp', text)));
      should(stored.map((file) => readFileSync(file, 'utf8'))).deepEqual(contents);
      should(names().toSorted()).deepEqual(stored.map((file) => path.basename(file)).toSorted());
    });
  });

  for (const policy of ['refuse', 'replace', 'existing'] as const) {
    describe(`two uploads of one name at the same time (${policy})`, () => {
      const ended: TftpError[] = [];
      beforeEach(() => {
        ended.length = 0;
        if (policy === 'existing') writeFileSync(folder.file('a'), 'old');
      });

      function openFor(owner: string): Promise<FileSink> {
        const options = { overwrite: policy, createDir: false } as const;
        const replaced = (reason: TftpError): void => void ended.push(reason);
        return FileSink.openTarget(folder.file('a'), options, undefined, { owner, replaced });
      }

      const peerMessage = 'The file is being uploaded';
      const BUSY = { code: 'EEXIST', peerMessage };

      it('refuses the second one', async () => {
        const sink = await open('a', policy);
        const BUSY_HERE = { code: 'EFILEEXISTS', peerMessage };
        should(await failureOf(open('a', policy))).have.properties(BUSY_HERE);
        should(await failureOf(openFor('other'))).have.properties(BUSY);
        await sink.discard();
        await (await open('a', policy)).commit();
      });

      it('ends the first one when content of the same client has come for the second', async () => {
        const first = await openFor('client');
        await first.write(Buffer.alloc(100_000, 'o'));
        const second = await openFor('client');
        should(await failureOf(openFor('other'))).have.properties(BUSY);
        await first.write(Buffer.from('o'));
        should(ended).be.empty();
        await second.write(Buffer.from('new'));
        should(ended).have.length(1);
        should(ended[0]).have.properties({ code: 'ECANCELED', expected: true });
        should(names().filter((name) => name.endsWith('part'))).have.length(1);
        should(await failureOf(first.write(Buffer.from('o')))).have.property('code', 'ECANCELED');
        await first.discard();
        should(await failureOf(openFor('other'))).have.properties(BUSY);
        await second.commit();
        should(contentOf('a')).equal('new');
        should(names()).deepEqual(['a']);
      });

      it('ends the first one for an empty file', async () => {
        await openFor('client');
        await (await openFor('client')).commit();
        should(ended).have.length(1);
        should(contentOf('a')).equal('');
        should(names()).deepEqual(['a']);
      });

      it('lets the first one end if nothing comes for the second', async () => {
        const first = await openFor('client');
        const forged = await openFor('client');
        await writeAll(first, 'first');
        await first.commit();
        await forged.discard();
        should(contentOf('a')).equal('first');
        should(ended).be.empty();
      });

      it('waits for the first one if that is being committed', async () => {
        const first = await openFor('client');
        const second = await openFor('client');
        await writeAll(first, 'first');
        const committed = first.commit();
        await writeAll(second, 'second');
        await committed;
        should(ended).be.empty();
        if (policy !== 'refuse') await second.commit();
        else
          should(await failureOf(second.commit())).have.property('message', 'File already exists');
        should(contentOf('a')).equal(policy === 'refuse' ? 'first' : 'second');
        should(names()).deepEqual(['a']);
      });

      it('refuses the second one late if somebody else has the name by then', async () => {
        const first = await openFor('client');
        const second = await openFor('client');
        await first.discard();
        const third = await openFor('other');
        should(await failureOf(second.write(Buffer.from('x')))).have.properties(BUSY);
        await second.discard();
        await writeAll(third, 'third');
        await third.commit();
        should(contentOf('a')).equal('third');
      });
    });
  }
});

describe('nameKey', () => {
  it('is the same for names that lead to the same file on this system', () => {
    for (const platform of ['win32', 'darwin'] as const) {
      should(nameKey('/x/Case.TXT', platform)).equal(nameKey('/x/cASE.txt', platform));
      should(nameKey('/x/e\u0301', platform)).equal(nameKey('/x/\u00e9', platform));
    }
    should(nameKey('/x/Case.TXT', 'linux')).equal('/x/Case.TXT');
  });
});
