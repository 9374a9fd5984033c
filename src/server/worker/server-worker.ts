/** The server in its worker thread: the same `Front` as without a worker, connected to the main thread. */

import type { Clock, Timer } from '../../net/clock';
import { isLast } from '../../net/transfer-record';
import type { TransferRecord } from '../../net/transfer-record';
import { makeStorage } from '../../storage/portable-storage';
import type { Storage } from '../../storage/storage';
import { Front } from '../front';
import type { FrontListener } from '../front';
import { NameRules } from '../names/name-rules';
import { Counters } from '../server-counters';
import type { RequiredServerOptions } from '../server-options';
import type { ServerSystem } from '../server-system';
import type { StoredFile } from '../stored-file';
import type { MainCalls, StoragePlan, WorkerCalls } from './messages';
import { packError } from './packed-error';
import { RemoteSink, RemoteStorage } from './remote-storage';
import { Rpc } from './rpc';
import type { WorkerSetup } from './worker';

/** Milliseconds between two snapshots: the main thread's view of a transfer is at most twice as old. */
const SNAPSHOT_INTERVAL = 500;

export class ServerWorker {
  readonly #main: Rpc<MainCalls>;
  readonly #options: RequiredServerOptions;
  readonly #front: Front;
  readonly #clock: Clock;
  /** The bytes that each running transfer had when it last reported. */
  readonly #reported = new Map<string, number>();
  #timer: Timer;

  constructor(setup: WorkerSetup, system: ServerSystem) {
    this.#clock = system.clock;
    this.#main = new Rpc(setup.main, this.#calls);
    this.#options = this.#threadOptions(setup);
    this.#front = new Front(this.#options, this.#listener, system, {
      counters: new Counters(setup.counters),
      // What the main thread called before a request came applies to it.
      beforeRequest: () => this.#main.drain(),
    });
    this.#front.pause(setup.paused);
    this.#timer = this.#nextSnapshot();
  }

  end(): void {
    this.#timer.cancel();
    void this.#front.close({ graceful: false });
    this.#main.close();
  }

  get #calls(): WorkerCalls {
    return {
      listen: () => this.#front.listen(),
      abort: (id, reason) => void this.#front.abort(id, reason),
      abortAll: (host, reason) => void this.#front.abortAll(host, reason),
      pause: (paused) => this.#front.pause(paused),
      close: (options) => this.#front.close(options),
      use: (plan) => this.#front.use(this.#storage(plan)),
      rules: (source) => this.#options.rules?.follow(source),
    };
  }

  get #listener(): FrontListener {
    return {
      begun: (id, host) => this.#main.notify('begun', [id, host]),
      ended: (id) => this.#main.notify('ended', [id]),
      transfer: (record) => this.#transfer(record),
      upload: (record, stored) => this.#upload(record, stored),
      alarm: (alarm) => this.#main.notify('alarm', [alarm]),
      problem: (error) => this.#main.notify('problem', [packError(error)]),
    };
  }

  #threadOptions({ options, storage, rules }: WorkerSetup): RequiredServerOptions {
    const copy = rules && NameRules.copy(rules, (hits) => this.#main.notify('ruleHits', [hits]));
    return { ...options, storage: this.#storage(storage), ...(copy && { rules: copy }) };
  }

  /** @throws what the module of the storage throws. */
  #storage({ key, portable, hosted }: StoragePlan): Storage {
    const remote = hosted ? new RemoteStorage(this.#main, key) : undefined;
    return portable === undefined ? remote! : makeStorage(portable, remote);
  }

  #transfer(record: TransferRecord): void {
    if (isLast(record)) this.#reported.delete(record.id);
    else this.#reported.set(record.id, record.bytes);
    this.#main.notify('transfer', [record]);
  }

  #nextSnapshot(): Timer {
    const timer = this.#clock.after(SNAPSHOT_INTERVAL, () => this.#snapshot());
    timer.unref();
    return timer;
  }

  #snapshot(): void {
    const news = this.#front.transfers.filter(
      ({ id, bytes }) => this.#reported.get(id) !== bytes && this.#reported.has(id),
    );
    for (const { id, bytes } of news) this.#reported.set(id, bytes);
    if (news.length > 0) this.#main.notify('snapshots', [news]);
    this.#timer = this.#nextSnapshot();
  }

  /** What was stored in memory is transferred: nothing here needs it any more. */
  #upload(record: TransferRecord, { path, data, sink }: StoredFile): void {
    if (sink instanceof RemoteSink) return this.#main.notify('upload', [record, { sink: sink.id }]);
    const bytes = data && ownBytes(data);
    const stored = { ...(path !== undefined && { path }), ...(bytes && { data: bytes }) };
    this.#main.notify('upload', [record, stored], bytes ? [bytes.buffer] : []);
  }
}

/** The bytes in memory that holds nothing else. */
function ownBytes(data: Buffer): Uint8Array<ArrayBuffer> {
  const { buffer } = data;
  const alone = buffer instanceof ArrayBuffer && buffer.byteLength === data.length;
  return alone ? new Uint8Array(buffer) : new Uint8Array(data);
}
