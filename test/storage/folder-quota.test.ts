import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import should = require('should');
import { FileSink } from '../../src/storage/file-sink';
import { FolderQuota, type StoredSink } from '../../src/storage/folder-quota';
import { skipWithoutSymlinks } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';

describe('FolderQuota', () => {
  const folder = useTempFolder();

  it('counts files below, what is left of uploads too, and no links', async function () {
    skipWithoutSymlinks(this);
    mkdirSync(folder.file('sub'));
    writeFileSync(folder.file('sub', 'a'), '12345');
    writeFileSync(folder.file('sub', '.a.0123456789abcdef.tftp-part'), '1234567890');
    symlinkSync(folder.file('sub', 'a'), folder.file('link'));
    symlinkSync(folder.path, folder.file('round'));
    const quota = new FolderQuota(folder.path, 20);
    await quota.check('x', 5);
    await should(quota.check('x', 6)).be.rejectedWith({ code: 'ENOSPC' });
  });

  it('counts the upload that runs once, however much of it is on the disk', async () => {
    let now = 0;
    const options = { overwrite: 'refuse', createDir: false } as const;
    const quota = new FolderQuota(folder.path, 200_000, () => now);
    const file = folder.file('a');
    const sink = quota.guard('a', await FileSink.openTarget(file, options), 0, () =>
      Promise.resolve(0),
    );
    await sink.write(Buffer.alloc(100_000));
    await quota.check('x', 100_000);
    now = 5001;
    await should(quota.check('x', 100_001)).be.rejectedWith({ code: 'ENOSPC' });
    await quota.check('x', 100_000);
    await sink.commit();
    now = 10_002;
    await should(quota.check('x', 100_001)).be.rejectedWith({ code: 'ENOSPC' });
    await quota.check('x', 100_000);
  });

  it('counts the upload that runs once where the folder is a link', async function () {
    skipWithoutSymlinks(this);
    mkdirSync(folder.file('real'));
    symlinkSync('real', folder.file('way'));
    let now = 0;
    const quota = new FolderQuota(folder.file('way'), 200_000, () => now);
    const options = { overwrite: 'refuse', createDir: false } as const;
    const part = await FileSink.openTarget(folder.file('real', 'a'), options);
    const sink = quota.guard('a', part, 0, () => Promise.resolve(0));
    await sink.write(Buffer.alloc(100_000));
    await quota.check('b', 1);
    now = 5001;
    await should(quota.check('b', 100_001)).be.rejectedWith({ code: 'ENOSPC' });
    await quota.check('b', 100_000);
    await sink.discard();
  });

  it('gives an upload that begins anew the room of its first try', async () => {
    const options = { overwrite: 'version', createDir: false } as const;
    const quota = new FolderQuota(folder.path, 1000);
    const open = async (name: string, size: number): Promise<StoredSink> => {
      await quota.check(name, size);
      const sink = await FileSink.openTarget(folder.file(name), options);
      return quota.guard(name, sink, size, () => Promise.resolve(0));
    };
    const dead = await open('a', 900);
    await dead.write(Buffer.alloc(900));
    await should(open('b', 200)).be.rejectedWith({ code: 'ENOSPC' });
    const anew = await open('a', 950);
    await should(open('b', 51)).be.rejectedWith({ code: 'ENOSPC' });
    await anew.write(Buffer.alloc(950));
    await should(anew.write(Buffer.alloc(51))).be.rejectedWith({ code: 'ENOSPC' });
    await anew.discard();
    await should(open('b', 101)).be.rejectedWith({ code: 'ENOSPC' });
    await dead.discard();
    await (await open('b', 1000)).discard();
  });

  it('looks again when it seems full, but not all the time', async () => {
    let now = 0;
    writeFileSync(folder.file('a'), '1234567890');
    const quota = new FolderQuota(folder.path, 10, () => now);
    await should(quota.check('x', 1)).be.rejectedWith({ code: 'ENOSPC' });
    rmSync(folder.file('a'));
    now = 5000;
    await should(quota.check('x', 1)).be.rejectedWith({ code: 'ENOSPC' });
    now = 5001;
    await quota.check('x', 10);
  });

  it('counts nothing in a folder that is not there', async () => {
    await new FolderQuota(folder.file('none'), 1).check('x', 1);
  });
});
