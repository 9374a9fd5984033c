import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import should = require('should');
import { CaseLookup } from '../../src/storage/case-lookup';
import { disk } from '../../src/storage/disk';
import { skipWithoutRawNames } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';

describe('CaseLookup', () => {
  const folder = useTempFolder();
  const { entries } = disk;
  let now = 0;
  let readings = 0;
  /** How long it takes to read a folder. */
  let takes = 0;
  /** By this clock every folder was changed ten seconds ago, unless a test says otherwise. */
  let age = 10_000;
  const clock = { date: () => Date.now() + age, now: () => now, after: () => undefined };

  beforeEach(() => {
    [now, readings, takes, age] = [0, 0, 0, 10_000];
    disk.entries = (...args) => {
      readings += 1;
      now += takes;
      return entries(...args);
    };
    for (const name of ['Phone.CFG', 'b', 'B']) writeFileSync(folder.file(name), '');
  });
  afterEach(() => void (disk.entries = entries));

  /** A folder that is changed now looks different, however coarse the clock of the disk is. */
  let changes = 0;
  function add(name: string): void {
    writeFileSync(folder.file(name), '');
    const time = 1_000_000 + (changes += 10);
    utimesSync(folder.path, time, time);
  }

  it('finds the first name that differs in nothing but case', async () => {
    const lookup = new CaseLookup(100, clock);
    should(await lookup.spelling(folder.path, 'PHONE.cfg')).equal('Phone.CFG');
    // They are one file where the file system ignores case.
    const [first] = readdirSync(folder.path)
      .filter((name) => /^b$/i.test(name))
      .toSorted();
    should(await lookup.spelling(folder.path, 'b')).equal(first);
    should(await lookup.spelling(folder.path, 'c')).be.undefined();
    should(await lookup.spelling(folder.file('none'), 'c')).be.undefined();
    should(await lookup.spelling(folder.file('b'), 'c')).be.undefined();
  });

  it('reads a folder once as long as nothing changes in it, and anew when something has', async () => {
    const lookup = new CaseLookup(100, clock);
    for (const name of ['x', 'y', 'PHONE.CFG', 'z']) await lookup.spelling(folder.path, name);
    should(readings).equal(1);
    add('Later');
    should(await lookup.spelling(folder.path, 'later')).equal('Later');
    should(readings).equal(2);
    rmSync(folder.file('Later'));
    utimesSync(folder.path, 1, 1);
    should(await lookup.spelling(folder.path, 'later')).be.undefined();
    should(readings).equal(3);
  });

  it('reads once for all who ask at the same time', async () => {
    const lookup = new CaseLookup(100, clock);
    const asked = Array.from({ length: 50 }, (_, index) =>
      lookup.spelling(folder.path, `x${index}`),
    );
    await Promise.all(asked);
    should(readings).equal(1);
  });

  it('does not trust a folder that was changed just before', async () => {
    age = 0;
    const lookup = new CaseLookup(100, clock);
    await lookup.spelling(folder.path, 'x');
    await lookup.spelling(folder.path, 'x');
    should(readings).equal(2);
  });

  it('reads again after a minute, as some network shares do not date folders', async () => {
    const lookup = new CaseLookup(100, clock);
    await lookup.spelling(folder.path, 'x');
    now += 59_999;
    await lookup.spelling(folder.path, 'x');
    should(readings).equal(1);
    now += 1;
    await lookup.spelling(folder.path, 'x');
    should(readings).equal(2);
  });

  it('spends a tenth of the time on a large folder that changes all the time', async () => {
    takes = 200;
    const lookup = new CaseLookup(100, clock);
    await lookup.spelling(folder.path, 'x');
    add('Later');
    now += 1999;
    should(await lookup.spelling(folder.path, 'later')).be.undefined();
    now += 1;
    should(await lookup.spelling(folder.path, 'later')).equal('Later');
    should(readings).equal(2);
  });

  it('finds a new name in three seconds, however long the reading takes', async () => {
    takes = 2000;
    const lookup = new CaseLookup(100, clock);
    await lookup.spelling(folder.path, 'x');
    add('Later');
    now += 3000;
    should(await lookup.spelling(folder.path, 'later')).equal('Later');
  });

  it('keeps so many names and no more, and forgets the folder that was not asked for for longest', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(folder.file(name));
      for (const file of ['A', 'B']) writeFileSync(folder.file(name, file), '');
    }
    const lookup = new CaseLookup(3, clock);
    for (const name of ['one', 'one', 'two', 'two', 'one'])
      should(await lookup.spelling(folder.file(name), 'a')).equal('A');
    should(readings).equal(3);
  });

  it('gives up on a folder with more names than can be kept, and reads it once too', async () => {
    const lookup = new CaseLookup(1, clock);
    should(await lookup.spelling(folder.path, 'PHONE.CFG')).be.undefined();
    should(await lookup.spelling(folder.path, 'x')).be.undefined();
    should(readings).equal(1);
  });

  it('keeps bytes that are not UTF-8', async function () {
    skipWithoutRawNames(this, folder.path);
    writeFileSync(Buffer.concat([Buffer.from(`${folder.path}/Caf`), Buffer.of(0xe9)]), '');
    should(await new CaseLookup(100, clock).spelling(folder.path, 'caf\udce9')).equal('Caf\udce9');
  });
});
