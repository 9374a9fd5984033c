import should = require('should');
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { FoundFile } from '../../src/storage/found-file';
import { descriptorsOf } from '../helpers/descriptors';
import { skip } from '../helpers/requirements';
import { useTempFolder } from '../helpers/temp-folder';

describe('FoundFile', () => {
  const folder = useTempFolder();

  before(function () {
    if (process.platform !== 'linux') skip(this, 'files are held on Linux only');
  });

  async function contentOf(found: FoundFile): Promise<string> {
    const { handle } = await found.open();
    const content = await handle.readFile('utf8');
    await handle.close();
    return content;
  }

  it('tells where a file really is, and what it is', async () => {
    mkdirSync(folder.file('sub'));
    writeFileSync(folder.file('sub', 'a'), 'content');
    symlinkSync('sub', folder.file('way'));
    symlinkSync('way/a', folder.file('link'));
    const found = await FoundFile.at(folder.file('link'));
    should(found?.realPath).equal(folder.file('sub', 'a'));
    const { handle, version } = await found!.open();
    found!.close();
    should(version.size).equal(7n);
    should(version.ino).equal((await handle.stat({ bigint: true })).ino);
    await handle.close();
    should(descriptorsOf(folder.path)).be.empty();
  });

  it('opens the file that was found, whatever has become of its path', async () => {
    mkdirSync(folder.file('sub'));
    writeFileSync(folder.file('sub', 'a'), 'found');
    const found = await FoundFile.at(folder.file('sub', 'a'));
    renameSync(folder.file('sub'), folder.file('moved'));
    mkdirSync(folder.file('sub'));
    writeFileSync(folder.file('sub', 'a'), 'other');
    should(await contentOf(found!)).equal('found');
    unlinkSync(folder.file('moved', 'a'));
    execFileSync('mkfifo', [folder.file('moved', 'a')]);
    should(await contentOf(found!)).equal('found');
    found!.close();
  });

  it('leaves alone what is no regular file', async () => {
    execFileSync('mkfifo', [folder.file('fifo')]);
    symlinkSync('/dev/zero', folder.file('zero'));
    for (const name of ['fifo', 'zero', '.'])
      should(await FoundFile.at(folder.file(name))).be.undefined();
    should(descriptorsOf(folder.path)).be.empty();
  });

  it('leaves alone what has no name any more', async () => {
    writeFileSync(folder.file('a'), 'content');
    const descriptor = openSync(folder.file('a'), 'r');
    unlinkSync(folder.file('a'));
    should(await FoundFile.at(`/proc/self/fd/${descriptor}`)).be.undefined();
    closeSync(descriptor);
    should(descriptorsOf(folder.path)).be.empty();
  });

  it('says why there is nothing', async () => {
    symlinkSync('loop', folder.file('loop'));
    await should(FoundFile.at(folder.file('none'))).be.rejectedWith({ code: 'ENOENT' });
    await should(FoundFile.at(folder.file('loop'))).be.rejectedWith({ code: 'ELOOP' });
  });
});
