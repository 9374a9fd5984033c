/** How a thread comes to its storage and its rules. */

import { makeStorage } from '../../storage/portable-storage';
import type { Storage } from '../../storage/storage';
import { NameRules } from '../names/name-rules';
import type { NameHits } from '../names/name-rules';
import type { RequiredServerOptions } from '../server-options';
import { AwayStorage } from './away-storage';
import type { Line } from './line';
import type { HomeCalls, StoragePlan } from './messages';
import type { ThreadSetup } from './thread';

/** Carries out the plan. @throws what the module throws that has the storage. */
export function plannedStorage(
  { key, portable, hasHome }: StoragePlan,
  line: Line<HomeCalls>,
): Storage {
  const home = hasHome ? new AwayStorage(line, key) : undefined;
  return portable === undefined ? home! : makeStorage(portable, home);
}

/** The options as they are in this thread. */
export function threadOptions(
  { options, storage, rules: source }: ThreadSetup,
  line: Line<HomeCalls>,
  onHits: (hits: NameHits) => void,
): RequiredServerOptions {
  const rules = source && NameRules.copy(source, onHits);
  return { ...options, storage: plannedStorage(storage, line), ...(rules && { rules }) };
}
