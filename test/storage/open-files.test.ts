/** Sharing of open files, and all that may happen to a file and its path meanwhile. */

import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import should = require('should');
import { CaseLookup } from '../../src/storage/case-lookup';
import { LocalDisks } from '../../src/storage/local-disks';
import { NeighbourTable } from '../../src/storage/neighbour-table';
import { OpenFiles } from '../../src/storage/open-files';
import { openRegularFile } from '../../src/storage/opened-file';
import { remotePath } from '../../src/storage/remote-path';
import { SearchFolder, type LookupOptions } from '../../src/storage/search-folder';
import type { DataSource } from '../../src/storage/storage';
import { failureOf, readAll } from '../helpers/content';
import { descriptorsOf, untilOpen } from '../helpers/descriptors';
import { skip } from '../helpers/requirements';
import { useTempFolder } from '../helpers/temp-folder';

const CHANGED = 'The file was changed while it was read';
const CLIENT = { address: '192.0.2.7', port: 50_000 };

/** A clock by which every file of a test is ten seconds old, unless it is set otherwise. */
class TestClock {
  age = 10_000;
  #now = 0;
  #waiting: { at: number; action: () => void }[] = [];
  readonly date = (): number => Date.now() + this.age;
  readonly now = (): number => this.#now;
  readonly after = (wait: number, action: () => void): void => {
    this.#waiting.push({ at: this.#now + wait, action });
  };

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    const due = this.#waiting.filter(({ at }) => at <= this.#now);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#now);
    for (const { action } of due) action();
  }
}

