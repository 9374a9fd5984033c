/** Whether a request may become a transfer: who asks, for what, and how many there are already. */

import { LocalError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import type { Peer } from '../transfer/peer-lock';
import { AccessList } from './access-list';
import type { RequiredServerOptions } from './server-options';

/** How busy the server is. */
export interface Load {
  readonly transfers: number;
  /** With the address that asks. */
  readonly ofHost: number;
}

export class Admission {
  readonly #options: RequiredServerOptions;
  readonly #allowed: AccessList;

  /** @throws {LocalError} EINVAL if `allow` holds something that is no network. */
  constructor(options: RequiredServerOptions) {
    this.#options = options;
    this.#allowed = new AccessList(options.allow);
  }

  /** Why the request is refused; undefined if it is not. */
  refusal(request: RequestPacket, from: Peer, load: Load): TftpError | undefined {
    const { read, write, maxTransfers, maxPerHost, maxUploadSize } = this.#options;
    if (!this.#allowed.includes(from.address)) {
      return new LocalError('EACCES', 'Your address may not use this server');
    }
    if (request.type === 'RRQ' && !read) {
      return new LocalError('EACCES', 'This server does not allow reading');
    }
    if (request.type === 'WRQ' && !write) {
      return new LocalError('EACCES', 'This server does not allow writing');
    }
    if (load.transfers >= maxTransfers) {
      return new LocalError('EBUSY', 'The server is busy, try again later');
    }
    if (load.ofHost >= maxPerHost) {
      return new LocalError('EBUSY', 'Too many transfers with your address, try again later');
    }
    const announced = announcedSize(request);
    if (request.type === 'WRQ' && announced !== undefined && announced > maxUploadSize) {
      return tooLarge(maxUploadSize);
    }
    return undefined;
  }
}

/** The size that a client announces (RFC 2349), if it can be read. */
export function announcedSize(request: RequestPacket): number | undefined {
  const tsize = request.options.find(({ name }) => name === 'tsize')?.value ?? '';
  return /^[0-9]{1,20}$/.test(tsize) ? Number(tsize) : undefined;
}

/** The error for an upload over the limit. */
export function tooLarge(limit: number): LocalError {
  return new LocalError('ETOOLARGE', `The file is larger than the limit of ${limit} bytes`);
}
