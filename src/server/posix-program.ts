/** From the parts of a pattern to the instructions that `PosixPattern` runs. */

import { invalidSetting } from '../net/check-setting';
import type { CharacterTest } from './posix-bracket';
import type { Assertion, PatternNode } from './posix-syntax';

/** One instruction. What has no `next` goes on with the following one. */
export type Instruction =
  | { readonly type: 'character'; readonly test: CharacterTest }
  | { readonly type: 'assertion'; readonly kind: Assertion }
  | { readonly type: 'mark'; readonly mark: number }
  | { readonly type: 'split'; readonly ways: readonly number[] }
  | { readonly type: 'match' };

/** A pattern, ready to run. */
export interface Program {
  readonly instructions: readonly Instruction[];
  /** For each mark, in the order of their weight: whether a later place is better. */
  readonly prefersLater: readonly boolean[];
  /** The marks of the begin and the end of the whole and of each group. */
  readonly spans: readonly (readonly [begin: number, end: number])[];
}

/** A pattern of this size takes about a millisecond for a name of 200 characters. */
const MAX_INSTRUCTIONS = 2000;
/** Marks are copied at each step. `\9` is the last group that can be referred to. */
const MAX_GROUPS = 9;

/**
 * Compiles a pattern.
 *
 * @throws {LocalError} EINVAL if it gets too large.
 */
export function compilePattern(pattern: PatternNode): Program {
  return new Compiler().compile(pattern);
}

class Compiler {
  readonly #instructions: Instruction[] = [];
  /** Mark 0 is the begin of the match: the first one wins. */
  readonly #prefersLater: boolean[] = [false];
  readonly #spans: [begin: number, end: number][] = [];
  /** A part that is repeated is compiled several times, with the same marks. */
  readonly #marks = new Map<PatternNode, number>();

  compile(pattern: PatternNode): Program {
    this.#emit({ type: 'mark', mark: 0 });
    this.#node(pattern);
    this.#emit({ type: 'match' });
    return {
      instructions: this.#instructions,
      prefersLater: this.#prefersLater,
      spans: this.#spans,
    };
  }

  #node(node: PatternNode): void {
    if (node.type === 'sequence') this.#sequence(node.items);
    else if (node.type === 'choice') this.#choice(node.branches);
    else if (node.type === 'repeat') this.#repeat(node);
    else if (node.type === 'group') this.#group(node);
    else this.#emit(node);
  }

  /** The earlier a part stands, the more its length counts: so its end is marked, and weighs more than what is in it. */
  #sequence(items: readonly PatternNode[]): void {
    items.forEach((item, index) => {
      const isVariable = item.type !== 'character' && item.type !== 'assertion';
      const end = isVariable && index < items.length - 1 ? this.#markOf(item, true) : undefined;
      this.#node(item);
      if (end !== undefined) this.#emit({ type: 'mark', mark: end });
    });
  }

  #choice(branches: readonly PatternNode[]): void {
    const ways: number[] = [];
    this.#emit({ type: 'split', ways });
    const ends = branches.map((branch) => {
      ways.push(this.#here);
      this.#node(branch);
      const leave: number[] = [];
      this.#emit({ type: 'split', ways: leave });
      return leave;
    });
    for (const leave of ends) leave.push(this.#here);
  }

  #repeat({ body, least, most }: Extract<PatternNode, { type: 'repeat' }>): void {
    for (let count = 0; count < least; count += 1) this.#node(body);
    if (most === undefined) return this.#loop(body);
    const exits: number[][] = [];
    for (let count = least; count < most; count += 1) {
      const ways: number[] = [];
      exits.push(ways);
      this.#emit({ type: 'split', ways });
      ways.push(this.#here);
      this.#node(body);
    }
    for (const ways of exits) ways.push(this.#here);
  }

  #loop(body: PatternNode): void {
    const begin = this.#here;
    const ways = [begin + 1];
    this.#emit({ type: 'split', ways });
    this.#node(body);
    this.#emit({ type: 'split', ways: [begin] });
    ways.push(this.#here);
  }

  /** Of two ways to the same place, that whose last round began first has the longer rounds. */
  #group(node: Extract<PatternNode, { type: 'group' }>): void {
    if (node.group > MAX_GROUPS) return this.#node(node.body);
    const [begin, end] = this.#spanOf(node);
    this.#emit({ type: 'mark', mark: begin });
    this.#node(node.body);
    this.#emit({ type: 'mark', mark: end });
  }

  #spanOf({ group }: Extract<PatternNode, { type: 'group' }>): readonly [number, number] {
    return (this.#spans[group - 1] ??= [this.#newMark(false), this.#newMark(true)]);
  }

  #markOf(node: PatternNode, later: boolean): number {
    const known = this.#marks.get(node);
    if (known !== undefined) return known;
    const mark = this.#newMark(later);
    this.#marks.set(node, mark);
    return mark;
  }

  #newMark(later: boolean): number {
    return this.#prefersLater.push(later) - 1;
  }

  get #here(): number {
    return this.#instructions.length;
  }

  #emit(instruction: Instruction): void {
    if (this.#instructions.length >= MAX_INSTRUCTIONS) {
      throw invalidSetting('the pattern is too large: use smaller counts, or several rules');
    }
    this.#instructions.push(instruction);
  }
}
