import * as fc from 'fast-check';
import should = require('should');
import { Glob } from '../../src/server/glob';

/** Obviously right, and slow: tries every way to split the name. Knows no case and no leading `/`. */
function oracle(pattern: string, name: string, isStart = true): boolean {
  if (pattern === '') return name === '';
  const splits = Array.from({ length: name.length + 1 }, (_, at) => at);
  if (isStart && /^\*\*+\//.test(pattern)) {
    const rest = pattern.replace(/^\*+\//, '');
    return splits.some(
      (at) => (at === 0 || name[at - 1] === '/') && oracle(rest, name.slice(at), true),
    );
  }
  if (pattern.startsWith('*')) {
    const [stars] = /^\*+/.exec(pattern)!;
    const rest = pattern.slice(stars.length);
    return splits.some(
      (at) =>
        (stars.length > 1 || !name.slice(0, at).includes('/')) &&
        oracle(rest, name.slice(at), false),
    );
  }
  if (name === '') return false;
  const [first] = pattern;
  const fits =
    first === '?'
      ? name[0] !== '/'
      : first === '['
        ? pattern.startsWith('[!')
          ? !'ab/'.includes(name[0]!)
          : 'ab'.includes(name[0]!)
        : first === name[0];
  const length = first === '[' ? pattern.indexOf(']') + 1 : 1;
  return fits && oracle(pattern.slice(length), name.slice(1), first === '/');
}

describe('Glob', () => {
  for (const [pattern, fitting, others] of [
    ['*.cfg', ['a.cfg', '.cfg'], ['a.CFG', 'a.cfgx', 'dir/a.cfg', 'cfg']],
    ['/boot/*', ['boot/a', 'boot/'], ['boot', 'boot/a/b', '/boot/a']],
    ['firmware/**', ['firmware/a', 'firmware/a/b'], ['firmware', 'x/firmware/a']],
    ['**/a.bin', ['a.bin', 'x/a.bin', 'x/y/a.bin'], ['xa.bin', 'x/ya.bin', 'a.bin/']],
    ['x/**/a', ['x/a', 'x/y/a', 'x/y/z/a'], ['xa', 'x/ya']],
    ['**', ['', 'a', 'a/b'], []],
    ['a**z', ['az', 'a/b/z'], ['a/b']],
    ['a**/z', ['a/z', 'ab/c/z'], ['az']],
    ['?.bin', ['a.bin', 'ä.bin', '😀.bin'], ['.bin', 'ab.bin', '/.bin']],
    ['[a-cx].1', ['b.1', 'x.1'], ['d.1', '.1']],
    ['[!a-c].1', ['d.1'], ['a.1', '/.1', '.1']],
    ['[^a].1', ['b.1'], ['a.1']],
    ['[]a].1', ['].1', 'a.1'], ['b.1']],
    ['[*][?][[]', ['*?['], ['abc']],
    ['a.b+c$', ['a.b+c$'], ['aXb+c$', 'a.bbc$']],
    ['a\nb*', ['a\nb', 'a\nb\n'], ['ab']],
  ] as const) {
    it(JSON.stringify(pattern), () => {
      const glob = new Glob(pattern);
      for (const name of fitting) should(glob.matches(name)).equal(true, name);
      for (const name of others) should(glob.matches(name)).equal(false, name);
    });
  }

  it('takes upper and lower case for the same if it is told so', () => {
    const glob = new Glob('SEP[0-9A-F]*.XML', true);
    should(glob.matches('sepa1.xml')).equal(true);
    should(new Glob('SEP*').matches('sep')).equal(false);
  });

  it('matches what a simple-minded matcher matches', () => {
    const parts = ['a', 'b', 'c', '/', '*', '**', '**/', '?', '[ab]', '[!ab]'];
    const pattern = fc
      .array(fc.constantFrom(...parts), { minLength: 1, maxLength: 7 })
      .map((list) => list.join(''))
      .filter((text) => !text.startsWith('/'));
    const name = fc
      .array(fc.constantFrom('a', 'b', 'c', '/'), { maxLength: 8 })
      .map((list) => list.join(''));
    fc.assert(
      fc.property(pattern, name, (text, given) => {
        should(new Glob(text).matches(given)).equal(oracle(text, given));
      }),
      { numRuns: 5000 },
    );
  });

  it('is not slowed down by many stars', () => {
    const glob = new Glob(`${'*a'.repeat(100)}${'**b'.repeat(100)}`);
    should(glob.matches('a'.repeat(255))).equal(false);
  });

  for (const [pattern, why] of [
    ['', 'it is empty'],
    ['/', 'it is empty'],
    ['a[b', 'a \\[ has no \\]'],
    ['a[]', 'a \\[ has no \\]'],
    ['[z-a]', 'z-a runs backwards'],
  ] as const) {
    it(`refuses "${pattern}"`, () => {
      should(() => new Glob(pattern)).throw(new RegExp(`cannot be used: ${why}`), {
        code: 'EINVAL',
      });
    });
  }
});
