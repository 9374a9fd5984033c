/** Turns what a field, `${ENV}` or a message gave into the value that is meant. */

import { invalidSetting } from '../net/check-setting';

/** Nothing was filled in. */
export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** Text without blanks around it; a number becomes its digits, nothing becomes ''. */
export function textSetting(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

/** True for true and 'true'. */
export function flagSetting(value: unknown): boolean {
  return value === true || value === 'true';
}

/** @throws {LocalError} EINVAL if it is no number. Undefined stands for blank. */
export function numberSetting(name: string, value: unknown): number | undefined {
  if (isBlank(value)) return undefined;
  const text = textSetting(value);
  const number = Number(text);
  if (text === '' || !Number.isFinite(number)) {
    throw invalidSetting(`${name} is ${describe(value)}: it must be a number`);
  }
  return number;
}

/** Milliseconds from seconds. @throws {LocalError} EINVAL. Undefined stands for blank. */
export function millisecondsSetting(
  name: string,
  value: unknown,
  least: number,
  most: number,
): number | undefined {
  const seconds = numberSetting(name, value);
  if (seconds === undefined) return undefined;
  if (seconds < least || seconds > most) {
    throw invalidSetting(`${name} is ${seconds}: it must be from ${least} to ${most} seconds`);
  }
  return Math.round(seconds * 1000);
}

/** Bytes from MiB. @throws {LocalError} EINVAL. Undefined stands for blank. */
export function bytesSetting(name: string, value: unknown): number | undefined {
  const mebibytes = numberSetting(name, value);
  if (mebibytes === undefined) return undefined;
  if (mebibytes < 0) throw invalidSetting(`${name} is ${mebibytes}: it must not be negative`);
  return Math.floor(mebibytes * 1024 * 1024);
}

/** @throws {LocalError} EINVAL if it is none of the choices. */
export function choiceSetting<Choice extends string>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
): Choice {
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw invalidSetting(`${name} is ${describe(value)}: it must be one of ${choices.join(', ')}`);
}

/** "50000" or "50000-50100". @throws {LocalError} EINVAL. Undefined stands for blank. */
export function portsSetting(
  name: string,
  value: unknown,
): number | readonly [first: number, last: number] | undefined {
  if (isBlank(value)) return undefined;
  const [, first, last] = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(textSetting(value)) ?? [];
  if (first === undefined) {
    throw invalidSetting(`${name} is ${describe(value)}: write 50000, or 50000-50100 for a range`);
  }
  return last === undefined ? Number(first) : [Number(first), Number(last)];
}

/** The object without the properties that are undefined, as exact optional properties want it. */
export function withoutUndefined<T extends object>(given: { [K in keyof T]: T[K] | undefined }): T {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is left are values of T
  return Object.fromEntries(entries) as T;
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : String(value);
}
