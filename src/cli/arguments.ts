/** From the words of a command line to typed values. Whatever cannot be used is an EINVAL error. */

import { parseArgs } from 'node:util';
import { invalidSetting } from '../net/check-setting';
import type { Command } from './command-table';

type Value = string | boolean | readonly (string | boolean)[] | undefined;

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const MIN_SECONDS = 0.01;
const MAX_SECONDS = 255;

/**
 * Parses what stands behind the name of a sub-command. With `--help` among the flags nothing else
 * needs to be complete.
 *
 * @throws {LocalError} EINVAL for unknown flags, missing values and operands.
 */
export function parseArguments(command: Command, argv: readonly string[]): Arguments {
  const { values, positionals } = parseWords(command, argv);
  const args = new Arguments(positionals, values);
  if (args.has('help')) return args;
  if (positionals.length !== command.operands.length) {
    const wanted = command.operands.length === 0 ? 'no file or URL' : command.operands.join(' ');
    throw usageError(command, `${command.name} takes ${wanted}, not "${positionals.join(' ')}"`);
  }
  return args;
}

/** The flags of one call. A flag that was not given is undefined, false, or an empty list. */
export class Arguments {
  constructor(
    readonly operands: readonly string[],
    private readonly values: Readonly<Record<string, Value>>,
  ) {}

  has(name: string): boolean {
    return this.values[name] !== undefined;
  }

  text(name: string): string | undefined {
    const value = this.values[name];
    return typeof value === 'string' ? value : undefined;
  }

  list(name: string): readonly string[] {
    const value = this.values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** The text, which must be one of `choices`. */
  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = choices.find((choice) => choice === text);
    if (found === undefined) {
      throw invalidSetting(`--${name} is "${text}": it must be ${choices.join(' or ')}`);
    }
    return found;
  }

  /** A whole number. Its limits are checked where it is used. */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!/^\d{1,15}$/.test(text)) {
      throw invalidSetting(`--${name} is "${text}": it must be a whole number`);
    }
    return Number(text);
  }

  /** A whole number, or this word. */
  numberOr<T extends string>(word: T, name: string): number | T | undefined {
    const text = this.text(name);
    if (text === word) return word;
    if (text === undefined || /^\d{1,15}$/.test(text)) return this.number(name);
    throw invalidSetting(`--${name} is "${text}": it must be a whole number or ${word}`);
  }

  /** Two port numbers, `LO:HI`. Their limits are checked where they are used. */
  range(name: string): readonly [first: number, last: number] | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [, first, last] = /^(\d{1,5}):(\d{1,5})$/.exec(text) ?? [];
    if (first === undefined) {
      throw invalidSetting(`--${name} is "${text}": it must be two ports, such as 50000:50100`);
    }
    return [Number(first), Number(last)];
  }

  /** Seconds, with a fraction if need be, in milliseconds. */
  seconds(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const seconds = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
    if (!(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS)) {
      throw invalidSetting(
        `--${name} is "${text}": it must be seconds from ${MIN_SECONDS} to ${MAX_SECONDS}`,
      );
    }
    return Math.round(seconds * 1000);
  }

  /** Bytes: a whole number, with k, M or G for KiB, MiB or GiB. */
  bytes(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const [, digits, unit = ''] = /^(\d{1,15})([kmg]?)$/i.exec(text) ?? [];
    const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? 1);
    if (!Number.isSafeInteger(bytes)) {
      throw invalidSetting(`--${name} is "${text}": it must be bytes, such as 500000, 64k or 10M`);
    }
    return bytes;
  }

  /** A SHA-256 in hexadecimal digits, in lower case. */
  digest(name: string): string | undefined {
    const text = this.text(name)?.toLowerCase();
    if (text === undefined || /^[0-9a-f]{64}$/.test(text)) return text;
    throw invalidSetting(`--${name} is "${text}": it must be 64 hexadecimal digits`);
  }
}

/** The object without its undefined values: options that are left out take their defaults. */
export function givenOnly<T extends object>(options: { [K in keyof T]: T[K] | undefined }): T;
export function givenOnly(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

function parseWords(
  command: Command,
  argv: readonly string[],
): { values: Readonly<Record<string, Value>>; positionals: readonly string[] } {
  const options = command.flags.map(({ name, short, value, repeated }) => [
    name,
    {
      type: value === undefined ? ('boolean' as const) : ('string' as const),
      multiple: repeated ?? false,
      ...(short === undefined ? {} : { short }),
    },
  ]);
  try {
    return parseArgs({
      args: [...argv],
      options: Object.fromEntries(options),
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw usageError(command, firstSentence(error));
  }
}

/** What Node's parser says goes on with advice over several lines. */
function firstSentence(error: unknown): string {
  const [sentence = ''] = (error instanceof Error ? error.message : '').split(/\.\s|\.?\n|\.$/);
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

function usageError(command: Command, what: string): Error {
  return invalidSetting(`${what}; see red-tftp ${command.name} --help`);
}
