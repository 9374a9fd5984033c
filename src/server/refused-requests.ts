/**
 * Requests that were refused a moment ago. Clients ask once more without options when they were refused
 * with options (RFC 2347), as these may have been the reason. Here they never are: such a request is part
 * of the same story, and gets the same answer.
 */

import type { TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import { peerName } from '../transfer/peer-lock';
import type { IncomingRequest } from './session';
import { RecentMap } from './recent-map';

/** Milliseconds in which the second request follows the first one. */
const PERIOD = 5000;
const REQUESTS_KEPT = 1000;
/** "File not found" (RFC 1350 section 5) has nothing to do with options: who asks again looks for the file. */
const NOT_FOUND = 1;

interface Refusal {
  readonly request: RequestPacket;
  readonly at: number;
  readonly error: TftpError;
}

export class RefusedRequests {
  readonly #refusals = new RecentMap<string, Refusal>(REQUESTS_KEPT);

  remember({ request, client, at }: IncomingRequest, error: TftpError): void {
    if (request.options.length === 0 || error.tftpCode === NOT_FOUND) return;
    this.#refusals.set(peerName(client), { request, at, error });
  }

  /** Why the same request was refused with options, if this one has none and follows it. It is told once. */
  take({ request, client, at }: IncomingRequest): TftpError | undefined {
    if (request.options.length > 0) return undefined;
    const name = peerName(client);
    const refusal = this.#refusals.get(name);
    if (refusal === undefined) return undefined;
    this.#refusals.delete(name);
    const { type, filename, mode } = refusal.request;
    const same = type === request.type && filename === request.filename && mode === request.mode;
    return same && at - refusal.at <= PERIOD ? refusal.error : undefined;
  }
}
