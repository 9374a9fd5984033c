import should = require('should');
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { disk } from '../../src/storage/disk';
import { checkUnmoved, Jail } from '../../src/storage/jail';
import { remotePath } from '../../src/storage/remote-path';
import { failureOf } from '../helpers/content';
import { skipWithoutSymlinks } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';

describe('Jail', () => {
  const folder = useTempFolder();

  it('tells the real path of what exists, and what is missing below it', async function () {
    skipWithoutSymlinks(this);
    mkdirSync(folder.file('root', 'real', 'sub'), { recursive: true });
    symlinkSync('real', folder.file('root', 'link'));
    const jail = new Jail(folder.file('root'));
    should(await jail.locate(remotePath('link/sub'))).deepEqual({
      existing: folder.file('root', 'real', 'sub'),
      missing: [],
    });
    should(await jail.locate(remotePath('link/new/file'))).deepEqual({
      existing: folder.file('root', 'real'),
      missing: ['new', 'file'],
    });
    should(await jail.locate(remotePath('new'))).deepEqual({
      existing: folder.file('root'),
      missing: ['new'],
    });
  });

  it('finds out with few calls what exists of a name with many parts', async () => {
    const { realpath } = disk;
    let calls = 0;
    disk.realpath = (file) => {
      calls += 1;
      return realpath(file);
    };
    try {
      const jail = new Jail(folder.path);
      // Paths are of 260 characters at most on Windows, unless it is told otherwise.
      const length = process.platform === 'win32' ? 40 : 127;
      const parts = Array.from({ length }, (_, index) => `${index}`);
      for (const exist of [0, 1, 30, length - 1]) {
        mkdirSync(folder.file(...parts.slice(0, exist)), { recursive: true });
        calls = 0;
        const { existing, missing } = await jail.locate(remotePath(parts.join('/')));
        should(existing).equal(folder.file(...parts.slice(0, exist)));
        should(missing).deepEqual(parts.slice(exist));
        should(calls).be.belowOrEqual(exist === 0 ? 3 : 10);
      }
    } finally {
      disk.realpath = realpath;
    }
  });

  it('ends a circle of links', async function () {
    skipWithoutSymlinks(this);
    symlinkSync('b', folder.file('a'));
    symlinkSync('a', folder.file('b'));
    const located = new Jail(folder.path).locate(remotePath('a/file'));
    await should(located).be.rejectedWith({ code: 'ELOOP' });
  });

  it('notices a folder that has become a link since', async function () {
    skipWithoutSymlinks(this);
    mkdirSync(folder.file('root', 'sub'), { recursive: true });
    mkdirSync(folder.file('outside'));
    const { existing } = await new Jail(folder.file('root')).locate(remotePath('sub'));
    await checkUnmoved(existing);
    renameSync(folder.file('root', 'sub'), folder.file('root', 'old'));
    should(await failureOf(checkUnmoved(existing))).have.property('code', 'EACCES');
    symlinkSync('../outside', folder.file('root', 'sub'));
    should(await failureOf(checkUnmoved(existing))).have.property('code', 'EACCES');
  });
});
