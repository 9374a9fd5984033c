import should = require('should');
import fc = require('fast-check');
import { PosixPattern } from '../../../src/server/names/posix-pattern';

/** What is found of a pattern, with `|` at its ends; undefined if nothing is. */
function found(source: string, text: string, ignoreCase = false): string | undefined {
  const match = new PosixPattern(source, { ignoreCase }).search(text);
  if (match === undefined) return undefined;
  const { begin, end } = match;
  return `${text.slice(0, begin)}|${text.slice(begin, end)}|${text.slice(end)}`;
}

function groups(source: string, text: string): readonly string[] | undefined {
  return new PosixPattern(source).search(text)?.groups.slice(1);
}

describe('PosixPattern', () => {
  const matches: [source: string, text: string, match: string | undefined][] = [
    ['b', 'abc', 'a|b|c'],
    ['', 'abc', '||abc'],
    ['^', 'abc', '||abc'],
    ['$', 'abc', 'abc||'],
    ['^$', '', '||'],
    ['^b', 'abc', undefined],
    ['a^b', 'a^b', undefined],
    ['a\\^b', 'a^b', '|a^b|'],
    ['a.c', 'xa\nc', 'x|a\nc|'],
    ['.', '\u{1F4DE}', '|\u{1F4DE}|'],
    ['^..$', '\u{1F4DE}é', '|\u{1F4DE}é|'],
    ['b*', 'abb', '||abb'],
    ['b+', 'abb', 'a|bb|'],
    ['ab?', 'abb', '|ab|b'],
    ['b{2}', 'abbb', 'a|bb|b'],
    ['b{2,}', 'abbbb', 'a|bbbb|'],
    ['b{1,2}', 'abbb', 'a|bb|b'],
    ['b{,2}c', 'bbbc', 'b|bbc|'],
    ['b{0}c', 'bc', 'b|c|'],
    ['(ab){2}', 'ababab', '|abab|ab'],
    ['a**', 'aa', '|aa|'],
    ['a+?', 'aa', '|aa|'],
    ['a|ab|abc', 'abcd', '|abc|d'],
    ['(a|ab)(c|bcd)(d*)', 'abcd', '|abcd|'],
    ['x|', 'ax', '||ax'],
    ['()a', 'ba', 'b|a|'],
    ['a)', 'a)', '|a)|'],
    ['a]}', 'a]}', '|a]}|'],
    ['[abc]+', 'xxbac', 'xx|bac|'],
    ['[^abc]+', 'abxyc', 'ab|xy|c'],
    ['[]a]+', 'x]a', 'x|]a|'],
    ['[^]a]+', ']ax', ']a|x|'],
    ['[a-c-]+', 'x-b', 'x|-b|'],
    ['[-a]+', 'x-a', 'x|-a|'],
    ['[\\/]+', 'a\\/b', 'a|\\/|b'],
    ['[[:digit:]_]+', 'a1_2', 'a|1_2|'],
    ['[^[:alpha:]]+', 'ab12', 'ab|12|'],
    ['[[:upper:][:space:]]+', 'aB C', 'a|B C|'],
    ['[[.-.][=a=]]+', 'x-a', 'x|-a|'],
    ['[[:xdigit:]]{12}', 'SEP00aBcDeF0011', 'SEP|00aBcDeF0011|'],
    ['[$^*.]+', 'a.*^$', 'a|.*^$|'],
    ['\\.cfg$', 'x.cfg', 'x|.cfg|'],
    ['\\\\', 'a\\b', 'a|\\|b'],
    ['\\ \\#\\/', 'a #/', 'a| #/|'],
    ['\\w+\\W', 'ab_1-', '|ab_1-|'],
    ['\\s\\S', 'a b', 'a| b|'],
    ['\\<b', 'ab b', 'ab |b|'],
    ['a\\>', 'ab a', 'ab |a|'],
    ['\\bb\\b', 'ab b', 'ab |b|'],
    ['\\Bb', 'b ab', 'b a|b|'],
  ];
  for (const [source, text, match] of matches) {
    it(`finds ${source} in ${JSON.stringify(text)}`, () => {
      should(found(source, text)).equal(match);
    });
  }

  it('ignores case if asked to, in brackets and classes too', () => {
    should(found('boot', 'BOOT')).equal(undefined);
    should(found('boot', 'xBoOT', true)).equal('x|BoOT|');
    should(found('[a-c]+', 'xABc', true)).equal('x|ABc|');
    should(found('[^a]', 'Aab', true)).equal('Aa|b|');
    should(found('[[:upper:]]+', '1aB', true)).equal('1|aB|');
    should(found('É', 'é', true)).equal('|é|');
  });

  /** As the GNU C library has it (sed -E). */
  const captures: [source: string, text: string, groups: string[]][] = [
    ['(a|ab)(c|bcd)(d*)', 'abcd', ['a', 'bcd', '']],
    ['(ab|a)(c|bcd)(d*)', 'abcd', ['ab', 'c', 'd']],
    ['(a|ab)(bc|c)?', 'abc', ['a', 'bc']],
    ['(week|wee)(night|knights)', 'weeknights', ['wee', 'knights']],
    ['(a?)(ab)?', 'ab', ['', 'ab']],
    ['(a?)(a?b)', 'ab', ['a', 'b']],
    ['(a*)(ab)*(b*)', 'abb', ['a', '', 'bb']],
    ['x*(x*)', 'xx', ['']],
    ['(x*)(x*)', 'xx', ['xx', '']],
    ['(a*)*', 'aa', ['aa']],
    ['(a*)*', 'b', ['']],
    ['(a*|b)*', 'aab', ['b']],
    ['(b?){1,2}', 'bx', ['b']],
    ['((.)*){1,3}', 'ab', ['ab', 'b']],
    ['(a|ab|b)*', 'ab', ['b']],
    ['(aba|ab|a)*', 'ababa', ['aba']],
    ['(ab|cd|abcd)*', 'abcd', ['cd']],
    ['a|(a)', 'a', ['']],
    ['((a)|b)*', 'ab', ['b', 'a']],
    ['((a)|(b))c', 'bc', ['b', '', 'b']],
    ['^(.*)/([^/]*)$', '/a/b/c', ['/a/b', 'c']],
    ['(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)', 'abcdefghij', 'abcdefghi'.split('')],
  ];
  for (const [source, text, wanted] of captures) {
    it(`divides ${text} among the groups of ${source}`, () => {
      should(groups(source, text)).deepEqual(wanted);
    });
  }

  const mistakes: [source: string, says: RegExp][] = [
    ['(a', /a \( is never closed by \)/],
    ['[a', /a \[ is never closed by \]/],
    ['[]', /a \[ is never closed by \]/],
    ['[[:alpha]', /a \[: is never closed by :\]/],
    ['[[:letter:]]', /\[:letter:\] is no class: use one of alnum, /],
    ['[[.space.]]', /\[\.space\.\] is not supported: write the character itself/],
    ['[z-a]', /the range z-a is upside down/],
    ['*a', /nothing stands before \* that it could repeat/],
    ['a|+', /nothing stands before \+ /],
    ['(?:a)', /nothing stands before \? /],
    ['^*', /nothing stands before \* /],
    ['{2}', /nothing stands before \{ /],
    ['a{', /after \{ there must be counts/],
    ['a{,}', /after \{ there must be counts/],
    ['a{x}', /after \{ there must be counts/],
    ['a{3,2}', /\{3,2\} is upside down/],
    ['a{256}', /\{256\} is too much: the largest count is 255/],
    ['(a{200}){200}', /the pattern is too large/],
    ['('.repeat(200) + ')'.repeat(200), /too many groups/],
    ['a\\', /it ends with a \\ that protects nothing/],
    ['(a)\\1', /\\1 stands in the pattern: back-references are not supported/],
    ['\\d+', /\\d means nothing in POSIX patterns: for digits write \[0-9\]/],
  ];
  for (const [source, says] of mistakes) {
    it(`refuses ${source.slice(0, 20)}`, () => {
      should(() => new PosixPattern(source)).throw(says, { code: 'EINVAL' });
    });
  }

  it('does not match ^ at the begin of a continued text', () => {
    const pattern = new PosixPattern('^a');
    should(pattern.search('a', { continued: true })).equal(undefined);
    should(pattern.search('a')).match({ begin: 0, end: 1 });
  });

  const runaways = ['(a*)*b', '(a+)+$b', '(a|a)*b', '(a|aa)+b', '(a*)*(a*)*(a*)*b', '(.*a){12}b'];
  for (const source of runaways) {
    it(`follows ${source} through 255 letters in steps that grow with the text only`, () => {
      const pattern = new PosixPattern(source);
      const work = (length: number): number => {
        const budget = { left: 1e9 };
        should(pattern.search('a'.repeat(length), { budget })).equal(undefined);
        return 1e9 - budget.left;
      };
      const long = work(255);
      long.should.be.below(255 * 1000);
      long.should.be.below(work(51) * 5.5);
    });
  }

  it('gives up when the budget is used up', () => {
    const budget = { left: 100 };
    should(new PosixPattern('(a*)*b').search('a'.repeat(255), { budget })).equal(undefined);
    budget.left.should.be.below(0);
  });

  it('finds the leftmost and longest match, as a slow search does', () => {
    fc.assert(
      fc.property(tree, text, (node, input) => {
        const match = new PosixPattern(write(node)).search(input);
        const wanted = slowSearch(node, input);
        should(match && [match.begin, match.end]).deepEqual(wanted);
      }),
      { numRuns: 2000, seed: 3 },
    );
  });

  it('divides a match among groups as JavaScript does, where there is only one way', () => {
    const letters = fc.stringMatching(/^[ab]{1,3}$/);
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 4 }), text, (parts, input) => {
        const source = parts.map((part, index) => `(${part}+)${'xyz-'[index]}?`).join('');
        const match = new PosixPattern(`^[^ab]*${source}`).search(input);
        const wanted = new RegExp(`^[^ab]*${source}`).exec(input);
        should(match?.groups).deepEqual(wanted ? [...wanted] : undefined);
      }),
      { numRuns: 500, seed: 4 },
    );
  });
});

