/** What the failure of a read means: a failure, something normal, or a client that only wanted the size. */

import type { FailureMeaning } from '../net/transfer-setup';
import { PeerError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import { plainPath } from '../storage/remote-path';
import { Expectations } from './expectations';
import type { RequiredServerOptions } from './server-options';

/** The ERROR codes with which clients say that the OACK was enough: UEFI says 8, all others 0. */
const PROBE_CODES = [0, 8];

export class EndingJudge {
  readonly #expectations: Expectations;
  readonly #anyProbes: boolean;

  /** @throws {LocalError} EINVAL, saying which of `expectedMisses` cannot be used. */
  constructor({ expectedMisses, probes }: RequiredServerOptions) {
    this.#expectations = new Expectations(expectedMisses);
    this.#anyProbes = probes;
  }

  /** What the client means by the name that it asks for. */
  meantName(filename: string): string {
    return this.#expectations.meantName(filename);
  }

  /**
   * Only what a client says by its ERROR packet can be normal, and a file that is missing. The text
   * of an ERROR says nothing: only its code is judged. Silence and a closed port are failures.
   *
   * @param began true once both sides had settled their options, and the file was on its way.
   */
  meaning({ type, filename }: RequestPacket, error: TftpError, began: boolean): FailureMeaning {
    if (type !== 'RRQ') return 'failure';
    if (error instanceof PeerError) return this.#meaningOfHangUp(error.tftpCode, began);
    const missed = error.code === 'ENOENT' && this.#expectations.mayMiss(this.#pathOf(filename));
    return missed ? 'expected' : 'failure';
  }

  #meaningOfHangUp(tftpCode: number, began: boolean): FailureMeaning {
    if (!began && this.#isProbe(tftpCode)) return 'probe';
    return this.#expectations.mayEndMidway(tftpCode) ? 'expected' : 'failure';
  }

  #isProbe(tftpCode: number): boolean {
    if (this.#anyProbes && PROBE_CODES.includes(tftpCode)) return true;
    return this.#expectations.mayEndAfterSize(tftpCode);
  }

  #pathOf(filename: string): string {
    return plainPath(this.meantName(filename));
  }
}
