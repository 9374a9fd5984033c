/** One name on its way through the rules. */

import { TftpError } from '../../protocol/errors';
import { shownName } from '../../protocol/name-text';
import { plainAddress } from './name-replacement';
import type { NameLabel, NameRule } from './name-rule';
import type { PosixMatch } from './posix-pattern';

/** What a client asks for. */
export interface NameRequest {
  /** As the client sent it. */
  readonly name: string;
  /** The client's address. */
  readonly client: string;
  readonly operation: 'read' | 'write';
}

/** The name to look up, or why the request is refused. */
export type NameOutcome = { readonly name: string } | { readonly refused: TftpError };

/** Whether a file of this name can be transferred. */
export type FileTest = (name: string) => Promise<boolean>;

/** What a rule has done with a name. Plain JSON. */
export interface NameStep {
  /** Its line in the file, from 1. */
  readonly line: number;
  /** The rule as it stands there. */
  readonly rule: string;
  /** Whether the rule had its way. */
  readonly matched: boolean;
  /** The name after it. */
  readonly name: string;
  /** What it led to, in words. */
  readonly action: string;
}

/** Names, and the texts of refusals, are no longer than this, in UTF-16 units. */
const MAX_LENGTH = 1024;
/** Instructions of patterns for one name: about a tenth of a second. Real rules need some thousands. */
const MAX_WORK = 500_000;
/** What tftp-hpa tells a client that a rule refuses without a text. */
const ABORT_TEXT = 'Access denied';
/** What tftp-hpa tells a client if its rules come to no end. */
const FAILURE_TEXT = 'Remap table failure';

export class NameRun {
  /** The rules that had their way, so far. */
  readonly hits: NameRule[] = [];
  readonly #lines: readonly (NameRule | NameLabel)[];
  readonly #request: NameRequest;
  readonly #client: string;
  readonly #maxSteps: number;
  readonly #exists: FileTest;
  readonly #trace: ((step: NameStep) => void) | undefined;
  readonly #budget = { left: MAX_WORK };
  #steps = 0;
  #name: string;

  constructor(
    lines: readonly (NameRule | NameLabel)[],
    request: NameRequest,
    maxSteps: number,
    exists: FileTest,
    trace?: (step: NameStep) => void,
  ) {
    this.#lines = lines;
    this.#request = request;
    this.#client = plainAddress(request.client);
    this.#maxSteps = maxSteps;
    this.#exists = exists;
    this.#trace = trace;
    this.#name = request.name;
  }

  /** Call once. Rejects only if the test for files does. */
  async outcome(): Promise<NameOutcome> {
    try {
      let at = 0;
      for (let line = this.#lines[0]; line !== undefined; line = this.#lines[at]) {
        at = line.type === 'label' || !this.#concerns(line) ? at + 1 : await this.#rule(line, at);
      }
      return { name: this.#name };
    } catch (error) {
      if (error instanceof Refusal) return { refused: error.reason };
      throw error;
    }
  }

  #concerns({ operation, family }: NameRule): boolean {
    const ours = this.#client.includes(':') ? 6 : 4;
    return (
      (operation === 'any' || operation === this.#request.operation) &&
      (family === 'any' || family === ours)
    );
  }

  /** Applies one rule. @returns the index of the next line. */
  async #rule(rule: NameRule, at: number): Promise<number> {
    this.#countStep(rule);
    const match = this.#search(rule, this.#name);
    if ((match === undefined) !== rule.inverse) return this.#next(rule, at, 'no match');
    const name = match !== undefined && rule.rewrites ? this.#rewrite(rule, match) : this.#name;
    if (rule.then === 'acceptFile' && !(await this.#exists(name))) {
      return this.#next(rule, at, `no such file: ${name}`);
    }
    this.#name = name;
    this.hits.push(rule);
    return this.#conclude(rule, at, match?.groups);
  }

  #next(rule: NameRule, at: number, action: string): number {
    this.#tell(rule, false, action);
    return at + 1;
  }

  #conclude(rule: NameRule, at: number, groups: readonly string[] | undefined): number {
    switch (rule.then) {
      case 'accept':
      case 'acceptFile':
        this.#tell(rule, true, 'accept');
        return this.#lines.length;
      case 'restart':
        this.#tell(rule, true, 'start again');
        return 0;
      case 'jump':
        return this.#jump(rule, this.#expand(rule, groups));
      case 'abort':
        return this.#abort(rule, this.#expand(rule, groups));
      case 'continue':
        this.#tell(rule, true, rule.rewrites ? 'replace' : 'match');
        return at + 1;
    }
  }

  #jump(rule: NameRule, label: string): number {
    const at = this.#lines.findIndex((line) => line.type === 'label' && line.label === label);
    if (label === '' || at < 0) this.#fail(rule, `there is no label :${label}`);
    this.#tell(rule, true, `jump to ${label}`);
    return at;
  }

  #abort(rule: NameRule, text: string): never {
    this.#tell(rule, true, 'refuse');
    throw new Refusal(new TftpError('EACCES', text || ABORT_TEXT));
  }

  /** All replacements of one rule. */
  #rewrite(rule: NameRule, first: PosixMatch): string {
    let name = this.#name;
    let done = 0;
    for (let match: PosixMatch | undefined = first; match !== undefined;) {
      const before = name.slice(0, done + match.begin) + this.#expand(rule, match.groups);
      const after = name.slice(done + match.end);
      name = before + after;
      if (name.length > MAX_LENGTH)
        this.#fail(rule, `it makes a name of over ${MAX_LENGTH} characters`);
      if (rule.global === 'once' || (rule.global === 'rest' && after === '')) return name;
      done = rule.global === 'rest' ? before.length : 0;
      match = this.#search(rule, name.slice(done), done > 0);
      if (match !== undefined) this.#countStep(rule);
    }
    return name;
  }

  #expand(rule: NameRule, groups: readonly string[] | undefined): string {
    const text = rule.replacement.expand(this.#client, MAX_LENGTH, groups);
    return text ?? this.#fail(rule, `it makes over ${MAX_LENGTH} characters`);
  }

  #search(rule: NameRule, text: string, continued = false): PosixMatch | undefined {
    const match = rule.pattern.search(text, { continued, budget: this.#budget });
    if (this.#budget.left < 0) this.#fail(rule, 'its patterns take too much time for this name');
    return match;
  }

  #countStep(rule: NameRule): void {
    this.#steps += 1;
    if (this.#steps > this.#maxSteps) {
      this.#fail(rule, `they come to no end in ${this.#maxSteps} steps`);
    }
  }

  #fail(rule: NameRule, why: string): never {
    this.#tell(rule, false, `refuse: ${why}`);
    const text = `The name rules failed in line ${rule.line}: ${why}`;
    throw new Refusal(new TftpError('EACCES', text, { peerMessage: FAILURE_TEXT }));
  }

  #tell({ line, text }: NameRule, matched: boolean, action: string): void {
    const name = shownName(this.#name);
    this.#trace?.({ line, rule: shownName(text), matched, name, action });
  }
}

/** Ends a run. */
class Refusal extends Error {
  constructor(readonly reason: TftpError) {
    super(reason.message);
  }
}
