/** In which folder, and under which spelling, a folder storage finds a name. */

import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should = require('should');
import { FolderStorage } from '../../src/storage/folder-storage';
import type { FolderStorageOptions } from '../../src/storage/folder-storage';
import { NeighbourTable } from '../../src/storage/neighbour-table';
import { remotePath } from '../../src/storage/remote-path';
import { SearchFolder } from '../../src/storage/search-folder';
import { skip } from '../helpers/requirements';
import { skipWithoutSymlinks } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';

describe('FolderStorage, where it looks', () => {
  const folder = useTempFolder();

  /** A file whose content is its own name. */
  function file(name: string): void {
    mkdirSync(path.dirname(folder.file(name)), { recursive: true });
    writeFileSync(folder.file(name), name);
  }

  function storage(options: Partial<FolderStorageOptions> = {}): FolderStorage {
    return new FolderStorage({ root: folder.path, ...options });
  }

  async function read(from: FolderStorage, filename: string, address = '192.0.2.7') {
    const client = { address, port: 1 };
    const source = await from.openForReading({ filename, client, mode: 'octet', options: [] });
    const bytes = await source.read();
    await source.close();
    return Buffer.from(bytes!).toString();
  }

  async function write(to: FolderStorage, filename: string, content: string, size?: number) {
    const client = { address: '192.0.2.7', port: 1 };
    const request = { filename, client, mode: 'octet', options: [], size } as const;
    const sink = await to.openForWriting(request);
    try {
      await sink.write(Buffer.from(content));
      await sink.commit();
    } catch (error) {
      await sink.discard();
      throw error;
    }
    return sink.path;
  }

  describe('several roots', () => {
    it('are searched in order; uploads go to the first', async () => {
      file('one/a');
      file('two/a');
      file('two/b');
      const both = storage({ root: [folder.file('one'), folder.file('two')] });
      should(await read(both, 'a')).equal('one/a');
      should(await read(both, 'b')).equal('two/b');
      await should(read(both, 'c')).be.rejectedWith({ code: 'ENOENT' });
      should(await write(both, 'c', 'x')).equal(folder.file('one', 'c'));
    });

    it('writeRoot takes the uploads, and is not read from', async () => {
      file('one/a');
      mkdirSync(folder.file('in'));
      const apart = storage({ root: folder.file('one'), writeRoot: folder.file('in') });
      should(await write(apart, 'c', 'x')).equal(folder.file('in', 'c'));
      await should(read(apart, 'c')).be.rejectedWith({ code: 'ENOENT' });
      await apart.check();
    });

    it('must be named, and must all be there', async () => {
      const blank = { message: /blank/, code: 'EINVAL' };
      should(() => storage({ root: [] })).throw(blank);
      should(() => storage({ root: ['a', ' '] })).throw(blank);
      should(() => storage({ writeRoot: '' })).throw(blank);
      const lacking = storage({ root: [folder.path, folder.file('none')] });
      await should(lacking.check()).be.rejectedWith({ code: 'EINVAL', message: /none/ });
    });

    it('one that must not be followed is not stepped over', async function () {
      skipWithoutSymlinks(this);
      file('outside');
      file('two/a');
      mkdirSync(folder.file('one'));
      symlinkSync(folder.file('outside'), folder.file('one', 'a'));
      const both = storage({ root: [folder.file('one'), folder.file('two')] });
      await should(read(both, 'a')).be.rejectedWith({ code: 'EACCES' });
    });
  });

  describe('a folder for each client', () => {
    it('by its address, else the root', async () => {
      file('root/a');
      file('root/192.0.2.7/a');
      file('root/192.0.2.7/own');
      file('root/fe80--7/a');
      const unique = storage({ root: folder.file('root'), perClient: 'ip' });
      should(await read(unique, 'a')).equal('root/192.0.2.7/a');
      should(await read(unique, 'a', '192.0.2.70')).equal('root/a');
      should(await read(unique, 'a', 'fe80::7%eth0')).equal('root/fe80--7/a');
      await should(read(unique, 'own', '192.0.2.8')).be.rejectedWith({ code: 'ENOENT' });
      should(await write(unique, 'new', 'x')).equal(folder.file('root', '192.0.2.7', 'new'));
    });

    it('fifty phones get their own', async () => {
      const hosts = Array.from({ length: 50 }, (_, n) => `192.0.2.${n + 1}`);
      for (const host of hosts) file(`${host}/phone.cfg`);
      const unique = storage({ perClient: 'ip' });
      const got = await Promise.all(hosts.map((host) => read(unique, 'phone.cfg', host)));
      should(got).eql(hosts.map((host) => `${host}/phone.cfg`));
    });

    it('is all that the client sees, but for links that stay in the root', async function () {
      skipWithoutSymlinks(this);
      file('root/shared');
      file('outside');
      file('root/192.0.2.7/a');
      const own = folder.file('root', '192.0.2.7');
      symlinkSync('../shared', path.join(own, 'link'));
      symlinkSync(folder.file('outside'), path.join(own, 'escape'));
      const unique = storage({ root: folder.file('root'), perClient: 'ip' });
      should(await read(unique, 'link')).equal('root/shared');
      await should(read(unique, 'shared')).be.rejectedWith({ code: 'ENOENT' });
      for (const name of ['escape', '../shared', '..\\shared']) {
        await should(read(unique, name)).be.rejectedWith({ code: 'EACCES' });
      }
    });

    it('may not be a link out of the root; a file of its name is none', async function () {
      skipWithoutSymlinks(this);
      file('elsewhere/a');
      file('root/a');
      file('root/192.0.2.8');
      symlinkSync(folder.file('elsewhere'), folder.file('root', '192.0.2.7'));
      const unique = storage({ root: folder.file('root'), perClient: 'ip' });
      await should(read(unique, 'a')).be.rejectedWith({ code: 'EACCES' });
      should(await read(unique, 'a', '192.0.2.8')).equal('root/a');
    });

    it('by its hardware address, where that is known', async () => {
      file('00-11-22-aa-bb-cc/a');
      file('a');
      const head = 'IP address HW type Flags HW address Mask Device\n';
      writeFileSync(folder.file('arp'), `${head}192.0.2.7 0x1 0x2 00:11:22:aa:bb:cc * eth0\n`);
      const table = new NeighbourTable(folder.file('arp'));
      const lookup = { perClient: 'mac', otherCase: undefined } as const;
      const unique = new SearchFolder(folder.path, lookup, table);
      const find = async (address: string): Promise<string> =>
        (await unique.locate(remotePath('a'), { address, port: 1 })).existing;
      should(await find('192.0.2.7')).equal(folder.file('00-11-22-aa-bb-cc', 'a'));
      should(await find('192.0.2.8')).equal(folder.file('a'));
      should(await read(storage({ perClient: 'mac' }), 'a', '127.0.0.1')).equal('a');
    });
  });

  describe('upper and lower case', () => {
    it('count, unless it is told otherwise', async function () {
      file('Boot/BCD');
      if (process.platform !== 'linux') skip(this, 'this file system may ignore case');
      await should(read(storage(), 'boot/bcd')).be.rejectedWith({ code: 'ENOENT' });
      const lenient = storage({ caseInsensitive: true });
      should(await read(lenient, '\\BOOT\\bcd')).equal('Boot/BCD');
    });

    it('what is spelled exactly so comes first, then the first in order', async function () {
      if (process.platform !== 'linux') skip(this, 'this file system may ignore case');
      for (const name of ['a.cfg', 'A.cfg', 'A.CFG', 'Dir/X', 'dIR/x']) file(name);
      const lenient = storage({ caseInsensitive: true });
      should(await read(lenient, 'a.cfg')).equal('a.cfg');
      should(await read(lenient, 'A.CFG')).equal('A.CFG');
      should(await read(lenient, 'a.CFG')).equal('A.CFG');
      should(await read(lenient, 'DIR/x')).equal('Dir/X');
      await should(read(lenient, 'dir/none')).be.rejectedWith({ code: 'ENOENT' });
      await should(read(lenient, 'a.cfg/none')).be.rejectedWith({ code: 'ENOENT' });
    });

    it('never lead out of the root, nor around a broken link for ever', async function () {
      skipWithoutSymlinks(this);
      file('outside/SECRET');
      mkdirSync(folder.file('root'));
      symlinkSync(folder.file('outside'), folder.file('root', 'Link'));
      symlinkSync('nowhere', folder.file('root', 'Broken'));
      const lenient = storage({ root: folder.file('root'), caseInsensitive: true });
      await should(read(lenient, 'link/secret')).be.rejectedWith({ code: 'EACCES' });
      await should(read(lenient, 'BROKEN/x')).be.rejectedWith({ code: 'ENOENT' });
      await should(read(lenient, '../outside/secret')).be.rejectedWith({ code: 'EACCES' });
    });

    it('an upload meets the file that is spelled otherwise', async () => {
      file('A.log');
      const lenient = storage({ caseInsensitive: true, overwrite: 'replace' });
      should(await write(lenient, 'a.LOG', 'new')).equal(folder.file('A.log'));
      should(readFileSync(folder.file('A.log'), 'utf8')).equal('new');
    });

    it('lowerCase: names are looked up and stored in lower case', async () => {
      file('boot/bcd');
      const lower = storage({ lowerCase: true });
      should(await read(lower, 'BOOT/BCD')).equal('boot/bcd');
      should(await write(lower, 'NEW.Log', 'x')).equal(folder.file('new.log'));
    });
  });

  describe('quota', () => {
    const FULL = { code: 'ENOSPC', tftpCode: 3 };

    it('counts what is there, and refuses what is announced too large before the first byte', async () => {
      file('dir/1234567');
      const limited = storage({ quota: 20 });
      await should(write(limited, 'a', 'x', 10)).be.rejectedWith(FULL);
      should(await write(limited, 'a', '123456789', 9)).equal(folder.file('a'));
      await should(write(limited, 'b', 'x', 1)).be.rejectedWith(FULL);
    });

    it('stops an upload that announced nothing, and frees what it held', async () => {
      const limited = storage({ quota: 10 });
      await should(write(limited, 'a', '12345678901')).be.rejectedWith(FULL);
      await write(limited, 'b', '1234567890');
      await should(write(limited, 'c', '1')).be.rejectedWith(FULL);
    });

    it('holds for uploads at the same time: what one announced another cannot have', async () => {
      const limited = storage({ quota: 10 });
      const request = { filename: 'a', client: { address: '::1', port: 1 }, options: [] } as const;
      const first = await limited.openForWriting({ ...request, mode: 'octet', size: 6 });
      await should(write(limited, 'b', '12345', 5)).be.rejectedWith(FULL);
      await should(write(limited, 'b', '12345')).be.rejectedWith(FULL);
      await write(limited, 'b', '1234', 4);
      await first.write(Buffer.from('123456'));
      await first.commit();
      await should(write(limited, 'c', '1')).be.rejectedWith(FULL);
    });

    it('counts a replaced file no longer, and a kept one still', async () => {
      const replacing = storage({ quota: 20, overwrite: 'replace' });
      for (let n = 0; n < 5; n += 1) await write(replacing, 'a', '1234567890', 10);
      await write(replacing, 'b', '1234567890');
      await should(write(replacing, 'c', '1')).be.rejectedWith(FULL);
    });

    it('must be a number of bytes', () => {
      for (const quota of [-1, NaN]) {
        should(() => storage({ quota })).throw(/^quota is /, { code: 'EINVAL' });
      }
    });
  });
});
