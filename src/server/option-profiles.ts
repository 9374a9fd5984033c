/** Which options some clients are refused, because they ask for what they cannot do. */

import { invalidSetting } from '../net/check-setting';
import type { WireOption } from '../protocol/packet';
import { AccessList } from './access-list';

/** Options that are not granted to some clients; they are left out of the answer, as RFC 2347 has it. */
export interface OptionProfile {
  /** Addresses or CIDRs. */
  readonly clients: readonly string[];
  /** Names of options, or `all-but-tsize`, which all network boot programs can live with. */
  readonly refuse: readonly string[] | 'all-but-tsize';
}

/** The options that the server knows. */
export const OPTION_NAMES: readonly string[] = [
  'blksize',
  'blksize2',
  'timeout',
  'utimeout',
  'tsize',
  'windowsize',
  'rollover',
];

export class OptionProfiles {
  readonly #profiles: readonly { readonly clients: AccessList; readonly refused: Set<string> }[];

  /** @throws {LocalError} EINVAL, naming the network or the option that cannot be used. */
  constructor(profiles: readonly OptionProfile[]) {
    this.#profiles = profiles.map(({ clients, refuse }) => ({
      clients: new AccessList(clients),
      refused: new Set(refusedNames(refuse)),
    }));
  }

  /** The options that may be granted to a client; what any profile refuses it is left out. */
  grantable(asked: readonly WireOption[], address: string): readonly WireOption[] {
    const profiles = this.#profiles.filter(({ clients }) => clients.includes(address));
    if (profiles.length === 0) return asked;
    return asked.filter(({ name }) => !profiles.some(({ refused }) => refused.has(name)));
  }
}

function refusedNames(refuse: OptionProfile['refuse']): readonly string[] {
  if (refuse === 'all-but-tsize') return OPTION_NAMES.filter((name) => name !== 'tsize');
  const names = refuse.map((name) => name.trim().toLowerCase());
  const unknown = names.find((name) => !OPTION_NAMES.includes(name));
  if (unknown === undefined) return names;
  throw invalidSetting(
    `${unknown} is no option: name some of ${OPTION_NAMES.join(', ')}, or all-but-tsize`,
  );
}
