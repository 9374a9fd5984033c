/** What a rule puts in the place of what it matched, or tells a client: text with escapes. */

import { isIPv4 } from 'node:net';

/** Replaces nothing: there was no match. */
const NO_GROUPS: readonly string[] = [];

type Folding = (character: string) => string;

const FOLDINGS: Readonly<Record<string, Folding>> = {
  U: (character) => oneCharacter(character.toUpperCase(), character),
  L: (character) => oneCharacter(character.toLowerCase(), character),
  E: (character) => character,
};

/**
 * The escapes are `\0` for the whole match, `\1` to `\9` for its groups, `\i` and `\x` for the
 * client's address as text and in hexadecimal digits, and `\U`, `\L` and `\E`, which fold what
 * follows to upper case, to lower case, and no more. Any other character behind `\` stands for
 * itself, which makes `\\`, `\#` and `\ ` possible.
 */
export class NameReplacement {
  /** As it stands in the file. */
  readonly source: string;
  readonly #parts: readonly (readonly [text: string, escape: string | undefined])[];

  constructor(source: string) {
    this.source = source;
    this.#parts = Array.from(source.matchAll(/\\(.)|\\$|([^\\]+)/gsu), ([all, escape, text]) => [
      text ?? escape ?? all,
      escape,
    ]);
  }

  /** True if the text is the same whatever is matched and whoever asks. */
  get isFixed(): boolean {
    return !this.#parts.some(([, escape]) => escape !== undefined && /[0-9ix]/.test(escape));
  }

  /**
   * @param most characters of the result: more make it undefined.
   * @param groups of the match.
   */
  expand(client: string, most: number, groups: readonly string[] = NO_GROUPS): string | undefined {
    let fold: Folding = (character) => character;
    let result = '';
    for (const [text, escape] of this.#parts) {
      const folding = escape === undefined ? undefined : FOLDINGS[escape];
      if (folding !== undefined) fold = folding;
      else result += Array.from(valueOf(text, escape, client, groups), fold).join('');
      if (result.length > most) return undefined;
    }
    return result;
  }
}

/** The address without an interface name behind it; IPv4 addresses that came as IPv6 as what they are. */
export function plainAddress(address: string): string {
  const [plain = ''] = address.split('%');
  const mapped = plain.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIPv4(mapped) ? mapped : plain;
}

/** 8 upper-case hexadecimal digits for IPv4, 32 for IPv6. The address must be a plain one. */
export function hexAddress(address: string): string {
  if (isIPv4(address)) return address.split('.').map(hexByte).join('');
  const withoutDots = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a = '', b = '', c = '', d = ''] = bytes.slice(0, 4).map(hexByte);
    return `${a}${b}:${c}${d}`;
  });
  const [head = '', tail] = withoutDots.split('::');
  const first = words(head);
  const last = words(tail ?? '');
  return [...first, ...Array<string>(8 - first.length - last.length).fill('0000'), ...last].join(
    '',
  );
}

function valueOf(
  text: string,
  escape: string | undefined,
  client: string,
  groups: readonly string[],
): string {
  if (escape === undefined) return text;
  if (escape === 'i') return client;
  if (escape === 'x') return hexAddress(client);
  return /[0-9]/.test(escape) ? (groups[Number(escape)] ?? '') : text;
}

function words(part: string): string[] {
  const all = part === '' ? [] : part.split(':');
  return all.map((word) => word.padStart(4, '0').toUpperCase());
}

function hexByte(byte: string): string {
  return Number(byte).toString(16).padStart(2, '0').toUpperCase();
}

/** A letter whose other case is more than one character stays as it is. */
function oneCharacter(folded: string, character: string): string {
  return Array.from(folded).length === 1 ? folded : character;
}
