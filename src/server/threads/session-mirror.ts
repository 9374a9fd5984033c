/** The sessions of a server, as the main thread has been told of them. */

import { isLast } from '../../net/transfer-record';
import type { TransferRecord } from '../../net/transfer-record';
import type { SessionKey } from './messages';

interface MirroredSession {
  readonly host: string;
  record: TransferRecord | undefined;
  /** It was told to end, and will. */
  ending: boolean;
}

export class SessionMirror {
  readonly #sessions = new Map<SessionKey, MirroredSession>();

  /** The last that is known of each transfer, as a `progress` event would tell it. */
  get records(): TransferRecord[] {
    return [...this.#sessions.values()].flatMap(({ record }) => record ?? []);
  }

  /** One is told to end. @returns how many that are. */
  endOne(id: string): number {
    return this.#end(({ record }) => record?.id === id);
  }

  /** Those with an address are told to end, or all. @returns how many they are. */
  endAll(host: string | undefined): number {
    return this.#end((session) => host === undefined || session.host === host);
  }

  begun(key: SessionKey, host: string): void {
    this.#sessions.set(key, { host, record: undefined, ending: false });
  }

  /** Extra calls for sessions that have ended do nothing. */
  heard(key: SessionKey, record: TransferRecord): void {
    const session = this.#sessions.get(key);
    if (session === undefined) return;
    if (isLast(record)) this.#sessions.delete(key);
    else session.record = { ...record, event: 'progress' };
  }

  ended(key: SessionKey): void {
    this.#sessions.delete(key);
  }

  clear(): void {
    this.#sessions.clear();
  }

  #end(which: (session: MirroredSession) => boolean): number {
    const sessions = [...this.#sessions.values()].filter((one) => !one.ending && which(one));
    for (const session of sessions) session.ending = true;
    return sessions.length;
  }
}
