/** Bracket expressions of POSIX regular expressions (IEEE 1003.1, 9.3.5): `[a-z]`, `[^]/]`, `[[:digit:]_]`. */

import { invalidSetting } from '../../net/check-setting';

/** Whether a code point fits. */
export type CharacterTest = (point: number) => boolean;

/** Where a bracket expression ends, and what it matches. */
export interface Bracket {
  readonly test: CharacterTest;
  /** The index behind the closing `]`. */
  readonly end: number;
}

/** The classes of the POSIX locale: ASCII only, as the server runs everywhere the same. */
const CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /^[A-Za-z0-9]$/,
  alpha: /^[A-Za-z]$/,
  blank: /^[ \t]$/,
  cntrl: /^[\x00-\x1f\x7f]$/, // oxlint-disable-line no-control-regex -- that is what the class is
  digit: /^[0-9]$/,
  graph: /^[!-~]$/,
  lower: /^[a-z]$/,
  print: /^[ -~]$/,
  punct: /^[!-/:-@[-`{-~]$/,
  space: /^[ \t\n\v\f\r]$/,
  upper: /^[A-Z]$/,
  xdigit: /^[0-9A-Fa-f]$/,
};

/** A test that does not mind the case of letters. */
export function ignoringCase(test: CharacterTest): CharacterTest {
  return (point) => test(point) || foldings(point).some(test);
}

/**
 * Reads a bracket expression. A backslash in it is an ordinary character.
 *
 * @param from the index behind the opening `[`.
 * @throws {LocalError} EINVAL, saying what is wrong.
 */
export function parseBracket(source: readonly string[], from: number): Bracket {
  const negated = source[from] === '^';
  const first = negated ? from + 1 : from;
  const tests: CharacterTest[] = [];
  let at = first;
  while (source[at] !== ']' || at === first) {
    if (at >= source.length) throw invalidSetting('a [ is never closed by ]');
    const item = parseItem(source, at);
    tests.push(item.test);
    at = item.end;
  }
  const some: CharacterTest = (point) => tests.some((test) => test(point));
  return { test: negated ? (point) => !some(point) : some, end: at + 1 };
}

/** A character, a range or a class. */
function parseItem(source: readonly string[], at: number): Bracket {
  if (source[at] === '[' && source[at + 1] === ':') return parseClass(source, at);
  const low = parseElement(source, at);
  if (source[low.end] !== '-' || source[low.end + 1] === ']' || low.end + 1 >= source.length) {
    return { test: (point) => point === low.point, end: low.end };
  }
  const high = parseElement(source, low.end + 1);
  if (high.point < low.point) {
    const range = source.slice(at, high.end).join('');
    throw invalidSetting(`the range ${range} is upside down`);
  }
  return { test: (point) => point >= low.point && point <= high.point, end: high.end };
}

function parseClass(source: readonly string[], at: number): Bracket {
  const { text, end } = delimited(source, at);
  const members = Object.hasOwn(CLASSES, text) ? CLASSES[text] : undefined;
  if (members === undefined) {
    throw invalidSetting(`[:${text}:] is no class: use one of ${Object.keys(CLASSES).join(', ')}`);
  }
  return { test: (point) => members.test(String.fromCodePoint(point)), end };
}

/** One character, also as `[.a.]` or `[=a=]`. */
function parseElement(
  source: readonly string[],
  at: number,
): { readonly point: number; readonly end: number } {
  const next = source[at + 1];
  if (source[at] !== '[' || (next !== '.' && next !== '=')) {
    return { point: codePoint(source[at] ?? ''), end: at + 1 };
  }
  const { text, end } = delimited(source, at);
  if (Array.from(text).length !== 1) {
    throw invalidSetting(`[${next}${text}${next}] is not supported: write the character itself`);
  }
  return { point: codePoint(text), end };
}

/** The text of `[:text:]`, `[.text.]` or `[=text=]`. */
function delimited(
  source: readonly string[],
  at: number,
): { readonly text: string; readonly end: number } {
  const mark = source[at + 1] ?? '';
  for (let end = at + 3; end + 1 < source.length; end += 1) {
    if (source[end] !== mark || source[end + 1] !== ']') continue;
    return { text: source.slice(at + 2, end).join(''), end: end + 2 };
  }
  throw invalidSetting(`a [${mark} is never closed by ${mark}]`);
}

/** The other cases of a letter; those that are more than one character do not count. */
function foldings(point: number): number[] {
  const letter = String.fromCodePoint(point);
  return [letter.toLowerCase(), letter.toUpperCase()]
    .filter((folded) => Array.from(folded).length === 1)
    .map(codePoint);
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? -1;
}