describe('OpenFiles', () => {
  const folder = useTempFolder();
  let clock: TestClock;
  let files: OpenFiles;
  let sources: DataSource[];

  /** Node tells of each descriptor that nobody has closed. */
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);

  before(function () {
    if (process.platform !== 'linux') skip(this, 'files are shared on Linux only');
    process.on('warning', note);
  });

  after(() => {
    process.off('warning', note);
    should(warnings).be.empty();
  });

  beforeEach(async function () {
    clock = new TestClock();
    files = new OpenFiles(clock);
    sources = [];
    const { dev } = statSync(folder.path, { bigint: true });
    if (!(await new LocalDisks().has(folder.path, dev)))
      skip(this, 'files are shared on local disks only, and the folder for tests lies elsewhere');
    mkdirSync(folder.file('root', 'sub'), { recursive: true });
    mkdirSync(folder.file('out'));
    writeFileSync(folder.file('out', 'a'), 'secret');
    writeFileSync(folder.file('root', 'a'), 'content of a');
    writeFileSync(folder.file('root', 'sub', 'b'), 'content of b');
  });

  afterEach(async () => {
    await Promise.all(sources.map((source) => source.close()));
    clock.advance(20_000);
    await untilOpen(folder.path, 0);
  });

  function searchFolder(options: Partial<LookupOptions> = {}): SearchFolder {
    const lookup = { perClient: undefined, otherCase: undefined, ...options };
    return new SearchFolder(folder.file('root'), lookup, new NeighbourTable());
  }

  /** Opens as a client would; undefined if there is no such file. */
  async function open(name: string, options?: Partial<LookupOptions>): Promise<DataSource> {
    const source = await searchFolder(options).open(remotePath(name), CLIENT, files);
    should(source).not.be.undefined();
    sources.push(source!);
    return source!;
  }

  async function read(name: string, options?: Partial<LookupOptions>): Promise<string> {
    return (await readAll(await open(name, options))).toString();
  }

  const opened = (name: string): number => descriptorsOf(folder.file('root', name)).length;

  /** How often the full procedure runs for a path. */
  function counting(path: string) {
    let count = 0;
    const openChecked = () => {
      count += 1;
      return openRegularFile(path);
    };
    const openOne = async (): Promise<string> =>
      (await readAll((await files.open(path, openChecked))!)).toString();
    return { open: openOne, count: () => count };
  }

  describe('sharing', () => {
    it('opens a file once for all who read it at the same time', async () => {
      const all = await Promise.all(Array.from({ length: 50 }, () => open('a')));
      should(opened('a')).equal(1);
      for (const source of all) should((await readAll(source)).toString()).equal('content of a');
      should(opened('a')).equal(1);
    });

    it('checks a path in full once for all who come meanwhile, and for five seconds', async () => {
      const file = counting(folder.file('root', 'a'));
      const storm = await Promise.all(Array.from({ length: 50 }, () => file.open()));
      should(new Set(storm)).deepEqual(new Set(['content of a']));
      await file.open();
      clock.advance(4999);
      await file.open();
      should(file.count()).equal(1);
      const reader = await open('a');
      clock.advance(2);
      await file.open();
      should(file.count()).equal(2);
      should((await readAll(reader)).toString()).equal('content of a');
      await file.open();
      should(file.count()).equal(2);
      await untilOpen(folder.file('root', 'a'), 1);
      writeFileSync(folder.file('root', 'a'), 'other content');
      const next = await Promise.all(Array.from({ length: 50 }, () => file.open()));
      should(new Set(next)).deepEqual(new Set(['other content']));
      should(file.count()).equal(3);
    });

    it('lets each try by itself if the first one failed', async () => {
      let calls = 0;
      const openChecked = async () => {
        calls += 1;
        if (calls === 1) throw new Error('once');
        return openRegularFile(folder.file('root', 'a'));
      };
      const path = folder.file('root', 'a');
      const both = await Promise.allSettled([
        files.open(path, openChecked),
        files.open(path, openChecked),
      ]);
      should(both.map(({ status }) => status)).deepEqual(['rejected', 'fulfilled']);
      await files.open(path, openChecked).then((source) => source?.close());
      for (const result of both) if (result.status === 'fulfilled') await result.value?.close();
    });

    it('reads a long file as it is, by many at different paces', async () => {
      const content = Buffer.alloc(700_001, 'abcdefg');
      writeFileSync(folder.file('root', 'long'), content);
      const all = await Promise.all(Array.from({ length: 10 }, () => open('long')));
      const wholes = all.map(async (source, i) => {
        const parts: Uint8Array[] = [];
        for (;;) {
          const part = await source.read(10_000 * (i + 1));
          if (part === undefined) return Buffer.concat(parts);
          parts.push(part);
        }
      });
      for (const whole of await Promise.all(wholes)) should(whole.equals(content)).be.true();
    });

    it('has a lone reader read just what it wants after 16 KiB', async () => {
      writeFileSync(folder.file('root', 'long'), Buffer.alloc(100_000));
      const source = await open('long');
      should(await source.read(99_000)).have.length(16_384);
      const part = await source.read(1000);
      should(part).have.length(1000);
      should(part?.buffer.byteLength).equal(1000);
    });

    it('reads once what two want, and for the last one just what it wants', async () => {
      writeFileSync(folder.file('root', 'long'), Buffer.alloc(100_000));
      const [one, two] = [await open('long'), await open('long')];
      await Promise.all([one.read(), two.read()]);
      const [first, second] = await Promise.all([one.read(1000), two.read(2000)]);
      should(first?.buffer).equal(second?.buffer);
      await one.close();
      should((await two.read(3000))?.buffer.byteLength).equal(3000);
    });

    it('opens a file again that was closed while it was looked at', async () => {
      const path = folder.file('root', 'a');
      const openChecked = () => openRegularFile(path);
      await files.open(path, openChecked).then((source) => source?.close());
      const opening = files.open(path, openChecked);
      clock.advance(20_000);
      should((await readAll((await opening)!)).toString()).equal('content of a');
    });

    it('gives many stalled readers views of the same bytes', async () => {
      writeFileSync(folder.file('root', 'long'), Buffer.alloc(100_000));
      const all = await Promise.all(Array.from({ length: 500 }, () => open('long')));
      const buffers = new Set<ArrayBufferLike>();
      for (const source of all) {
        buffers.add((await source.read(2048))!.buffer);
        buffers.add((await source.read(4096))!.buffer);
      }
      should(buffers.size).equal(1);
    });

    it('looks for the folder of a client anew each time', async () => {
      mkdirSync(folder.file('root', CLIENT.address));
      writeFileSync(folder.file('root', CLIENT.address, 'a'), 'own');
      should(await read('a')).equal('content of a');
      should(await read('a', { perClient: 'ip' })).equal('own');
      rmSync(folder.file('root', CLIENT.address), { recursive: true });
      should(await read('a', { perClient: 'ip' })).equal('content of a');
    });

    it('takes the exact spelling as soon as there is one', async () => {
      should(await read('A', { otherCase: new CaseLookup() })).equal('content of a');
      should(await read('A', { otherCase: new CaseLookup() })).equal('content of a');
      writeFileSync(folder.file('root', 'A'), 'upper');
      should(await read('A', { otherCase: new CaseLookup() })).equal('upper');
      unlinkSync(folder.file('root', 'A'));
      should(await read('A', { otherCase: new CaseLookup() })).equal('content of a');
    });
  });

  describe('closing', () => {
    it('closes what nobody reads some seconds later', async () => {
      const source = await open('a');
      clock.advance(20_000);
      should(opened('a')).equal(1);
      await source.close();
      should(opened('a')).equal(1);
      clock.advance(10_001);
      await untilOpen(folder.path, 0);
      should(await read('a')).equal('content of a');
    });

    it('keeps at most 32 files, and those that are read', async () => {
      const names = Array.from({ length: 40 }, (_, i) => `file${i}`);
      for (const name of names) writeFileSync(folder.file('root', name), name);
      const first = await open('file0');
      for (const name of names.slice(1)) await read(name);
      await untilOpen(folder.path, 33);
      should((await readAll(first)).toString()).equal('file0');
      await untilOpen(folder.path, 32);
      clock.advance(6000);
      await untilOpen(folder.path, 0);
    });

    it('may be closed twice, and during a read', async () => {
      const source = await open('a');
      const reading = source.read();
      await source.close();
      await source.close();
      should(Buffer.from((await reading)!).toString()).equal('content of a');
      should(await failureOf(source.read())).have.property('code', 'EIO');
      clock.advance(10_001);
      await untilOpen(folder.path, 0);
    });

    it('leaves nothing open of what it refuses', async () => {
      execFileSync('mkfifo', [folder.file('root', 'fifo')]);
      symlinkSync('../out', folder.file('root', 'link'));
      symlinkSync('/dev/zero', folder.file('root', 'zero'));
      symlinkSync('none', folder.file('root', 'broken'));
      const others = descriptorsOf('/dev/zero').length;
      for (const name of ['fifo', 'link/a', 'link/none', 'zero', 'sub'])
        should(await failureOf(open(name))).have.property('code', 'EACCES');
      for (const name of ['none', 'broken', 'sub/none', 'a/b'])
        should(await searchFolder().open(remotePath(name), CLIENT, files)).be.undefined();
      should(descriptorsOf(folder.path)).be.empty();
      should(descriptorsOf('/dev/zero')).have.length(others);
    });
  });

  describe('a file that changes', () => {
    const file = (): string => folder.file('root', 'a');

    it('is another once it is replaced; who reads the old one reads on', async () => {
      const old = await open('a');
      writeFileSync(folder.file('root', 'new'), 'CONTENT OF A');
      renameSync(folder.file('root', 'new'), file());
      should(await read('a')).equal('CONTENT OF A');
      const part = await old.read(5);
      should(part?.buffer.byteLength).equal(5);
      should((await readAll(old)).toString()).equal('nt of a');
    });

    it('is read anew when it is rewritten in place, with its size and date', async () => {
      should(await read('a')).equal('content of a');
      const { atime, mtime } = statSync(file());
      writeFileSync(file(), 'CONTENT OF A');
      utimesSync(file(), atime, mtime);
      should(await read('a')).equal('CONTENT OF A');
    });

    for (const [name, change, now] of [
      ['became shorter', () => truncateSync(file(), 4), 'cont'],
      ['grows', () => appendFileSync(file(), ' and more'), 'content of a and more'],
      ['is overwritten in place', () => writeFileSync(file(), 'CONTENT OF A'), 'CONTENT OF A'],
    ] as const) {
      it(`is an error for all who read it when it ${name}`, async () => {
        const sources = [await open('a'), await open('a')];
        should(await sources[0]!.read(5)).have.length(5);
        change();
        for (const source of sources)
          should(await failureOf(readAll(source))).have.properties({
            code: 'EIO',
            message: CHANGED,
          });
        should(await read('a')).equal(now);
      });
    }

    it('never mixes chunks of two versions', async () => {
      writeFileSync(file(), Buffer.alloc(600_000, 'o'));
      const first = await open('a');
      const second = await open('a');
      await first.read(16 * 1024);
      writeFileSync(file(), Buffer.alloc(600_000, 'n'));
      const third = await open('a');
      should(await failureOf(readAll(second))).have.property('message', CHANGED);
      should((await readAll(third)).equals(Buffer.alloc(600_000, 'n'))).be.true();
      should(await failureOf(readAll(first))).have.property('message', CHANGED);
    });

    it('is gone for the next reader when it is deleted', async () => {
      const old = await open('a');
      unlinkSync(file());
      should(await searchFolder().open(remotePath('a'), CLIENT, files)).be.undefined();
      should((await readAll(old)).toString()).equal('content of a');
    });

    it('is checked in full when its permissions change', async () => {
      const counted = counting(file());
      await counted.open();
      chmodSync(file(), 0o600);
      await counted.open();
      should(counted.count()).equal(2);
    });

    it('is not shared so soon after a change that the next one might not be seen', async () => {
      clock.age = 1500;
      const both = [await open('a'), await open('a')];
      should(opened('a')).equal(2);
      await Promise.all(both.map((source) => source.close()));
      should(opened('a')).equal(0);
      utimesSync(file(), 0, Date.now() / 1000 + 3600);
      clock.age = 10_000;
      await open('a');
      await open('a');
      should(opened('a')).equal(2);
    });

    it('is not shared while it is empty, and an error if it grows', async () => {
      writeFileSync(file(), '');
      const both = [await open('a'), await open('a')];
      should(opened('a')).equal(2);
      appendFileSync(file(), 'more');
      for (const source of both)
        should(await failureOf(readAll(source))).have.property('message', CHANGED);
    });

    it('is read to its end, alone, if it has no size', async () => {
      const path = '/proc/self/status';
      const found = await files.open(path, () =>
        openRegularFile(path.replace('self', `${process.pid}`)),
      );
      should(found?.size).equal(0);
      should((await readAll(found!)).toString()).match(/^Name:/);
      should(descriptorsOf(`/proc/${process.pid}/status`)).be.empty();
    });
  });

  describe('a path that changes', () => {
    it('is refused when a link on the way leads out of the folder now', async () => {
      symlinkSync('sub', folder.file('root', 'way'));
      writeFileSync(folder.file('out', 'b'), 'secret');
      should(await read('way/b')).equal('content of b');
      unlinkSync(folder.file('root', 'way'));
      symlinkSync('../out', folder.file('root', 'way'));
      should(await failureOf(open('way/b'))).have.property('code', 'EACCES');
    });

    it('is refused when its folder was swapped for a link out', async () => {
      should(await read('sub/b')).equal('content of b');
      writeFileSync(folder.file('out', 'b'), 'content of b');
      renameSync(folder.file('root', 'sub'), folder.file('root', 'old'));
      symlinkSync('../out', folder.file('root', 'sub'));
      should(await failureOf(open('sub/b'))).have.property('code', 'EACCES');
    });

    it('is refused some seconds after the folder itself has moved out', async () => {
      should(await read('sub/b')).equal('content of b');
      renameSync(folder.file('root', 'sub'), folder.file('out', 'sub'));
      symlinkSync('../out/sub', folder.file('root', 'sub'));
      clock.advance(5001);
      should(await failureOf(open('sub/b'))).have.property('code', 'EACCES');
    });

    it('leads nowhere when its folder is renamed', async () => {
      should(await read('sub/b')).equal('content of b');
      renameSync(folder.file('root', 'sub'), folder.file('root', 'moved'));
      should(await searchFolder().open(remotePath('sub/b'), CLIENT, files)).be.undefined();
      should(await read('moved/b')).equal('content of b');
    });

    it('leads to another file when a link or a hard link takes its place', async () => {
      writeFileSync(folder.file('root', 'c'), 'content of c');
      should(await read('a')).equal('content of a');
      unlinkSync(folder.file('root', 'a'));
      linkSync(folder.file('root', 'c'), folder.file('root', 'a'));
      should(await read('a')).equal('content of c');
      unlinkSync(folder.file('root', 'a'));
      symlinkSync('sub/b', folder.file('root', 'a'));
      should(await read('a')).equal('content of b');
    });

    it('is refused when a pipe or a folder takes its place', async () => {
      should(await read('a')).equal('content of a');
      unlinkSync(folder.file('root', 'a'));
      execFileSync('mkfifo', [folder.file('root', 'a')]);
      should(await failureOf(open('a'))).have.property('code', 'EACCES');
      unlinkSync(folder.file('root', 'a'));
      mkdirSync(folder.file('root', 'a'));
      should(await failureOf(open('a'))).have.property('code', 'EACCES');
    });

    it('gives what was found before, whatever takes its place while it is read', async () => {
      const source = await open('a');
      unlinkSync(folder.file('root', 'a'));
      symlinkSync('../out/a', folder.file('root', 'a'));
      should((await readAll(source)).toString()).equal('content of a');
    });

    it('is not opened under the name of an upload', async () => {
      const part = '.a.0123456789abcdef.tftp-part';
      writeFileSync(folder.file('root', part), 'part');
      should(await read('a')).equal('content of a');
      renameSync(folder.file('root', part), folder.file('root', 'sub', part));
      unlinkSync(folder.file('root', 'a'));
      symlinkSync(`sub/${part}`, folder.file('root', 'a'));
      should(await failureOf(open('a'))).have.property('code', 'EACCES');
    });
  });
});
