import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import should = require('should');
import { FolderQuota } from '../../src/storage/folder-quota';
import { useTempFolder } from '../helpers/temp-folder';

describe('FolderQuota', () => {
  const folder = useTempFolder();

  it('counts files below, and neither links nor parts of uploads', async () => {
    mkdirSync(folder.file('sub'));
    writeFileSync(folder.file('sub', 'a'), '12345');
    writeFileSync(folder.file('sub', '.a.1-0123456789abcdef.tftp-part'), '1234567890');
    symlinkSync(folder.file('sub', 'a'), folder.file('link'));
    symlinkSync(folder.path, folder.file('round'));
    const quota = new FolderQuota(folder.path, 10);
    await quota.check(5);
    await should(quota.check(6)).be.rejectedWith({ code: 'ENOSPC' });
  });

  it('looks again when it seems full, but not all the time', async () => {
    let now = 0;
    writeFileSync(folder.file('a'), '1234567890');
    const quota = new FolderQuota(folder.path, 10, () => now);
    await should(quota.check(1)).be.rejectedWith({ code: 'ENOSPC' });
    rmSync(folder.file('a'));
    now = 5000;
    await should(quota.check(1)).be.rejectedWith({ code: 'ENOSPC' });
    now = 5001;
    await quota.check(10);
  });

  it('counts nothing in a folder that is not there', async () => {
    await new FolderQuota(folder.file('none'), 1).check(1);
  });
});
