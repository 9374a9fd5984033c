/** A thread that runs sessions for the first one. */

import type { MessagePort } from 'node:worker_threads';
import { asTftpError } from '../../net/transfer-driver';
import type { TftpError } from '../../protocol/errors';
import { Admission } from '../admission';
import { EndingJudge } from '../ending-judge';
import type { RequiredServerOptions } from '../server-options';
import { Session } from '../session';
import { TransferPorts } from '../transfer-ports';
import { Line } from './line';
import type {
  HelperCalls,
  HomeCalls,
  SessionCalls,
  SessionKey,
  SessionOrder,
  ThreadCalls,
} from './messages';
import { packError, unpackTftpError } from './packed-error';
import type { PackedError } from './packed-error';
import { SessionReports } from './session-reports';
import type { ThreadSetup } from './thread';
import { plannedStorage, threadOptions } from './thread-storage';

/** What the main thread has a helper do. */
export interface HelperSetupCalls extends ThreadCalls {
  /** The line to the first thread, before anything comes from there. */
  first(port: MessagePort): void;
}

export class HelperThread {
  readonly #main: Line<HomeCalls>;
  readonly #admission: Admission;
  readonly #endings: EndingJudge;
  readonly #ports: TransferPorts;
  readonly #sessions = new Map<SessionKey, Session>();
  readonly #reports: SessionReports;
  #options: RequiredServerOptions;
  #first: Line<SessionCalls> | undefined;

  constructor(setup: ThreadSetup) {
    const calls: HelperSetupCalls = {
      use: (plan) => {
        this.#options = { ...this.#options, storage: plannedStorage(plan, this.#main) };
      },
      rules: (source) => this.#options.rules?.follow(source),
      first: (port) => this.#answerTo(port),
    };
    this.#main = new Line(setup.main, calls);
    this.#options = threadOptions(setup, this.#main, (hits) =>
      this.#first?.tell('ruleHits', [hits]),
    );
    this.#admission = new Admission(this.#options);
    this.#endings = new EndingJudge(this.#options);
    this.#ports = new TransferPorts(setup.options.transferPorts);
    this.#reports = new SessionReports(this.#main, () =>
      [...this.#sessions].flatMap(([key, { record }]) => (record ? [[key, record] as const] : [])),
    );
  }

  end(): void {
    this.#reports.stop();
    for (const session of this.#sessions.values()) session.close();
    this.#first?.close();
    this.#main.close();
  }

  #answerTo(port: MessagePort): void {
    const calls: HelperCalls = {
      begin: (order) => void this.#begin(order),
      repeatLast: (key) => this.#sessions.get(key)?.repeatLast(),
      abort: (key, reason) => this.#sessions.get(key)?.abort(unpackTftpError(reason)),
      close: (key, reason) => this.#sessions.get(key)?.close(reason && unpackTftpError(reason)),
    };
    this.#first = new Line(port, calls);
  }

  /** Runs a session to its end, and tells of it. */
  async #begin({ session: key, request, client, local, facts }: SessionOrder): Promise<void> {
    // What the main thread said before the request came holds for it.
    this.#main.drain();
    const first = this.#first!;
    const arrival = { request, client, datagram: new Uint8Array() };
    const openSocket = (receiveBuffer: number) => this.#ports.open(local, client, receiveBuffer);
    const session = new Session(
      arrival,
      this.#options,
      { admission: this.#admission, endings: this.#endings, facts, openSocket },
      {
        event: (record) => {
          this.#reports.heard(key);
          first.tell('event', [key, record]);
        },
        answered: () => first.tell('answered', [key]),
        named: (servedAs) => first.tell('named', [key, servedAs]),
        // The first thread has told the client already.
        refused: () => undefined,
      },
    );
    this.#sessions.set(key, session);
    const error = await outcomeOf(session);
    first.tell('ended', [key, error]);
    await session.closed;
    this.#sessions.delete(key);
    first.tell('closed', [key]);
  }
}

async function outcomeOf(session: Session): Promise<PackedError | undefined> {
  try {
    await session.run();
    return undefined;
  } catch (thrown) {
    const error: TftpError = asTftpError(thrown);
    return packError(error);
  }
}
