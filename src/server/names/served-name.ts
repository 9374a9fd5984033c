/** Under which name a storage is asked for what a client wants. */

import type { RequestPacket } from '../../protocol/packet';
import { canOpen } from '../../storage/can-open';
import type { Storage, StorageRequest } from '../../storage/storage';
import type { NameRules } from './name-rules';

/**
 * The name that the rules make of the request's.
 *
 * @throws {TftpError} EACCES if a rule refuses it, or the rules come to no end.
 */
export async function servedName(
  rules: NameRules,
  storage: Storage,
  type: RequestPacket['type'],
  request: StorageRequest,
): Promise<string> {
  const operation = type === 'RRQ' ? 'read' : 'write';
  const asked = { name: request.filename, client: request.client.address, operation } as const;
  const outcome = await rules.apply(asked, (filename) =>
    canOpen(storage, { ...request, filename }, operation),
  );
  if ('refused' in outcome) throw outcome.refused;
  return outcome.name;
}
