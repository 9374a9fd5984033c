/** One line of a map file. */

import { isTftpError } from '../../protocol/errors';
import { invalidSetting } from '../../net/check-setting';
import { NameReplacement } from './name-replacement';
import { PosixPattern } from './posix-pattern';

/** The letters of an operation. `gg` stands for both kinds of `g`. */
const OPERATORS: readonly string[] = Array.from('rgeEsjaiGP46~');

/** What cannot both be meant. */
const CONTRADICTIONS = [
  ['r', '~'],
  ['r', 'a'],
  ['r', 'j'],
  ['a', 'j'],
  ['a', 's'],
  ['e', 'j'],
  ['a', 'e'],
  ['e', 's'],
  ['e', 'E'],
  ['E', 'j'],
  ['a', 'E'],
  ['E', 's'],
] as const;

/** Characters of a rule without comment: twice what a name may have, for a pattern and a replacement. */
const MAX_RULE = 2048;

/** A place to jump to. */
export interface NameLabel {
  readonly type: 'label';
  readonly line: number;
  readonly label: string;
}

/** An operation with its pattern. */
export interface NameRule {
  readonly type: 'rule';
  readonly line: number;
  /** The rule as it stands in the file, without comment. */
  readonly text: string;
  readonly pattern: PosixPattern;
  /** The replacement, the text of an abort, or the label of a jump. */
  readonly replacement: NameReplacement;
  readonly rewrites: boolean;
  /** `again`: until it matches no more, the replaced text included; `rest`: only behind the replaced text. */
  readonly global: 'once' | 'again' | 'rest';
  /** What happens after a match. */
  readonly then: 'continue' | 'accept' | 'acceptFile' | 'restart' | 'jump' | 'abort';
  readonly inverse: boolean;
  readonly operation: 'read' | 'write' | 'any' | 'none';
  readonly family: 4 | 6 | 'any' | 'none';
}

/**
 * Reads one line.
 *
 * @returns undefined for a blank line or a comment.
 * @throws {LocalError} EINVAL, saying what is wrong.
 */
export function parseLine(text: string, line: number): NameRule | NameLabel | undefined {
  const words = splitWords(text);
  const [operation, second, third = ''] = words;
  if (operation === undefined) return undefined;
  if (operation.length + (second?.length ?? 0) + third.length > MAX_RULE) {
    throw invalidSetting(`the rule has more than ${MAX_RULE} characters`);
  }
  if (operation.startsWith(':')) {
    return { type: 'label', line, label: operation.slice(1) || (second ?? '') };
  }
  checkOperation(operation);
  if (second === undefined) throw invalidSetting(`"${operation}" needs a pattern behind it`);
  const replacement = new NameReplacement(third);
  return {
    type: 'rule',
    line,
    text: words.slice(0, 3).join(' '),
    pattern: parsePattern(second, operation.includes('i')),
    replacement,
    ...meaningOf(operation),
  };
}

/** Words between blanks, up to a `#`. A `\` protects the character behind it, and stays. */
function splitWords(text: string): string[] {
  const [rule = ''] = /^(?:\\.|\\$|[^\\#])*/su.exec(text.replaceAll(/[\r\0]/g, '')) ?? [];
  return rule.match(/(?:\\.|\\$|[^\\ \t\v\f])+/gsu) ?? [];
}

function checkOperation(operation: string): void {
  const unknown = Array.from(operation).find((letter) => !OPERATORS.includes(letter));
  if (unknown !== undefined) {
    throw invalidSetting(`"${unknown}" is no operation: use some of ${OPERATORS.join(' ')}`);
  }
  for (const [first, second] of CONTRADICTIONS) {
    if (operation.includes(first) && operation.includes(second)) {
      throw invalidSetting(`${first} and ${second} cannot be combined`);
    }
  }
}

function parsePattern(source: string, ignoreCase: boolean): PosixPattern {
  try {
    return new PosixPattern(source, { ignoreCase });
  } catch (error) {
    if (!isTftpError(error)) throw error;
    throw invalidSetting(`the pattern ${source} cannot be used: ${error.message}`);
  }
}

function meaningOf(
  operation: string,
): Pick<NameRule, 'rewrites' | 'global' | 'then' | 'inverse' | 'operation' | 'family'> {
  const has = (letter: string): boolean => operation.includes(letter);
  return {
    rewrites: has('r'),
    global: has('g') ? (/g.*g/.test(operation) ? 'rest' : 'again') : 'once',
    then: consequence(operation),
    inverse: has('~'),
    operation: either(has('G') && 'read', has('P') && 'write'),
    family: either(has('4') && 4, has('6') && 6),
  };
}

/** Where two letters that are no contradiction both say how to go on, `s` wins. */
function consequence(operation: string): NameRule['then'] {
  const consequences = [
    ['a', 'abort'],
    ['e', 'accept'],
    ['E', 'acceptFile'],
    ['s', 'restart'],
    ['j', 'jump'],
  ] as const;
  return consequences.find(([letter]) => operation.includes(letter))?.[1] ?? 'continue';
}

/** Two restrictions that exclude each other leave nothing, as in tftp-hpa. */
function either<T>(first: T | false, second: T | false): T | 'any' | 'none' {
  if (first !== false && second !== false) return 'none';
  if (first !== false) return first;
  return second === false ? 'any' : second;
}
