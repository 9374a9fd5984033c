/** Whether a request may become a transfer: who sends it, and for what. */

import { LocalError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { RequestPacket, WireOption } from '../protocol/packet';
import { remotePath } from '../storage/remote-path';
import type { Peer } from '../transfer/peer-lock';
import { AccessList } from './access-list';
import { NameFilter } from './name-filter';
import { OptionProfiles } from './option-profiles';
import type { RequiredServerOptions } from './server-options';

export class Admission {
  readonly #options: RequiredServerOptions;
  readonly #allowed: AccessList;
  readonly #denied: AccessList;
  readonly #names: Readonly<Record<'RRQ' | 'WRQ', NameFilter>>;
  readonly #profiles: OptionProfiles;

  /** @throws {LocalError} EINVAL if there is a network, a pattern or an option that is none. */
  constructor(options: RequiredServerOptions) {
    this.#options = options;
    this.#allowed = new AccessList(options.allow);
    this.#denied = new AccessList(options.deny);
    const { readNames, writeNames } = options;
    this.#names = { RRQ: new NameFilter(readNames), WRQ: new NameFilter(writeNames) };
    this.#profiles = new OptionProfiles(options.profiles);
  }

  /** Why the request is refused; undefined if it is not. */
  refusal(request: RequestPacket, from: Peer): TftpError | undefined {
    const { read, write, maxUploadSize } = this.#options;
    if (!this.#allowed.includes(from.address) || this.#denied.includes(from.address)) {
      return new LocalError('EACCES', 'Your address may not use this server');
    }
    if (request.type === 'RRQ' && !read) {
      return new LocalError('EACCES', 'This server does not allow reading');
    }
    if (request.type === 'WRQ' && !write) {
      return new LocalError('EACCES', 'This server does not allow writing');
    }
    const announced = announcedSize(request);
    if (request.type === 'WRQ' && announced !== undefined && announced > maxUploadSize) {
      return tooLarge(maxUploadSize);
    }
    return undefined;
  }

  /**
   * Asks whether a name may be read or written.
   *
   * @param name the one that is looked up.
   * @throws {TftpError} EACCES; the text is for the client.
   */
  checkName(type: RequestPacket['type'], name: string): void {
    const names = this.#names[type];
    if (names.isEmpty || names.includes(remotePath(name))) return;
    const doing = type === 'RRQ' ? 'read' : 'written';
    throw new LocalError('EACCES', `A file of this name may not be ${doing}`);
  }

  /** The options that may be granted to a client. */
  grantable(asked: readonly WireOption[], address: string): readonly WireOption[] {
    return this.#profiles.grantable(asked, address);
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