/** A pattern as a tree, for the slow search. */
type Tree =
  | { readonly letter: string }
  | { readonly items: readonly Tree[] }
  | { readonly branches: readonly Tree[] }
  | { readonly body: Tree; readonly least: number; readonly most: number };

const text = fc.stringMatching(/^[abx]{0,8}$/);

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.record({ letter: fc.constantFrom('a', 'b', '.') }),
    fc.record({ items: fc.array(tie('tree'), { maxLength: 3 }) }),
    fc.record({ branches: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
    fc.record({
      body: tie('tree'),
      least: fc.constantFrom(0, 1, 2),
      most: fc.constantFrom(2, 3, Infinity),
    }),
  ),
}));

function write(node: Tree): string {
  if ('letter' in node) return node.letter;
  if ('items' in node) return `(${node.items.map(write).join('')})`;
  if ('branches' in node) return `(${node.branches.map(write).join('|')})`;
  const most = node.most === Infinity ? '' : node.most;
  return `(${write(node.body)}){${node.least},${most}}`;
}

/** All places where the tree can end. */
function ends(node: Tree, input: string, from: number): ReadonlySet<number> {
  if ('letter' in node) {
    const letter = input[from];
    const fits = letter !== undefined && (node.letter === '.' || node.letter === letter);
    return new Set(fits ? [from + 1] : []);
  }
  if ('items' in node) {
    const after = (places: ReadonlySet<number>, item: Tree): ReadonlySet<number> =>
      new Set([...places].flatMap((place) => [...ends(item, input, place)]));
    return node.items.reduce(after, new Set([from]));
  }
  if ('branches' in node) {
    return new Set(node.branches.flatMap((branch) => [...ends(branch, input, from)]));
  }
  return repeatedEnds(node.body, node.least, node.most, input, from);
}

function repeatedEnds(
  body: Tree,
  least: number,
  most: number,
  input: string,
  from: number,
): ReadonlySet<number> {
  const all = new Set<number>();
  let places = new Set([from]);
  for (let round = 0; round <= Math.min(most, input.length + 3); round += 1) {
    if (round >= least) for (const place of places) all.add(place);
    places = new Set([...places].flatMap((place) => [...ends(body, input, place)]));
  }
  return all;
}

function slowSearch(node: Tree, input: string): [number, number] | undefined {
  for (let begin = 0; begin <= input.length; begin += 1) {
    const places = ends(node, input, begin);
    if (places.size > 0) return [begin, Math.max(...places)];
  }
  return undefined;
}
