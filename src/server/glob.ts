/** Patterns for file names. */

import { invalidSetting } from '../net/check-setting';

/** What one part of a pattern takes: one character, or any number of them. */
type Token =
  | { readonly type: 'one'; readonly fits: (character: string) => boolean }
  /** `*` */
  | { readonly type: 'run' }
  /** `**` */
  | { readonly type: 'path' }
  /** `**` and a slash, at the start of a part: any number of folders. */
  | { readonly type: 'folders' };

/**
 * A pattern: `*` is any text without `/`, `**` any text, `?` one character but `/`, `[a-z]` one of
 * these and `[!a-z]` none of these. `**` and `/` at the start of a part stand for any number of folders, also
 * none. A leading `/` means nothing, and a special character in brackets is itself: `[*]`.
 *
 * All ways to match are followed at the same time, so that the time is bounded by the length of the
 * name times that of the pattern, whatever they hold.
 */
export class Glob {
  readonly #tokens: readonly Token[];

  /**
   * @param ignoreCase whether `A` and `a` are the same.
   * @throws {LocalError} EINVAL, saying what is wrong with the pattern.
   */
  constructor(
    pattern: string,
    readonly ignoreCase = false,
  ) {
    this.#tokens = parse(pattern, fold(pattern, ignoreCase).replace(/^\//, ''));
  }

  /** @param name without a leading `/`. */
  matches(name: string): boolean {
    let states = this.#enter(new Set(), 0);
    for (const character of fold(name, this.ignoreCase)) {
      if (states.size === 0) return false;
      states = this.#advance(states, character);
    }
    return states.has(this.#tokens.length);
  }

  /** A state is how many tokens are behind us. */
  #advance(states: ReadonlySet<number>, character: string): Set<number> {
    const next = new Set<number>();
    for (const state of states) {
      const token = this.#tokens[state];
      if (token === undefined) continue;
      if (token.type === 'one') {
        if (token.fits(character)) this.#enter(next, state + 1);
      } else if (token.type === 'folders') {
        next.add(state);
        if (character === '/') this.#enter(next, state + 1);
      } else if (token.type === 'path' || character !== '/') {
        this.#enter(next, state);
      }
    }
    return next;
  }

  /** Adds a state, and those that follow it because a token may stand for nothing. */
  #enter(states: Set<number>, state: number): Set<number> {
    states.add(state);
    const token = this.#tokens[state];
    return token === undefined || token.type === 'one' ? states : this.#enter(states, state + 1);
  }
}

function fold(text: string, ignoreCase: boolean): string {
  return ignoreCase ? text.toLowerCase() : text;
}

function parse(whole: string, pattern: string): Token[] {
  if (pattern === '') throw wrong(whole, 'it is empty');
  const tokens: Token[] = [];
  const parts = /\*\*+\/|\*\*+|\*|\?|\[[!^]?\]?[^\]]*\]|./gsu;
  for (const { 0: part, index } of pattern.matchAll(parts)) {
    const isStart = index === 0 || pattern[index - 1] === '/';
    for (const token of tokensOf(whole, part, isStart)) {
      const last = tokens.at(-1);
      // Two of a kind in a row take no more than one.
      if (token.type === 'one' || token.type !== last?.type) tokens.push(token);
    }
  }
  return tokens;
}

function tokensOf(whole: string, part: string, isStart: boolean): Token[] {
  if (part === '?') return [one((character) => character !== '/')];
  if (part === '*') return [{ type: 'run' }];
  if (part.startsWith('**')) {
    if (!part.endsWith('/')) return [{ type: 'path' }];
    return isStart ? [{ type: 'folders' }] : [{ type: 'path' }, literal('/')];
  }
  return [part.startsWith('[') ? bracket(whole, part) : literal(part)];
}

function one(fits: (character: string) => boolean): Token {
  return { type: 'one', fits };
}

function literal(text: string): Token {
  return one((character) => character === text);
}

/** `[a-z_]` or `[!a-z_]`; a `]` at its beginning is one of the characters. */
function bracket(whole: string, part: string): Token {
  const [, negation, body] = /^\[([!^]?)(.+)\]$/su.exec(part) ?? [];
  if (body === undefined) throw wrong(whole, 'a [ has no ]');
  const ranges = [...body.matchAll(/(.)-(.)|(.)/gsu)].map(
    ([, first, last, single]) => [first ?? single!, last ?? single!] as const,
  );
  const reversed = ranges.find(([first, last]) => order(first) > order(last));
  if (reversed) throw wrong(whole, `${reversed.join('-')} runs backwards`);
  return one((character) => {
    const at = order(character);
    const isIn = ranges.some(([first, last]) => order(first) <= at && at <= order(last));
    return character !== '/' && isIn === (negation === '');
  });
}

function order(character: string): number {
  return character.codePointAt(0) ?? 0;
}

function wrong(pattern: string, why: string): Error {
  return invalidSetting(
    `The pattern "${pattern}" cannot be used: ${why}. Write names such as "*.cfg" or "firmware/**"`,
  );
}
