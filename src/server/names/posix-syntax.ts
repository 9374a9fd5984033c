/** The grammar of POSIX extended regular expressions (IEEE 1003.1, 9.4), as the GNU C library reads it. */

import { invalidSetting } from '../../net/check-setting';
import { ignoringCase, parseBracket } from './posix-bracket';
import type { CharacterTest } from './posix-bracket';

/** Places between characters. Words are made of ASCII letters, digits and `_`. */
export type Assertion = 'begin' | 'end' | 'wordBegin' | 'wordEnd' | 'edge' | 'noEdge';

/** A part of a pattern. Groups are numbered from 1, by their `(`. */
export type PatternNode =
  | { readonly type: 'character'; readonly test: CharacterTest }
  | { readonly type: 'assertion'; readonly kind: Assertion }
  | { readonly type: 'group'; readonly group: number; readonly body: PatternNode }
  | { readonly type: 'sequence'; readonly items: readonly PatternNode[] }
  | { readonly type: 'choice'; readonly branches: readonly PatternNode[] }
  | {
      readonly type: 'repeat';
      readonly body: PatternNode;
      readonly least: number;
      /** Undefined: no upper limit. */
      readonly most: number | undefined;
    };

/** Larger counts make programs that take too long. */
const MAX_COUNT = 255;
/** Groups in groups. */
const MAX_DEPTH = 100;

const WORD = /^[A-Za-z0-9_]$/;
const SPACE = /^[ \t\n\v\f\r]$/;

/** True for the characters of words. */
export const isWord = (point: number): boolean => WORD.test(String.fromCodePoint(point));

const isSpace = (point: number): boolean => SPACE.test(String.fromCodePoint(point));

/** What GNU adds to POSIX. */
const GNU_ASSERTIONS: Readonly<Record<string, Assertion>> = {
  '<': 'wordBegin',
  '>': 'wordEnd',
  b: 'edge',
  B: 'noEdge',
  '`': 'begin',
  "'": 'end',
};
const GNU_CLASSES: Readonly<Record<string, CharacterTest>> = {
  w: isWord,
  W: (point) => !isWord(point),
  s: isSpace,
  S: (point) => !isSpace(point),
};

/**
 * Reads a pattern. `)` without `(` stands for itself; `^` and `$` are anchors wherever they stand.
 *
 * @throws {LocalError} EINVAL for wrong syntax, and for back-references in the pattern, which nobody
 * can match in a time that is linear in the input.
 */
export function parsePattern(source: string, ignoreCase: boolean): PatternNode {
  return new PatternParser(source, ignoreCase).parse();
}

class PatternParser {
  readonly #source: readonly string[];
  readonly #ignoreCase: boolean;
  #at = 0;
  #groups = 0;
  #depth = 0;

  constructor(source: string, ignoreCase: boolean) {
    this.#source = Array.from(source);
    this.#ignoreCase = ignoreCase;
  }

  parse(): PatternNode {
    return this.#choice();
  }

  get #next(): string | undefined {
    return this.#source[this.#at];
  }

  #choice(): PatternNode {
    const branches = [this.#sequence()];
    while (this.#next === '|') {
      this.#at += 1;
      branches.push(this.#sequence());
    }
    return branches.length === 1 ? branches[0]! : { type: 'choice', branches };
  }

  #sequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.#next !== undefined && this.#next !== '|' && !this.#closesGroup()) {
      items.push(this.#repeated(this.#atom()));
    }
    return items.length === 1 ? items[0]! : { type: 'sequence', items };
  }

  #closesGroup(): boolean {
    return this.#next === ')' && this.#depth > 0;
  }

  #repeated(atom: PatternNode): PatternNode {
    // An operator behind an anchor is refused as one with nothing before it.
    if (atom.type === 'assertion') return atom;
    let body = atom;
    for (let count = this.#count(); count !== undefined; count = this.#count()) {
      body = { type: 'repeat', body, ...count };
    }
    return body;
  }

  #count(): { least: number; most: number | undefined } | undefined {
    const operator = this.#next;
    if (operator === '{') return this.#interval();
    if (operator !== '*' && operator !== '+' && operator !== '?') return undefined;
    this.#at += 1;
    return { least: operator === '+' ? 1 : 0, most: operator === '?' ? 1 : undefined };
  }

  #interval(): { least: number; most: number | undefined } {
    const rest = this.#source.slice(this.#at, this.#at + 16).join('');
    const [all, low, comma, high] = /^\{(\d{0,5})(,?)(\d{0,5})\}/.exec(rest) ?? [];
    if (all === undefined || (low === '' && high === '')) {
      throw invalidSetting('after { there must be counts such as {3}, {3,} or {3,5}');
    }
    const least = Number(low);
    const most = comma === '' ? least : high === '' ? undefined : Number(high);
    if (least > MAX_COUNT || (most ?? 0) > MAX_COUNT) {
      throw invalidSetting(`${all} is too much: the largest count is ${MAX_COUNT}`);
    }
    if (most !== undefined && most < least) throw invalidSetting(`${all} is upside down`);
    this.#at += all.length;
    return { least, most };
  }

  #atom(): PatternNode {
    const character = this.#source[this.#at++] ?? '';
    if (character === '(') return this.#group();
    if (character === '[') return this.#bracket();
    if (character === '\\') return this.#escape();
    if (character === '^') return { type: 'assertion', kind: 'begin' };
    if (character === '$') return { type: 'assertion', kind: 'end' };
    if (character === '.') return { type: 'character', test: () => true };
    if ('*+?{'.includes(character)) {
      throw invalidSetting(`nothing stands before ${character} that it could repeat`);
    }
    return this.#literal(character);
  }

  #group(): PatternNode {
    const group = (this.#groups += 1);
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw invalidSetting('too many groups stand in each other');
    const body = this.#choice();
    if (this.#next !== ')') throw invalidSetting('a ( is never closed by )');
    this.#at += 1;
    this.#depth -= 1;
    return { type: 'group', group, body };
  }

  #bracket(): PatternNode {
    const { test, end } = parseBracket(this.#source, this.#at);
    // `[^a]` without case must match neither `a` nor `A`: so the case is ignored inside the negation.
    const negated = this.#ignoreCase && this.#next === '^';
    this.#at = end;
    if (!negated) return this.#character(test);
    const inside = ignoringCase((point) => !test(point));
    return { type: 'character', test: (point) => !inside(point) };
  }

  #escape(): PatternNode {
    const escaped = this.#source[this.#at++];
    if (escaped === undefined) throw invalidSetting('it ends with a \\ that protects nothing');
    const kind = Object.hasOwn(GNU_ASSERTIONS, escaped) ? GNU_ASSERTIONS[escaped] : undefined;
    if (kind !== undefined) return { type: 'assertion', kind };
    const test = Object.hasOwn(GNU_CLASSES, escaped) ? GNU_CLASSES[escaped] : undefined;
    if (test !== undefined) return { type: 'character', test };
    if (/[1-9]/.test(escaped)) {
      throw invalidSetting(`\\${escaped} stands in the pattern: back-references are not supported`);
    }
    if (/[a-z0]/i.test(escaped)) {
      throw invalidSetting(
        `\\${escaped} means nothing in POSIX patterns: for digits write [0-9], for letters the letter itself`,
      );
    }
    return this.#literal(escaped);
  }

  #literal(character: string): PatternNode {
    const wanted = character.codePointAt(0);
    return this.#character((point) => point === wanted);
  }

  #character(test: CharacterTest): PatternNode {
    return { type: 'character', test: this.#ignoreCase ? ignoringCase(test) : test };
  }
}
