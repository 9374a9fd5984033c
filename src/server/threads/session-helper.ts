/** A helper thread and its sessions, as the first thread sees them. */

import type { MessagePort } from 'node:worker_threads';
import { describeError, isLast } from '../../net/transfer-record';
import type { TransferRecord } from '../../net/transfer-record';
import { LocalError } from '../../protocol/errors';
import type { TftpError } from '../../protocol/errors';
import type { Peer } from '../../transfer/peer-lock';
import type { NameHits } from '../names/name-rules';
import type { SessionPlace } from '../reception';
import type { Arrival, RequestFacts, ServedSession, SessionListener } from '../session';
import { Line } from './line';
import type { HelperCalls, SessionCalls, SessionKey } from './messages';
import { packError, unpackTftpError } from './packed-error';

export class SessionHelper implements SessionPlace {
  readonly #line: Line<HelperCalls>;
  readonly #sessions = new Map<SessionKey, HelpedSession>();
  readonly #keyOf: (session: ServedSession) => SessionKey;

  /**
   * @param keyOf gives each session a number of its own.
   * @param onHits is told which rules had their way.
   * @param onEnd is told when the helper is no more; its sessions have failed then.
   */
  constructor(
    port: MessagePort,
    keyOf: (session: ServedSession) => SessionKey,
    onHits: (hits: NameHits) => void,
    onEnd: (helper: SessionHelper) => void,
  ) {
    this.#keyOf = keyOf;
    const calls: SessionCalls = {
      event: (key, record) => this.#sessions.get(key)?.event(record),
      answered: (key) => this.#sessions.get(key)?.answer(),
      named: (key, servedAs) => this.#sessions.get(key)?.name(servedAs),
      ended: (key, error) => this.#sessions.get(key)?.end(error && unpackTftpError(error)),
      closed: (key) => {
        this.#sessions.get(key)?.settle();
        this.#sessions.delete(key);
      },
      ruleHits: onHits,
    };
    this.#line = new Line(port, calls, () => {
      for (const session of this.#sessions.values()) session.lose();
      this.#sessions.clear();
      onEnd(this);
    });
  }

  get load(): number {
    return this.#sessions.size;
  }

  newSession(
    arrival: Arrival,
    local: Peer,
    facts: RequestFacts,
    listener: SessionListener,
  ): ServedSession {
    const session: HelpedSession = new HelpedSession(arrival, facts, listener, {
      begin: () => {
        const { request, client } = arrival;
        this.#line.tell('begin', [{ session: key, request, client, local, facts }]);
      },
      repeatLast: () => this.#line.tell('repeatLast', [key]),
      abort: (reason) => this.#line.tell('abort', [key, packError(reason)]),
      close: (reason) => this.#line.tell('close', [key, reason && packError(reason)]),
    });
    const key = this.#keyOf(session);
    this.#sessions.set(key, session);
    return session;
  }

  /** The helper's line is closed. */
  end(): void {
    this.#line.close();
  }
}

/** What a session has its thread do. */
interface SessionOrders {
  begin(): void;
  repeatLast(): void;
  abort(reason: TftpError): void;
  close(reason: TftpError | undefined): void;
}

class HelpedSession implements ServedSession {
  readonly arrival: Arrival;
  readonly closed: Promise<void>;
  readonly #listener: SessionListener;
  readonly #orders: SessionOrders;
  readonly #ended: Promise<void>;
  #facts: RequestFacts;
  #record: TransferRecord | undefined;
  #answered = false;
  #cancelled = false;
  /** Its client was told from here that nothing will come, and nobody hears more of it. */
  #refused = false;
  #over = false;
  #resolveClosed!: () => void;
  #resolveEnded!: () => void;
  #rejectEnded!: (error: TftpError) => void;

  constructor(
    arrival: Arrival,
    facts: RequestFacts,
    listener: SessionListener,
    orders: SessionOrders,
  ) {
    this.arrival = arrival;
    this.#facts = facts;
    this.#listener = listener;
    this.#orders = orders;
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    this.#ended = new Promise((resolve, reject) => {
      this.#resolveEnded = resolve;
      this.#rejectEnded = reject;
    });
  }

  get id(): string | undefined {
    return this.#record?.id;
  }

  get facts(): RequestFacts {
    return this.#facts;
  }

  get record(): TransferRecord | undefined {
    return this.#record;
  }

  get answered(): boolean {
    return this.#answered;
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  async run(): Promise<undefined> {
    this.#orders.begin();
    await this.#ended;
    return undefined;
  }

  repeatLast(): void {
    this.#orders.repeatLast();
  }

  /** If its file is not open, as far as is known here, the client is told from here: the helper has no socket for that. */
  abort(reason: TftpError): void {
    const refuse = this.#record === undefined && !this.#cancelled;
    this.#cancelled = true;
    this.#orders.abort(reason);
    if (!refuse) return;
    this.#refused = true;
    this.#listener.refused(reason);
  }

  close(reason?: TftpError): void {
    this.#cancelled = true;
    this.#orders.close(reason);
  }

  event(record: TransferRecord): void {
    if (this.#refused) return;
    this.#record = record;
    this.#listener.event(record);
    // Its client may ask again at once, from the same port.
    if (isLast(record)) this.end();
  }

  answer(): void {
    this.#answered = true;
    this.#listener.answered();
  }

  name(servedAs: string): void {
    this.#facts = { ...this.#facts, servedAs };
  }

  /** @param error why it could not begin. Extra calls do nothing. */
  end(error?: TftpError): void {
    this.#over = true;
    if (error === undefined) this.#resolveEnded();
    else this.#rejectEnded(error);
  }

  settle(): void {
    this.#resolveClosed();
  }

  /** Its thread is no more. */
  lose(): void {
    const error = threadLost();
    if (!this.#over && this.#record !== undefined) this.event(failedRecord(this.#record, error));
    this.end(error);
    this.#resolveClosed();
  }
}

/** The last record of a transfer whose thread has ended. */
export function failedRecord(record: TransferRecord, error: TftpError): TransferRecord {
  const finished = new Date().toISOString();
  return { ...record, event: 'error', finished, error: describeError(error), trace: [] };
}

export function threadLost(): LocalError {
  return new LocalError('EIO', 'A thread of the server has ended');
}
