/** POSIX extended regular expressions, matched in a time that is linear in the text. */

import { parsePattern, isWord } from './posix-syntax';
import { compilePattern } from './posix-program';
import type { Instruction, Program } from './posix-program';
import type { Assertion } from './posix-syntax';

/** Where a pattern fits. */
export interface PosixMatch {
  /** Index of the first character (UTF-16 units, as `String.slice` counts). */
  readonly begin: number;
  /** Index behind the last one. */
  readonly end: number;
  /** The text of the whole (0) and of the groups 1 to 9; blank for groups that took no part. */
  readonly groups: readonly string[];
}

/** Bounds the work of several searches. Each instruction that is followed costs one. */
export interface WorkBudget {
  /** Below zero: a search was given up. */
  left: number;
}

export interface SearchOptions {
  /** The text is the rest of a longer one: `^` does not match at its begin. @default false */
  readonly continued?: boolean;
  /** @default no bound */
  readonly budget?: WorkBudget;
}

/** The places of the marks of one way through the pattern; -1 where it has not been. */
type Marks = readonly number[];

/**
 * A pattern. It works on whole characters (code points). Classes such as `[:alpha:]` and `\w` are
 * those of the POSIX locale, ASCII only; ignoring case works on all letters.
 *
 * Of all matches the leftmost wins, and of these the longest. Where the pattern can be laid out in
 * several ways over it, groups get what the GNU C library gives them: from left to right the first
 * branch of `|` and another round of `*` are preferred, as far as the whole stays that long. A group
 * that is repeated holds its last round; a group in it that took no part in that round keeps what it
 * had.
 */
export class PosixPattern {
  readonly #program: Program;

  /**
   * @throws {LocalError} EINVAL, saying what is wrong. GNU's `\w \W \s \S \b \B \< \>` are understood,
   * back-references in the pattern are not.
   */
  constructor(source: string, options: { readonly ignoreCase?: boolean } = {}) {
    this.#program = compilePattern(parsePattern(source, options.ignoreCase ?? false));
  }

  /** The match, undefined if there is none or the budget is used up. */
  search(text: string, options: SearchOptions = {}): PosixMatch | undefined {
    const { continued = false, budget = { left: Infinity } } = options;
    const found = new Search(this.#program, text, continued, budget).run();
    return found && this.#match(text, found.marks, found.end);
  }

  #match(text: string, marks: Marks, last: number): PosixMatch {
    const offsets = codePointOffsets(text);
    const at = (place: number): number => offsets[place] ?? text.length;
    const begin = at(marks[0] ?? 0);
    const end = at(last);
    const groups = Array.from({ length: this.#program.groups }, (_, index) => {
      const [first, behind] = [marks[2 * index + 2] ?? -1, marks[2 * index + 3] ?? -1];
      return behind < 0 ? '' : text.slice(at(first), at(behind));
    });
    return { begin, end, groups: [text.slice(begin, end), ...groups] };
  }
}

/** Follows all ways through the pattern at the same time, one character after the other, the best one first. */
class Search {
  readonly #program: Program;
  readonly #points: readonly number[];
  readonly #continued: boolean;
  readonly #budget: WorkBudget;
  readonly #unset: Marks;

  constructor(program: Program, text: string, continued: boolean, budget: WorkBudget) {
    this.#program = program;
    this.#points = Array.from(text, (character) => character.codePointAt(0) ?? -1);
    this.#continued = continued;
    this.#budget = budget;
    this.#unset = Array<number>(program.marks).fill(-1);
  }

  run(): { readonly marks: Marks; readonly end: number } | undefined {
    const last = this.#program.instructions.length - 1;
    let found: { readonly marks: Marks; readonly end: number } | undefined;
    let ways: Way[] = [];
    for (let place = 0; place <= this.#points.length; place += 1) {
      if (found === undefined) ways.push({ at: 0, marks: this.#unset });
      const reached = this.#follow(ways, place);
      if (this.#budget.left < 0) return undefined;
      const marks = reached.get(last);
      // What is found later is longer, or began earlier.
      if (marks !== undefined) found = { marks, end: place };
      ways = this.#step(reached, place, found?.marks[0] ?? Infinity);
      if (ways.length === 0 && found !== undefined) return found;
    }
    return found;
  }

  /** All instructions that can be reached without another character, with the best way to each. */
  #follow(ways: readonly Way[], place: number): Map<number, Marks> {
    const reached = new Map<number, Marks>();
    const open = ways.toReversed();
    for (let way = open.pop(); way !== undefined; way = open.pop()) {
      this.#budget.left -= 1;
      if (this.#budget.left < 0) return reached;
      if (reached.has(way.at)) continue;
      reached.set(way.at, way.marks);
      const instruction = this.#program.instructions[way.at];
      if (instruction !== undefined) this.#branch(way, instruction, place, open);
    }
    return reached;
  }

  #branch({ at, marks }: Way, instruction: Instruction, place: number, open: Way[]): void {
    if (instruction.type === 'split') {
      for (const way of instruction.ways.toReversed()) open.push({ at: way, marks });
    } else if (instruction.type === 'mark') {
      open.push({ at: at + 1, marks: marks.with(instruction.mark, place) });
    } else if (instruction.type === 'advance' && marks[instruction.mark] !== place) {
      open.push({ at: at + 1, marks });
    } else if (instruction.type === 'assertion' && this.#holds(instruction.kind, place)) {
      open.push({ at: at + 1, marks });
    }
  }

  /** The ways that the character at this place leaves; those that begin behind a match are dropped. */
  #step(reached: ReadonlyMap<number, Marks>, place: number, latest: number): Way[] {
    const point = this.#points[place];
    if (point === undefined) return [];
    const ways: Way[] = [];
    for (const [at, marks] of reached) {
      const instruction = this.#program.instructions[at];
      if (instruction?.type !== 'character' || (marks[0] ?? 0) > latest) continue;
      if (instruction.test(point)) ways.push({ at: at + 1, marks });
    }
    return ways;
  }

  #holds(kind: Assertion, place: number): boolean {
    if (kind === 'begin') return place === 0 && !this.#continued;
    if (kind === 'end') return place === this.#points.length;
    const [before, after] = [this.#isWordAt(place - 1), this.#isWordAt(place)];
    if (kind === 'wordBegin') return !before && after;
    if (kind === 'wordEnd') return before && !after;
    return (before !== after) === (kind === 'edge');
  }

  #isWordAt(place: number): boolean {
    const point = this.#points[place];
    return point !== undefined && isWord(point);
  }
}

/** A way that has come to an instruction. Of several ways to the same one the best is kept: what follows is the same. */
interface Way {
  readonly at: number;
  readonly marks: Marks;
}

function codePointOffsets(text: string): number[] {
  let offset = 0;
  return Array.from(text, (character) => (offset += character.length) - character.length);
}
