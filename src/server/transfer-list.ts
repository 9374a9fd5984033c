/** The sessions of a server, by the address and port of their clients. */

import { peerName } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import type { Session } from './session';

export class TransferList {
  readonly #sessions = new Map<string, Session>();
  readonly #perHost = new Map<string, number>();

  get size(): number {
    return this.#sessions.size;
  }

  /** How many sessions an address has. */
  ofHost(address: string): number {
    return this.#perHost.get(address) ?? 0;
  }

  find(client: Peer): Session | undefined {
    return this.#sessions.get(peerName(client));
  }

  add(session: Session): void {
    const { client } = session.arrival;
    this.#sessions.set(peerName(client), session);
    this.#perHost.set(client.address, this.ofHost(client.address) + 1);
  }

  /** False for a session that is not in the list any more. */
  remove(session: Session): boolean {
    const { client } = session.arrival;
    if (this.find(client) !== session) return false;
    this.#sessions.delete(peerName(client));
    const left = this.ofHost(client.address) - 1;
    if (left > 0) this.#perHost.set(client.address, left);
    else this.#perHost.delete(client.address);
    return true;
  }

  /** Those whose clients have not answered yet, the oldest first. */
  halfOpen(): Session[] {
    return this.all().filter((session) => !session.answered);
  }

  /** Those of now: the list may change while this one is walked through. */
  all(): Session[] {
    return [...this.#sessions.values()];
  }
}
