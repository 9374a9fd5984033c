/** Rules that map the names that clients ask for to the names of files: the map file of tftp-hpa. */

import { LocalError, isTftpError } from '../../protocol/errors';
import { checkNumber, invalidSetting } from '../../net/check-setting';
import { shownName } from '../../protocol/name-text';
import type { TftpError } from '../../protocol/errors';
import { NameRun } from './name-run';
import type { FileTest, NameOutcome, NameRequest, NameStep } from './name-run';
import { parseLine } from './name-rule';
import type { NameLabel, NameRule } from './name-rule';

export type { FileTest, NameOutcome, NameRequest, NameStep } from './name-run';

/** How often a rule had its way. */
export interface RuleHits {
  /** Its line in the file, from 1. */
  readonly line: number;
  /** The rule as it stands there, without comment. */
  readonly rule: string;
  /** Names since the rules were read. */
  readonly hits: number;
}

/** What the rules make of a name, rule by rule. */
export interface NameExplanation {
  /** The rules that were tried, in order. */
  readonly steps: readonly NameStep[];
  readonly outcome: NameOutcome;
}

/** Bounds for rules. */
export interface NameRulesOptions {
  /** Rules tried for one name, rounds of `g` included, 1 to 1,000,000; more refuse the name. @default 4096 */
  readonly maxSteps?: number;
}

/** What it takes to have the same rules in another thread. */
export interface NameRulesSource {
  readonly text: string;
  readonly maxSteps: number;
  /** How often the rules were read again. */
  readonly generation: number;
}

/** The rules that had their way with one name. */
export interface NameHits {
  /** That of the rules which were in force when the name came. */
  readonly generation: number;
  /** Their lines in the file. */
  readonly lines: readonly number[];
}

const DEFAULT_MAX_STEPS = 4096;

/**
 * The rules of a map file, as `in.tftpd --map-file` of tftp-hpa 6 reads it.
 *
 * A line is a label (`:name`), or an operation, a POSIX extended regular expression and, where the
 * operation needs one, a replacement. `#` begins a comment; `\` protects blanks and `#`. What stands
 * behind the third word is ignored. The name is matched as the client sent it: a leading `/` is
 * there if the client sent one, and `\` is not yet `/`. A byte that is not UTF-8 is one character, in
 * a map file too.
 *
 * The operation is any of: `r` replace the match by the replacement; with it `g` again and again
 * until it does not match, or `gg` every match in one pass; `i` ignore case; `e` accept; `E` accept
 * if there is such a file to transfer, else undo; `s` start again from the top; `j` jump to the label
 * that the replacement names; `a` refuse, the replacement is the text for the client; `G` reads only;
 * `P` writes only; `4` and `6` IPv4 or IPv6 clients only; `~` if the pattern does not match.
 * In a replacement `\0` is the match, `\1` to `\9` are its groups, `\i` and `\x` the client's address
 * as text and in hexadecimal digits; `\U` and `\L` turn what follows to upper and lower case until `\E`.
 *
 * @example
 * const rules = NameRules.parse('rg \\\\ /\nr ^/?boot/ /srv/boot/');
 * await rules.apply({ name: 'boot\\pxelinux.0', client: '192.0.2.1', operation: 'read' });
 */
export class NameRules {
  readonly #maxSteps: number;
  readonly #onHits: ((hits: NameHits) => void) | undefined;
  readonly #copies = new Set<(source: NameRulesSource) => void>();
  #text: string;
  #generation: number;
  #lines: readonly (NameRule | NameLabel)[];
  #hits = new Map<number, number>();

  private constructor(source: NameRulesSource, onHits?: (hits: NameHits) => void) {
    this.#text = source.text;
    this.#generation = source.generation;
    this.#lines = parseLines(source.text);
    this.#maxSteps = source.maxSteps;
    this.#onHits = onHits;
  }

  /**
   * Reads the text of a map file.
   *
   * @throws {LocalError} EINVAL with all that is wrong, as `line N: …`, divided by `; `.
   */
  static parse(text: string, options: NameRulesOptions = {}): NameRules {
    const { maxSteps = DEFAULT_MAX_STEPS } = options;
    checkNumber('maxSteps', maxSteps, 1, 1_000_000);
    return new NameRules({ text, maxSteps, generation: 0 });
  }

  /**
   * The same rules in another thread.
   *
   * @param onHits is told what to `count` in the original.
   * @internal
   */
  static copy(source: NameRulesSource, onHits: (hits: NameHits) => void): NameRules {
    return new NameRules(source, onHits);
  }

