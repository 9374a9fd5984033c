/** Checks that settings share: a setting that cannot be used is an EINVAL error that says what it may be. */

import { LocalError } from '../protocol/errors';

/** @throws {LocalError} EINVAL if `value` is no whole number from `least` to `most`. */
export function checkNumber(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw invalidSetting(
    `${name} is ${String(value)}: it must be a whole number from ${least} to ${most}`,
  );
}

/** The error for a setting that cannot be used. */
export function invalidSetting(message: string): LocalError {
  return new LocalError('EINVAL', message);
}
