/** How a finished file gets its name, also where the system is another one than that of the test. */

import { readdirSync, readFileSync, mkdirSync, writeFileSync, statSync } from 'node:fs';
import should = require('should');
import { disk } from '../../src/storage/disk';
import { moveToFreeName, replaceFile, type FileMover } from '../../src/storage/file-moves';
import { publish } from '../../src/storage/overwrite-policy';
import { isPartName, lockPath } from '../../src/storage/part-file';
import { useTempFolder } from '../helpers/temp-folder';

const systemError = (code: string): Error => Object.assign(new Error(code), { code });

describe('moves', () => {
  const folder = useTempFolder();
  let waited: number;
  beforeEach(() => {
    waited = 0;
    writeFileSync(folder.file('part'), 'new');
  });

  /** A system that behaves otherwise in some calls. */
  function system(
    calls: Partial<FileMover['disk']>,
    platform: NodeJS.Platform = 'linux',
  ): FileMover {
    const wait = (milliseconds: number): Promise<void> => {
      waited += milliseconds;
      return Promise.resolve();
    };
    return { disk: { ...disk, ...calls }, platform, wait };
  }

  /** Windows: nothing is renamed over a file that somebody has open. */
  function windows(isOpen: (file: string) => boolean, code = 'EPERM'): FileMover {
    const rename = async (from: string, to: string): Promise<void> => {
      if (readdirSync(folder.path).some((name) => folder.file(name) === to) && isOpen(to))
        throw systemError(code);
      await disk.rename(from, to);
    };
    return system({ rename }, 'win32');
  }

  const noLinks = (): Promise<void> => Promise.reject(systemError('EPERM'));
  const names = (): string[] => readdirSync(folder.path).toSorted();
  const contentOf = (name: string): string => readFileSync(folder.file(name), 'utf8');
  const replace = (mover: FileMover): Promise<void> =>
    replaceFile(folder.file('part'), folder.file('a'), mover);

  describe('replaceFile', () => {
    beforeEach(() => writeFileSync(folder.file('a'), 'old'));

    for (const code of ['EPERM', 'EACCES', 'EBUSY']) {
      it(`replaces a file on Windows that somebody reads (${code})`, async () => {
        await replace(windows((file) => file === folder.file('a'), code));
        should(contentOf('a')).equal('new');
        should(names()).deepEqual(['a']);
      });
    }

    it('moves the old file aside under a name that is never served', async () => {
      const aside: string[] = [];
      const mover = windows((file) => file === folder.file('a'));
      const unlink = (file: string): Promise<void> => {
        aside.push(file);
        return Promise.reject(systemError('EBUSY'));
      };
      await replace({ ...mover, disk: { ...mover.disk, unlink } });
      should(contentOf('a')).equal('new');
      should(aside).have.length(1);
      should(
        names()
          .filter((name) => name !== 'a')
          .every(isPartName),
      ).be.true();
    });

    it('tries again for a while if a virus scanner holds the new file', async () => {
      let tries = 0;
      const rename = (from: string, to: string): Promise<void> =>
        from === folder.file('part') && ++tries < 6
          ? Promise.reject(systemError('EBUSY'))
          : disk.rename(from, to);
      await replace(system({ rename }, 'win32'));
      should(contentOf('a')).equal('new');
      should(names()).deepEqual(['a']);
      should(waited).be.within(1, 1000);
    });

    it('puts the old file back if the new one cannot have its name', async () => {
      const rename = (from: string, to: string): Promise<void> =>
        from === folder.file('part')
          ? Promise.reject(systemError('EACCES'))
          : disk.rename(from, to);
      await should(replace(system({ rename }, 'win32'))).be.rejectedWith({ code: 'EACCES' });
      should(contentOf('a')).equal('old');
      should(names()).deepEqual(['a', 'part']);
      should(waited).be.within(1, 5000);
    });

    it('leaves a folder alone', async () => {
      mkdirSync(folder.file('sub'));
      const mover = windows((file) => file === folder.file('sub'));
      const moved = replaceFile(folder.file('part'), folder.file('sub'), mover);
      await should(moved).be.rejectedWith({ code: 'EPERM' });
      should(statSync(folder.file('sub')).isDirectory()).be.true();
    });

    it('takes permissions for what they are elsewhere', async () => {
      const rename = (): Promise<void> => Promise.reject(systemError('EACCES'));
      await should(replace(system({ rename }))).be.rejectedWith({ code: 'EACCES' });
      should(waited).equal(0);
      should(contentOf('a')).equal('old');
    });
  });

  describe('the policy version', () => {
    beforeEach(() => writeFileSync(folder.file('a'), 'old'));
    const keep = (mover: FileMover): Promise<string> =>
      publish(folder.file('part'), folder.file('a'), 'version', mover);

    it('keeps the old file on Windows while somebody reads it', async () => {
      await keep(windows((file) => file === folder.file('a')));
      should(names()).deepEqual(['a', 'a.1']);
      should([contentOf('a'), contentOf('a.1')]).deepEqual(['new', 'old']);
    });

    for (const [name, calls] of [
      ['hard links', {}],
      ['no hard links', { link: noLinks }],
    ] as const) {
      it(`leaves no second copy if the new file cannot have its name, with ${name}`, async () => {
        const rename = (from: string, to: string): Promise<void> =>
          from === folder.file('part') ? Promise.reject(systemError('EIO')) : disk.rename(from, to);
        for (const _ of [1, 2])
          await should(keep(system({ ...calls, rename }))).be.rejectedWith({ code: 'EIO' });
        should(names()).deepEqual(['a', 'part']);
        should(contentOf('a')).equal('old');
        await keep(system(calls));
        should(names()).deepEqual(['a', 'a.1']);
        should(contentOf('a.1')).equal('old');
      });
    }

    it('shows no part of a copy under a name of a version', async () => {
      const copyFile = async (from: string, to: string, mode: number): Promise<void> => {
        should(isPartName(to.slice(folder.path.length + 1))).be.true();
        await disk.copyFile(from, to, mode);
        throw systemError('ENOSPC');
      };
      await should(keep(system({ link: noLinks, copyFile }))).be.rejectedWith({ code: 'ENOSPC' });
      should(names()).deepEqual(['a', 'part']);
    });
  });

  describe('moveToFreeName', () => {
    const move = (mover: FileMover): Promise<void> =>
      moveToFreeName(folder.file('part'), folder.file('to'), mover);

    for (const [name, calls] of [
      ['hard links', {}],
      ['no hard links', { link: noLinks }],
    ] as const) {
      it(`moves with ${name}, but never over another file`, async () => {
        await move(system(calls));
        should(names()).deepEqual(['to']);
        writeFileSync(folder.file('part'), 'newer');
        await should(move(system(calls))).be.rejectedWith({ code: 'EEXIST' });
        should(contentOf('to')).equal('new');
        should(names()).deepEqual(['part', 'to']);
      });
    }

    it('shows nothing under the name until the file has it, so that a kill leaves nothing there', async () => {
      const seen: string[][] = [];
      const rename = (): Promise<void> => {
        seen.push(names());
        return Promise.reject(systemError('EIO'));
      };
      await should(move(system({ link: noLinks, rename }))).be.rejectedWith({ code: 'EIO' });
      should(seen[0]!.filter((name) => !isPartName(name))).deepEqual(['part']);
      should(names()).deepEqual(['part']);
    });

    it('lets one of many have the name', async () => {
      const contents = Array.from({ length: 8 }, (_, index) => `upload ${index}`);
      const moves = contents.map((content) => {
        writeFileSync(folder.file(content), content);
        const moved = moveToFreeName(
          folder.file(content),
          folder.file('to'),
          system({ link: noLinks }),
        );
        return moved.then(
          () => content,
          () => undefined,
        );
      });
      const winners = (await Promise.all(moves)).filter((content) => content !== undefined);
      should(winners).have.length(1);
      should(contentOf('to')).equal(winners[0]);
    });

    it('waits for a lock, and takes it over if it was left behind', async () => {
      const lock = lockPath(folder.file('to'));
      should(lock).equal(lockPath(folder.file('TO')).replace('.TO.', '.to.'));
      writeFileSync(lock, '');
      await move(system({ link: noLinks }));
      should(waited).be.within(2000, 5000);
      should(names()).deepEqual(['to']);
    });
  });
});