  /** The rules in the order of the file. Counted by `apply` since the rules were read. */
  get hits(): RuleHits[] {
    return this.#lines
      .filter((line) => line.type === 'rule')
      .map((rule) => ({
        line: rule.line,
        rule: shownName(rule.text),
        hits: this.#hits.get(rule.line) ?? 0,
      }));
  }

  /** Sets all the counters of `hits` to 0. */
  resetHits(): void {
    this.#hits.clear();
  }

  /**
   * Takes other rules from now on, with new counters. Names that are being mapped keep the old ones.
   *
   * @throws {LocalError} EINVAL as `parse`; then the old rules stay.
   */
  reload(text: string): void {
    this.#renew({ text, maxSteps: this.#maxSteps, generation: this.#generation + 1 });
    for (const tell of this.#copies) tell(this.source);
  }

  /** What `copy` takes. @internal */
  get source(): NameRulesSource {
    return { text: this.#text, maxSteps: this.#maxSteps, generation: this.#generation };
  }

  /**
   * Has a copy told of each reload.
   *
   * @param tell is to call the copy's `follow`.
   * @returns what ends it.
   * @internal
   */
  keepCopy(tell: (source: NameRulesSource) => void): () => void {
    this.#copies.add(tell);
    return () => void this.#copies.delete(tell);
  }

  /** Takes over the rules of the original. @internal */
  follow(source: NameRulesSource): void {
    this.#renew(source);
  }

  /** Counts what a copy has told. Names that were mapped by older rules do not count. @internal */
  count({ generation, lines }: NameHits): void {
    if (generation !== this.#generation) return;
    for (const line of lines) this.#hits.set(line, (this.#hits.get(line) ?? 0) + 1);
  }

  /**
   * Maps one name.
   *
   * @param exists whether a file of this name can be transferred, for `E`. Default: any can.
   * @throws what `exists` throws.
   */
  async apply(request: NameRequest, exists: FileTest = anyFile): Promise<NameOutcome> {
    const generation = this.#generation;
    const run = new NameRun(this.#lines, request, this.#maxSteps, exists);
    const outcome = await run.outcome();
    const hits = { generation, lines: run.hits.map(({ line }) => line) };
    this.count(hits);
    if (hits.lines.length > 0) this.#onHits?.(hits);
    return outcome;
  }

  /** As `apply`, with each rule that was tried, and nothing counted. */
  async explain(request: NameRequest, exists: FileTest = anyFile): Promise<NameExplanation> {
    const steps: NameStep[] = [];
    const trace = (step: NameStep): void => void steps.push(step);
    const run = new NameRun(this.#lines, request, this.#maxSteps, exists, trace);
    const outcome = await run.outcome();
    return { steps, outcome };
  }

  #renew({ text, generation }: NameRulesSource): void {
    this.#lines = parseLines(text);
    this.#text = text;
    this.#generation = generation;
    this.#hits = new Map();
  }
}

function parseLines(text: string): readonly (NameRule | NameLabel)[] {
  const problems: { readonly line: number; readonly error: TftpError }[] = [];
  const lines = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, index) => {
      try {
        return parseLine(line, index + 1) ?? [];
      } catch (error) {
        if (!isTftpError(error)) throw error;
        problems.push({ line: index + 1, error });
        return [];
      }
    });
  problems.push(...missingLabels(lines));
  if (problems.length === 0) return lines;
  problems.sort((one, other) => one.line - other.line);
  const list = problems.map(({ line, error }) => `line ${line}: ${error.message}`);
  throw new LocalError('EINVAL', `The name rules cannot be used: ${list.join('; ')}`);
}

/** Jumps that can never arrive. Where the label depends on the name, only the jump itself can tell. */
function missingLabels(
  lines: readonly (NameRule | NameLabel)[],
): { readonly line: number; readonly error: TftpError }[] {
  const labels = new Set(lines.flatMap((line) => (line.type === 'label' ? line.label : [])));
  return lines.flatMap((rule) => {
    if (rule.type === 'label' || rule.then !== 'jump' || !rule.replacement.isFixed) return [];
    const label = rule.replacement.expand('', Infinity) ?? '';
    if (label !== '' && labels.has(label)) return [];
    const what = label === '' ? 'j needs a label to jump to' : `there is no label :${label}`;
    return { line: rule.line, error: invalidSetting(what) };
  });
}

const anyFile: FileTest = () => Promise.resolve(true);
