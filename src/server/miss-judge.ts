/** What it means that a file is missing: something normal, a failure, or a client that guesses names. */

import type { TftpError } from '../protocol/errors';
import { shownName } from '../protocol/name-text';
import type { RequestPacket } from '../protocol/packet';
import { plainPath } from '../storage/remote-path';
import { ExpectedMisses } from './expected-misses';
import { GuessWatch } from './guess-alarm';
import type { GuessAlarm } from './guess-alarm';
import type { RequiredServerOptions } from './server-options';

export class MissJudge {
  readonly #expected: ExpectedMisses;
  readonly #guesses: GuessWatch;

  /** @throws {LocalError} EINVAL, saying which of the expected misses cannot be used. */
  constructor({ expectedMisses, guessLimit }: RequiredServerOptions) {
    this.#expected = new ExpectedMisses(expectedMisses);
    this.#guesses = new GuessWatch(guessLimit);
  }

  /**
   * Marks the error of a read as expected if it is, and else counts it.
   *
   * @param now milliseconds since 1970.
   * @returns the alarm, if this miss was one too many.
   */
  judge(
    { type, filename }: RequestPacket,
    host: string,
    error: TftpError,
    now: number,
  ): GuessAlarm | undefined {
    if (type !== 'RRQ' || error.code !== 'ENOENT') return undefined;
    const name = plainPath(filename);
    if (this.#expected.includes(name)) error.expected = true;
    return error.expected === true ? undefined : this.#guesses.missed(host, shownName(name), now);
  }
}
