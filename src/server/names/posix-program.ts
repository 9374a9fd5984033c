/** From the parts of a pattern to the instructions that `PosixPattern` runs. */

import { invalidSetting } from '../../net/check-setting';
import type { CharacterTest } from './posix-bracket';
import type { Assertion, PatternNode } from './posix-syntax';

/** One instruction. What has no `next` goes on with the following one. */
export type Instruction =
  | { readonly type: 'character'; readonly test: CharacterTest }
  | { readonly type: 'assertion'; readonly kind: Assertion }
  | { readonly type: 'mark'; readonly mark: number }
  /** Ends ways that have not moved since the mark. */
  | { readonly type: 'advance'; readonly mark: number }
  /** The first way is the best one. */
  | { readonly type: 'split'; readonly ways: readonly number[] }
  | { readonly type: 'match' };

/** A pattern, ready to run. */
export interface Program {
  readonly instructions: readonly Instruction[];
  /** The groups that have marks: `2 * group` for the begin, `2 * group + 1` for the end. Mark 0 is the begin of the match. */
  readonly groups: number;
  /** How many marks there are. */
  readonly marks: number;
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
  #groups = 0;
  /** The marks behind those of the groups say where a round began. */
  #marks = 2 * MAX_GROUPS + 2;

  compile(pattern: PatternNode): Program {
    this.#emit({ type: 'mark', mark: 0 });
    this.#node(pattern);
    this.#emit({ type: 'match' });
    return { instructions: this.#instructions, groups: this.#groups, marks: this.#marks };
  }

  #node(node: PatternNode): void {
    if (node.type === 'sequence') node.items.forEach((item) => this.#node(item));
    else if (node.type === 'choice') this.#choice(node.branches);
    else if (node.type === 'repeat') this.#repeat(node);
    else if (node.type === 'group') this.#group(node);
    else this.#emit(node);
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
    const mark = this.#marks++;
    for (let count = least; count < most; count += 1) {
      const ways: number[] = [];
      exits.push(ways);
      this.#emit({ type: 'split', ways });
      ways.push(this.#here);
      if (count > 0) this.#emit({ type: 'mark', mark });
      this.#node(body);
      // Another round takes something, or there is none: as in a loop, which never comes back empty.
      if (count > 0) this.#emit({ type: 'advance', mark });
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

  #group({ group, body }: Extract<PatternNode, { type: 'group' }>): void {
    if (group > MAX_GROUPS) return this.#node(body);
    this.#groups = Math.max(this.#groups, group);
    this.#emit({ type: 'mark', mark: 2 * group });
    this.#node(body);
    this.#emit({ type: 'mark', mark: 2 * group + 1 });
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
