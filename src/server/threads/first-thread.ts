/** The thread that has the listening sockets and the list of sessions. */

import type { MessagePort } from 'node:worker_threads';
import { Reception } from '../reception';
import type { ReceptionListener } from '../reception';
import { Counters } from '../server-counters';
import type { RequiredServerOptions } from '../server-options';
import type { ServerSystem } from '../server-system';
import { Session } from '../session';
import type { ServedSession } from '../session';
import type { StoredFile } from '../stored-file';
import { AwaySink } from './away-storage';
import { Line } from './line';
import type { FirstCalls, MainCalls, SessionKey } from './messages';
import { packError } from './packed-error';
import { SessionHelper } from './session-helper';
import { SessionReports } from './session-reports';
import type { SessionState } from './session-reports';
import type { ThreadSetup } from './thread';
import { plannedStorage, threadOptions } from './thread-storage';

export class FirstThread {
  readonly #main: Line<MainCalls>;
  readonly #helpers: SessionHelper[] = [];
  readonly #keys = new Map<ServedSession, SessionKey>();
  readonly #options: RequiredServerOptions;
  readonly #reception: Reception;
  readonly #reports: SessionReports;
  #lastKey = 0;

  constructor(setup: ThreadSetup, system: ServerSystem) {
    this.#main = new Line(setup.main, this.#calls);
    this.#options = threadOptions(setup, this.#main, (hits) => this.#main.tell('ruleHits', [hits]));
    this.#reception = new Reception(this.#options, this.#listener, system, {
      counters: new Counters(setup.counters),
      places: this.#helpers,
      // What the main thread said before a request came holds for it.
      settle: () => this.#main.drain(),
    });
    this.#reception.pause(setup.paused);
    this.#reports = new SessionReports(this.#main, () => this.#states);
  }

  end(): void {
    this.#reports.stop();
    for (const helper of [...this.#helpers]) helper.end();
    void this.#reception.close({ graceful: false });
    this.#main.close();
  }

  get #calls(): FirstCalls {
    return {
      listen: () => this.#reception.listen(),
      abort: (id, reason) => void this.#reception.abort(id, reason),
      abortAll: (host, reason) => void this.#reception.abortAll(host, reason),
      pause: (paused) => this.#reception.pause(paused),
      close: (options) => this.#reception.close(options),
      use: (plan) => this.#reception.use(plannedStorage(plan, this.#main)),
      rules: (source) => this.#options.rules?.follow(source),
      helper: (_owner, port) => this.#addHelper(port),
    };
  }

  get #listener(): ReceptionListener {
    return {
      begun: (session) => {
        this.#main.tell('begun', [this.#keyOf(session), session.arrival.client.address]);
      },
      heard: (session, record) => {
        const key = this.#keys.get(session);
        if (key === undefined) return;
        this.#reports.heard(key);
        this.#main.tell('heard', [key, record]);
      },
      ended: (session) => {
        this.#main.tell('ended', [this.#keyOf(session)]);
        this.#keys.delete(session);
      },
      transfer: (record) => this.#main.tell('transfer', [record]),
      upload: (record, stored) => this.#tellUpload(record, stored),
      alarm: (alarm) => this.#main.tell('alarm', [alarm]),
      problem: (error) => this.#main.tell('problem', [packError(error)]),
    };
  }

  /** How far the sessions are that run here. */
  get #states(): SessionState[] {
    return [...this.#keys].flatMap(([session, key]) => {
      const record = session instanceof Session ? session.record : undefined;
      return record ? [[key, record] as const] : [];
    });
  }

  #addHelper(port: MessagePort): void {
    const helper = new SessionHelper(
      port,
      (session) => this.#keyOf(session),
      (hits) => this.#main.tell('ruleHits', [hits]),
      (ended) => void this.#helpers.splice(this.#helpers.indexOf(ended), 1),
    );
    this.#helpers.push(helper);
  }

  #keyOf(session: ServedSession): SessionKey {
    const key = this.#keys.get(session) ?? (this.#lastKey += 1);
    this.#keys.set(session, key);
    return key;
  }

  /** What was stored in memory moves: nobody here needs it any more. */
  #tellUpload(record: Parameters<MainCalls['upload']>[0], { path, data, sink }: StoredFile): void {
    if (sink instanceof AwaySink) return this.#main.tell('upload', [record, { sink: sink.id }]);
    const bytes = data && ownBytes(data);
    const stored = { ...(path !== undefined && { path }), ...(bytes && { data: bytes }) };
    this.#main.tell('upload', [record, stored], bytes ? [bytes.buffer] : []);
  }
}

/** The bytes in memory that holds nothing else. */
function ownBytes(data: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer } = data;
  const alone = buffer instanceof ArrayBuffer && buffer.byteLength === data.length;
  return alone ? new Uint8Array(buffer) : new Uint8Array(data);
}
