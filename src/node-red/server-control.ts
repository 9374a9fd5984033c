/** Control messages of a tftp server node: what `msg.action` asks for, one after the other, and the answers. */

import { invalidSetting } from '../net/check-setting';
import { callListener } from '../net/call-listener';
import {
  catchError,
  eventOutput,
  failedMessage,
  failurePayload,
  toOutput,
  toTftpError,
} from './messages';
import { textSetting } from './setting';
import type { NodeMessage } from 'node-red';
import type { TransferRecord } from '../net/transfer-record';
import type { ListeningAddress } from '../server/listening-address';
import type { RuleHits } from '../server/names/name-rules';
import type { ServerCounters } from '../server/server';
import type { TftpError } from '../protocol/errors';
import type { Send } from './messages';
import type { EventsChoice } from './node-config';

/** What a server is doing. `failed`: it cannot listen, and tries again. */
export type ServerState = 'listening' | 'stopped' | 'paused' | 'failed';

/** The payload of an answer. */
export interface ServerReport {
  readonly state: ServerState;
  /** Empty unless the server listens. */
  readonly addresses: readonly ListeningAddress[];
  /** The running transfers. */
  readonly transfers: readonly TransferRecord[];
  /** Since the server last began to listen; empty if it never did. */
  readonly counters: Readonly<Partial<ServerCounters>>;
  /** How often each name rule had its way; empty if there are none. */
  readonly rules: readonly RuleHits[];
}

/** What a control message can do with a server. Whatever is already so is done again without harm. */
export interface ControlledServer {
  readonly report: ServerReport;
  /** Listens, and ends a pause. @throws {TftpError} if it cannot listen; it goes on trying. */
  listen(): Promise<void>;
  /** Ends all transfers and frees the port. */
  stop(): Promise<void>;
  /** Refuses new requests; running transfers go on. */
  pause(): void;
  /** Ends a pause. */
  resume(): void;
  /** Ends one transfer, those with one address, or all. */
  cancel(which: CancelTarget): void;
  /** Opens the folder and reads the rules again. @throws {TftpError} if it cannot; then the old ones hold. */
  reload(): Promise<void>;
}

/** The transfers that are meant; without both properties, all. */
export interface CancelTarget {
  readonly id?: string;
  readonly host?: string;
}

/** What a control message may hold. */
export type ControlMessage = NodeMessage & { action?: unknown; id?: unknown; host?: unknown };

type Action = (server: ControlledServer, msg: ControlMessage) => void | Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = {
  start: (server) => server.listen(),
  stop: (server) => server.stop(),
  pause: (server) => server.pause(),
  resume: (server) => server.resume(),
  cancel: (server, msg) => server.cancel(cancelTarget(msg)),
  status: () => undefined,
  reload: (server) => server.reload(),
};

/** Carries out the control messages of a server, in the order in which they come. */
export class ServerControl {
  readonly #server: ControlledServer;
  readonly #output: number | undefined;
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(server: ControlledServer, events: EventsChoice) {
    this.#server = server;
    this.#output = eventOutput(events, 'complete');
  }

  /** Carries out one message and calls `done` once, unless the node is closed before. */
  handleInput(msg: ControlMessage, send: Send, done: (error?: Error) => void): void {
    const previous = this.#last;
    this.#last = this.#carryOutAfter(previous, msg, send, done);
  }

  /** Leaves undone what still waits. Resolves when what has begun is done. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }

  async #carryOutAfter(
    previous: Promise<void>,
    msg: ControlMessage,
    send: Send,
    done: (error?: Error) => void,
  ): Promise<void> {
    await previous;
    const failure = await this.#carryOut(msg, send);
    if (this.#closed) return;
    if (failure !== undefined) failedMessage(msg, failurePayload(failure, { role: 'server' }));
    callListener(() => done(failure && catchError(failure)));
  }

  async #carryOut(msg: ControlMessage, send: Send): Promise<TftpError | undefined> {
    if (this.#closed) return undefined;
    try {
      await actionOf(msg)(this.#server, msg);
      if (!this.#closed) this.#answer(msg, send);
      return undefined;
    } catch (thrown) {
      return toTftpError(thrown);
    }
  }

  /** Something is done: among separate outputs, that is what `complete` tells. */
  #answer(msg: ControlMessage, send: Send): void {
    if (this.#output === undefined) return;
    send(toOutput(this.#output, { ...msg, event: 'status', payload: this.#server.report }));
  }
}

function actionOf({ action }: ControlMessage): Action {
  const known = typeof action === 'string' && Object.hasOwn(ACTIONS, action);
  const found = known ? ACTIONS[action] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(ACTIONS).join(', ');
  throw invalidSetting(`msg.action is ${JSON.stringify(action)}: it must be one of ${names}`);
}

/** A blank property is a mistake in the flow: it must not end all transfers. */
function cancelTarget(msg: ControlMessage): CancelTarget {
  const given = (['id', 'host'] as const).filter((name) => name in msg);
  for (const name of given) {
    if (textSetting(msg[name]) !== '') continue;
    throw invalidSetting(
      `msg.${name} is blank: give the transfers to cancel, or delete it to cancel all`,
    );
  }
  return Object.fromEntries(given.map((name) => [name, textSetting(msg[name])]));
}
