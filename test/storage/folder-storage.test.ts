import should = require('should');
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { FolderStorage, type FolderStorageOptions } from '../../src/storage/folder-storage';
import { failureOf, readAll, requestFor, writeAll } from '../helpers/content';
import { skip } from '../helpers/requirements';
import { skipWithoutRawNames, skipWithoutSymlinks } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;

describe('FolderStorage', () => {
  const folder = useTempFolder();

  beforeEach(() => {
    mkdirSync(folder.file('root', 'sub'), { recursive: true });
    mkdirSync(folder.file('root-private'));
    writeFileSync(folder.file('secret'), 'secret');
    writeFileSync(folder.file('root-private', 'secret'), 'secret');
    writeFileSync(folder.file('root', 'a.cfg'), 'content of a');
    writeFileSync(folder.file('root', 'sub', 'b.cfg'), 'content of b');
  });

  function storage(options: Partial<FolderStorageOptions> = {}): FolderStorage {
    return new FolderStorage({ root: folder.file('root'), ...options });
  }

  async function read(name: string): Promise<string> {
    return (await readAll(await storage().openForReading(requestFor(name)))).toString();
  }

  async function write(
    name: string,
    options: Partial<FolderStorageOptions> = {},
    content = 'new',
  ): Promise<string> {
    const sink = await storage(options).openForWriting(requestFor(name));
    await writeAll(sink, content);
    await sink.commit();
    return sink.path;
  }

  /** Neither call may open the name, nor tell where the folder is. */
  async function shouldRefuse(name: string, code: string): Promise<void> {
    for (const overwrite of ['replace', 'version'] as const) {
      const opened = storage({ overwrite }).openForWriting(requestFor(name));
      should(await failureOf(opened)).have.property('code', code);
    }
    const failure = await failureOf(storage().openForReading(requestFor(name)));
    should(failure).have.property('code', code);
    should(failure.message).not.containEql(folder.path);
  }

  describe('reading', () => {
    const names: readonly (readonly [name: string, content: string])[] = [
      ['a.cfg', 'content of a'],
      ['/a.cfg', 'content of a'],
      ['sub/b.cfg', 'content of b'],
      ['\\sub\\b.cfg', 'content of b'],
      ['//sub//./b.cfg', 'content of b'],
    ];
    for (const [name, content] of names) {
      it(`opens ${name}`, async () => should(await read(name)).equal(content));
    }

    it('opens names that begin with two dots', async () => {
      writeFileSync(folder.file('root', '..hidden'), 'dots');
      should(await read('..hidden')).equal('dots');
    });

    it('opens names in UTF-8', async () => {
      writeFileSync(folder.file('root', 'größe-固件.bin'), 'umlaut');
      should(await read('größe-固件.bin')).equal('umlaut');
    });

    it('does not decode %', async () => {
      should(await failureOf(read('%2e%2e/secret'))).have.property('code', 'ENOENT');
      mkdirSync(folder.file('root', '%2e%2e'));
      writeFileSync(folder.file('root', '%2e%2e', 'secret'), 'percent');
      should(await read('%2e%2e/secret')).equal('percent');
    });

    it('announces the size', async () => {
      const source = await storage().openForReading(requestFor('a.cfg'));
      should(source.size).equal(12);
      await source.close();
    });

    for (const name of ['none', 'none/none', 'a.cfg/none', 'sub/none']) {
      it(`does not find ${name}`, async () => {
        const failure = await failureOf(read(name));
        should(failure).have.properties({ code: 'ENOENT', tftpCode: 1 });
        should(failure.message).equal('File not found');
      });
    }

    it('refuses a file that may not be read', async function () {
      chmodSync(folder.path, 0o755);
      chmodSync(folder.file('root', 'a.cfg'), 0o600);
      if (!IS_ROOT) chmodSync(folder.file('root', 'a.cfg'), 0);
      if (process.platform === 'win32') skip(this, 'Windows has no such permissions');
      const failure = await asNobody(() => failureOf(read('a.cfg')));
      should(failure).have.properties({ code: 'EACCES', tftpCode: 2 });
      should(failure.message).not.containEql(folder.path);
    });
  });

  describe('the jail', () => {
    for (const name of [
      '../secret',
      '/../secret',
      'sub/../../secret',
      '..\\secret',
      'a\0',
      'a\n',
    ]) {
      it(`refuses ${JSON.stringify(name)}`, () => shouldRefuse(name, 'EACCES'));
    }

    const ODD = ['CON', 'nul.txt', 'C:', 'a.cfg:stream', 'a?', '"a"', 'a|b', 'dot.', ' '];
    for (const name of ODD) {
      it(`has ${name} only where the file system takes it as a name`, async () => {
        if (process.platform === 'win32') return shouldRefuse(name, 'EACCES');
        await write(`sub/${name}`);
        should(await read(`sub/${name}`)).equal('new');
        should(readFileSync(folder.file('root', 'sub', name), 'utf8')).equal('new');
      });
    }

    it('takes bytes that are not UTF-8 as they are, and never for others', async function () {
      skipWithoutRawNames(this, folder.path);
      const bytes = (name: string): Buffer =>
        Buffer.from(`${folder.file('root')}/${name}`, 'latin1');
      writeFileSync(bytes('caf\xe9'), 'latin-1');
      symlinkSync('caf\xe9', folder.file('root', 'wrong'));
      symlinkSync(Buffer.from('caf\xe9', 'latin1'), bytes('sub/link\xff'));
      symlinkSync(Buffer.from('../../secret'), bytes('sub/out\xff'));
      symlinkSync(Buffer.from('../caf\xe9', 'latin1'), bytes('sub/in\xff'));
      should(await read('caf\udce9')).equal('latin-1');
      should(await read('sub/in\udcff')).equal('latin-1');
      for (const name of ['café', 'caf\ufffd', 'caf\udce8', 'sub/link\udcff', 'wrong'])
        should(await failureOf(read(name))).have.property('message', 'File not found');
      await shouldRefuse('sub/out\udcff', 'EACCES');
      await shouldRefuse('\udcff/../../secret', 'EACCES');
      const stored = await write('sub/new\udcff');
      should(readFileSync(bytes('sub/new\xff'), 'utf8')).equal('new');
      should(stored).equal(folder.file('root', 'sub', 'new\udcff'));
      await write('sub/new\udcff', { overwrite: 'version' }, 'newer');
      should(readFileSync(bytes('sub/new\xff.1'), 'utf8')).equal('new');
      should(await read('sub/new\udcff')).equal('newer');
    });

    it('takes an absolute path as one below the root', async function () {
      if (process.platform === 'win32') skip(this, 'an absolute path has a drive letter there');
      should(await failureOf(read(folder.file('secret')))).have.property('code', 'ENOENT');
    });

    it('does not take a sibling folder with the same start for the root', async function () {
      skipWithoutSymlinks(this);
      symlinkSync('../root-private', folder.file('root', 'private'));
      await shouldRefuse('../root-private/secret', 'EACCES');
      await shouldRefuse('private/secret', 'EACCES');
    });

    it('follows links that stay inside', async function () {
      skipWithoutSymlinks(this);
      symlinkSync('sub', folder.file('root', 'folder-link'));
      symlinkSync('../a.cfg', folder.file('root', 'sub', 'file-link'));
      should(await read('folder-link/b.cfg')).equal('content of b');
      should(await read('sub/file-link')).equal('content of a');
      await write('folder-link/new.cfg');
      should(readFileSync(folder.file('root', 'sub', 'new.cfg'), 'utf8')).equal('new');
      await write('sub/file-link', { overwrite: 'replace' });
      should(readFileSync(folder.file('root', 'a.cfg'), 'utf8')).equal('new');
    });

    it('refuses links that lead out', async function () {
      skipWithoutSymlinks(this);
      symlinkSync('../secret', folder.file('root', 'file-link'));
      symlinkSync('..', folder.file('root', 'folder-link'));
      for (const name of [
        'file-link',
        'folder-link/secret',
        'folder-link/none',
        'folder-link/x/y',
      ]) {
        await shouldRefuse(name, 'EACCES');
      }
      const creating = storage({ createDirs: true }).openForWriting(requestFor('folder-link/x/y'));
      should(await failureOf(creating)).have.property('code', 'EACCES');
      should(existsSync(folder.file('x'))).be.false();
      should(readFileSync(folder.file('secret'), 'utf8')).equal('secret');
    });

    it('never creates the target of a broken link', async function () {
      skipWithoutSymlinks(this);
      symlinkSync('../new', folder.file('root', 'broken'));
      for (const overwrite of ['refuse', 'replace', 'version'] as const) {
        const failure = await failureOf(write('broken', { overwrite, createDirs: true }));
        should(failure).have.property('code', 'EACCES');
      }
      await failureOf(write('broken/sub/file', { createDirs: true }));
      should(existsSync(folder.file('new'))).be.false();
    });

    it('serves a root that is a link itself', async function () {
      skipWithoutSymlinks(this);
      symlinkSync('root', folder.file('link-to-root'));
      const linked = new FolderStorage({ root: folder.file('link-to-root') });
      const source = await linked.openForReading(requestFor('a.cfg'));
      should((await readAll(source)).toString()).equal('content of a');
    });

    it('opens no folder', async function () {
      skipWithoutSymlinks(this);
      await shouldRefuse('sub', 'EACCES');
      symlinkSync('.', folder.file('root', 'self'));
      await shouldRefuse('self', 'EACCES');
    });

    it('opens no pipe, and does not wait for its other end', async function () {
      if (process.platform === 'win32') skip(this, 'Windows has no mkfifo');
      execFileSync('mkfifo', [folder.file('root', 'fifo')]);
      await shouldRefuse('fifo', 'EACCES');
    });

    it('opens no temporary file of an upload, in no way', async function () {
      skipWithoutSymlinks(this);
      const name = '.a.0123abcd-4321-98765-0123abcd.tftp-part';
      writeFileSync(folder.file('root', name), 'part');
      symlinkSync(name, folder.file('root', 'link'));
      await shouldRefuse(name, 'EACCES');
      await shouldRefuse(name.toUpperCase(), 'EACCES');
      await shouldRefuse('link', 'EACCES');
    });
  });

  describe('writing', () => {
    it('refuses a name that is taken by default', async () => {
      const failure = await failureOf(write('a.cfg'));
      should(failure).have.properties({ code: 'EEXIST', tftpCode: 6 });
      should(failure.message).equal('File already exists');
      should(await read('a.cfg')).equal('content of a');
    });

    it('tells where the file is', async () => {
      should(await write('sub/new.cfg')).equal(folder.file('root', 'sub', 'new.cfg'));
      const stamped = await write('a.cfg', { overwrite: 'timestamp' });
      should(readFileSync(stamped, 'utf8')).equal('new');
    });

    it('keeps versions', async () => {
      await write('a.cfg', { overwrite: 'version' });
      should(await read('a.cfg')).equal('new');
      should(await read('a.cfg.1')).equal('content of a');
    });

    it('writes only existing names if told so', async () => {
      const options = { overwrite: 'existing', createDirs: true } as const;
      for (const name of ['none', 'none/none']) {
        const failure = await failureOf(write(name, options));
        should(failure).have.property('message', 'File not found');
      }
      should(existsSync(folder.file('root', 'none'))).be.false();
      await write('a.cfg', options);
      should(await read('a.cfg')).equal('new');
    });

    it('creates folders only if it may', async () => {
      should(await failureOf(write('new/sub/file'))).have.properties({ code: 'ENOENT' });
      should(await failureOf(write('new/file'))).have.properties({ code: 'ENOENT' });
      should(await failureOf(write('a.cfg/file'))).have.properties({ code: 'ENOENT' });
      await write('new/sub/file', { createDirs: true });
      should(await read('new/sub/file')).equal('new');
    });

    it('refuses a second upload of the same name, by whatever path', async function () {
      skipWithoutSymlinks(this);
      symlinkSync('sub', folder.file('root', 'link'));
      const first = await storage().openForWriting(requestFor('sub/c'));
      const failure = await failureOf(storage().openForWriting(requestFor('link//c')));
      should(failure).have.properties({ code: 'EEXIST', message: 'The file is being uploaded' });
      await first.discard();
      await write('sub/c');
    });

    it('leaves nothing of a discarded upload', async () => {
      const sink = await storage({ overwrite: 'replace' }).openForWriting(requestFor('a.cfg'));
      await writeAll(sink, 'new');
      await sink.discard();
      should(readdirSync(folder.file('root')).toSorted()).deepEqual(['a.cfg', 'sub']);
      should(await read('a.cfg')).equal('content of a');
    });

    it('respects that a file is write-protected', async function () {
      if (process.platform === 'win32') skip(this, 'Windows has no such permissions');
      chmodSync(folder.path, 0o755);
      chmodSync(folder.file('root'), 0o777);
      chmodSync(folder.file('root', 'a.cfg'), 0o444);
      for (const overwrite of ['replace', 'existing', 'version'] as const) {
        const failure = await asNobody(() => failureOf(write('a.cfg', { overwrite })));
        should(failure).have.property('code', 'EACCES');
      }
      should(readdirSync(folder.file('root')).toSorted()).deepEqual(['a.cfg', 'sub']);
    });

    it('refuses an upload that is announced larger than the free space', async () => {
      const disk = statfsSync(folder.path);
      const size = disk.bavail * disk.bsize + 2 ** 40;
      const opened = storage().openForWriting(requestFor('big', { size }));
      should(await failureOf(opened)).have.properties({ code: 'ENOSPC', tftpCode: 3 });
      should(readdirSync(folder.file('root')).toSorted()).deepEqual(['a.cfg', 'sub']);
    });

    it('tells of a full disk, and leaves nothing', async function () {
      const root = folder.file('root', 'sub');
      if (!mountSmallDisk(root)) skip(this, 'mounting a small tmpfs needs to be root on Linux');
      try {
        const sink = await new FolderStorage({ root }).openForWriting(requestFor('big'));
        const failure = await failureOf(writeAll(sink, Buffer.alloc(200_000), 1000));
        should(failure).have.properties({ code: 'ENOSPC', tftpCode: 3 });
        await sink.discard();
        const small = await new FolderStorage({ root }).openForWriting(requestFor('small'));
        await writeAll(small, Buffer.alloc(65_536 - 4096), 1000);
        await small.commit();
        should(readdirSync(root)).deepEqual(['small']);
        const late = await new FolderStorage({ root }).openForWriting(requestFor('late'));
        await late.write(Buffer.alloc(60_000));
        should(await failureOf(late.commit())).have.property('code', 'ENOSPC');
        should(readdirSync(root)).deepEqual(['small']);
      } finally {
        execFileSync('umount', [root]);
      }
    });
  });

  describe('check', () => {
    it('is content with a folder', () => storage().check());

    it('names a folder that is missing or none', async () => {
      const none = folder.file('none');
      const missing = await failureOf(storage({ root: none }).check());
      should(missing).have.properties({
        code: 'EINVAL',
        message: `The folder ${none} does not exist: create it or choose another`,
      });
      const file = await failureOf(storage({ root: folder.file('secret') }).check());
      should(file).have.property('code', 'EINVAL');
      should(file.message).match(/is not a folder: choose a folder/);
    });

    it('names a folder that may not be read', async function () {
      if (process.platform === 'win32') skip(this, 'Windows has no such permissions');
      chmodSync(folder.path, 0o755);
      chmodSync(folder.file('root'), IS_ROOT ? 0o700 : 0);
      const failure = await asNobody(() => failureOf(storage().check()));
      chmodSync(folder.file('root'), 0o700);
      should(failure).have.property('code', 'ENOPERM');
      should(failure.message).containEql(folder.file('root'));
    });
  });

  it('tells a client nothing but that the folder is gone', async () => {
    rmSync(folder.file('root'), { recursive: true });
    for (const opened of [
      storage().openForReading(requestFor('a.cfg')),
      storage({ createDirs: true }).openForWriting(requestFor('new/file')),
    ]) {
      const failure = await failureOf(opened);
      should(failure).have.properties({ code: 'EIO', tftpCode: 0 });
      should(failure.message).equal('The folder of this server is not available');
    }
    should(existsSync(folder.file('root'))).be.false();
  });

  it('gives new files the mode it is told', async function () {
    if (process.platform === 'win32') skip(this, 'Windows has no such permissions');
    should(statSync(await write('new', { fileMode: 0o604 })).mode & 0o777).equal(0o604);
  });

  it('refuses options that cannot be used', () => {
    should(() => storage({ root: ' ' })).throw({ code: 'EINVAL' });
    const options: FolderStorageOptions = JSON.parse('{ "root": ".", "overwrite": "always" }');
    should(() => new FolderStorage(options)).throw(
      'overwrite is always: it must be one of refuse, replace, version, timestamp, existing',
    );
  });
});

/** Permissions do not hold for root, so its tests of them run as somebody else. */
async function asNobody<T>(action: () => Promise<T>): Promise<T> {
  if (!IS_ROOT) return action();
  process.setegid?.(NOBODY);
  process.seteuid?.(NOBODY);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
}

function mountSmallDisk(folder: string): boolean {
  if (process.platform !== 'linux' || !IS_ROOT) return false;
  const mount = ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder];
  return spawnSync('mount', mount, { stdio: 'ignore' }).status === 0;
}
