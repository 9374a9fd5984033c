import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import should = require('should');
import { Leftovers } from '../../src/storage/leftovers';
import { PartFile, partPath } from '../../src/storage/part-file';
import { isGone, thisWriter } from '../../src/storage/part-writer';
import { skipUnless, skipWithoutSymlinks } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';

const MINUTE = 60_000;

/** A clock that a test moves. The disk has its own. */
class TestClock {
  passed = 0;
  #waiting: { at: number; action: () => void }[] = [];
  readonly date = (): number => Date.now();
  readonly now = (): number => this.passed;
  readonly after = (wait: number, action: () => void): void => {
    this.#waiting.push({ at: this.passed + wait, action });
  };

  advance(milliseconds: number): void {
    this.passed += milliseconds;
    const due = this.#waiting.filter(({ at }) => at <= this.passed);
    this.#waiting = this.#waiting.filter(({ at }) => at > this.passed);
    for (const { action } of due) action();
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }
}

describe('Leftovers', () => {
  const folder = useTempFolder();
  const RANDOM = '0123abcd';
  const { place, started } = thisWriter();
  const names = (): string[] => readdirSync(folder.file('sub')).toSorted();
  const remove = (): Promise<number> => new Leftovers(folder.path, new TestClock()).remove();

  beforeEach(() => mkdirSync(folder.file('sub')));

  function leave(name: string, age = 0): void {
    writeFileSync(folder.file('sub', name), 'part');
    const time = (Date.now() - age) / 1000;
    utimesSync(folder.file('sub', name), time, time);
  }

  /** The number of a process that was there and is gone. */
  const gone = (): number => spawnSync(process.execPath, ['-e', '']).pid;

  it('removes at once what is of a process that is gone, and nothing else', async () => {
    leave(`.a.${place}-${gone()}-${started}-${RANDOM}.tftp-part`);
    leave(`.b.cfg.${place}-${gone()}-${started}-${RANDOM}.tftp-part`);
    const others = ['.c.tftp-part', `c.${place}-1-1-${RANDOM}.tftp-part`, '.keep.tftp-part.txt'];
    for (const name of others) leave(name, 24 * 60 * MINUTE);
    should(await remove()).equal(2);
    should(names()).deepEqual(others.toSorted());
  });

  it('keeps what a process may write that cannot be seen from here', async () => {
    // The number is of nobody here, but the place is another container, or another machine.
    leave(`.a.ffffffff-${gone()}-${started}-${RANDOM}.tftp-part`);
    leave(`.b.${RANDOM}${RANDOM}.tftp-part`);
    leave(`.c.${place}-${process.pid}-${started}-${RANDOM}.tftp-part`, 9 * MINUTE);
    const all = names();
    should(await remove()).equal(0);
    should(names()).deepEqual(all);
  });

  it('removes what nobody has touched for ten minutes, whoever it is of', async () => {
    leave(`.a.ffffffff-1-1-${RANDOM}.tftp-part`, 11 * MINUTE);
    leave(`.b.${RANDOM}${RANDOM}.tftp-part`, 11 * MINUTE);
    // As after the crash of a worker thread.
    leave(`.c.${place}-${process.pid}-${started}-${RANDOM}.tftp-part`, 11 * MINUTE);
    should(await remove()).equal(3);
    should(names()).deepEqual([]);
  });

  it('looks again later, as long as there is something that may be left', async () => {
    const clock = new TestClock();
    const leftovers = new Leftovers(folder.path, clock);
    const name = `.a.ffffffff-1-1-${RANDOM}.tftp-part`;
    leave(name);
    should(await leftovers.remove()).equal(0);
    should(names()).deepEqual([name]);
    leave(name, 11 * MINUTE);
    clock.advance(11 * MINUTE);
    while (names().length > 0) await new Promise(setImmediate);
    await leftovers.remove();
    should(clock.isWaiting).be.false();
  });

  it('looks again with an upload, ten minutes after the last time', async () => {
    const clock = new TestClock();
    const leftovers = new Leftovers(folder.path, clock);
    await leftovers.remove();
    leave(`.a.${RANDOM}${RANDOM}.tftp-part`, 11 * MINUTE);
    clock.advance(10 * MINUTE - 1);
    leftovers.removeIfDue();
    should(names()).have.length(1);
    clock.advance(1);
    leftovers.removeIfDue();
    await leftovers.remove();
    should(names()).deepEqual([]);
  });

  it('keeps the uploads that run in this thread, whatever their age', async () => {
    const part = await PartFile.create(folder.file('sub', 'new'));
    utimesSync(part.path, 0, 0);
    should(await remove()).equal(0);
    should(existsSync(part.path)).be.true();
    await part.remove();
  });

  it('has a file dated anew each minute while its upload runs, and no longer', async () => {
    const clock = new TestClock();
    const part = await PartFile.create(folder.file('sub', 'new'), undefined, clock);
    for (const minute of [1, 2, 3]) {
      utimesSync(part.path, minute, minute);
      clock.advance(MINUTE);
      while (statSync(part.path).mtimeMs < Date.now() - MINUTE) await new Promise(setImmediate);
    }
    await part.remove();
    clock.advance(MINUTE);
    should(clock.isWaiting).be.false();
  });

  it('does not follow links, and finds nothing where no folder is', async function () {
    skipWithoutSymlinks(this);
    mkdirSync(folder.file('outside'));
    const name = `.a.${RANDOM}${RANDOM}.tftp-part`;
    writeFileSync(folder.file('outside', name), '');
    utimesSync(folder.file('outside', name), 0, 0);
    symlinkSync('../outside', folder.file('sub', 'link'));
    should(await new Leftovers(folder.file('sub'), new TestClock()).remove()).equal(0);
    should(existsSync(folder.file('outside', name))).be.true();
    should(await new Leftovers(folder.file('none'), new TestClock()).remove()).equal(0);
  });
});

describe('the name of a temporary file', () => {
  it('is of 255 bytes at most, whatever the target is called', () => {
    for (const name of ['x'.repeat(255), '🚀'.repeat(63), '固'.repeat(85)]) {
      should(Buffer.byteLength(partPath(`/${name}`))).be.belowOrEqual(256);
    }
  });

  it('tells that a process is gone whose number has been given away again', function () {
    const own = thisWriter();
    should(isGone(own)).be.false();
    skipUnless(this, own.started !== 0, 'only Linux tells when a process was started');
    should(isGone({ ...own, started: own.started - 1 })).be.true();
    should(isGone({ ...own, place: 'ffffffff', started: 1 })).be.false();
  });
});
