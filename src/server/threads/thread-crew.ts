/** The running threads of a server, seen from the main thread. */

import { MessageChannel } from 'node:worker_threads';
import type { TransferRecord } from '../../net/transfer-record';
import type { TftpError } from '../../protocol/errors';
import type { Storage } from '../../storage/storage';
import { countEnd } from '../journal';
import type { ListeningAddress } from '../listening-address';
import type { CoreListener } from '../server-core';
import type { Counters } from '../server-counters';
import type { RequiredServerOptions } from '../server-options';
import type { StoredFile } from '../stored-file';
import type { HelperSetupCalls } from './helper-thread';
import { Line } from './line';
import type { FirstCalls, HomeCalls, MainCalls, StoredMessage } from './messages';
import { unpackTftpError } from './packed-error';
import { failedRecord, threadLost } from './session-helper';
import { SessionMirror } from './session-mirror';
import { StorageHome, StorageList } from './storage-home';
import type { StartThread, Thread } from './thread';

/** What a crew is made of. */
export interface CrewSetup {
  readonly options: RequiredServerOptions;
  readonly paused: boolean;
  readonly counters: Counters;
  readonly listener: Omit<CoreListener, 'lost'>;
  readonly startThread: StartThread;
  /** A thread has ended by itself. Without its first thread a crew is of no use. */
  readonly lost: (owner: number, reason: unknown) => void;
}

/** One thread, and what it has open here. */
interface Member {
  readonly thread: Thread;
  readonly line: Line<FirstCalls & HelperSetupCalls>;
  readonly home: StorageHome;
}

/** The number of the thread that has the listening sockets. */
export const FIRST = 1;

export class ThreadCrew {
  readonly #setup: CrewSetup;
  readonly #members = new Map<number, Member>();
  readonly #storages = new StorageList();
  readonly #mirror = new SessionMirror();
  readonly #releaseRules: (() => void) | undefined;
  #options: RequiredServerOptions;
  #draining = false;
  /** What happened while the messages were looked through in the middle of something. */
  readonly #late: (() => void)[] = [];
  #stopping: Promise<unknown> | undefined;
  /** Why a thread has ended by itself. */
  #failure: unknown;

  constructor(setup: CrewSetup) {
    this.#setup = setup;
    this.#options = setup.options;
    const { rules } = setup.options;
    this.#releaseRules = rules?.keepCopy((source) => {
      for (const line of this.#lines) line.tell('rules', [source]);
    });
  }

  get transfers(): TransferRecord[] {
    this.#drain();
    return this.#mirror.records;
  }

  /** @throws what the listening sockets throw, or EIO if the thread cannot be started. */
  async listen(): Promise<ListeningAddress[]> {
    const first = this.#start(FIRST);
    const { threads, transferPorts } = this.#options;
    // All transfers of one port are in the thread that has its socket.
    const helpers = transferPorts === 'single' ? 1 : threads;
    for (let owner = FIRST + 1; owner <= helpers; owner += 1) this.addHelper(owner);
    return inTurn(() => first.line.ask('listen', []));
  }

  /** Starts a thread that runs sessions for the first one. */
  addHelper(owner: number): void {
    const { port1, port2 } = new MessageChannel();
    this.#start(owner).line.tell('first', [port1], [port1]);
    this.#first?.tell('helper', [owner, port2], [port2]);
  }

  abort(id: string, reason: string): boolean {
    this.#drain();
    this.#first?.tell('abort', [id, reason]);
    return this.#mirror.endOne(id) > 0;
  }

  abortAll(host: string | undefined, reason: string): number {
    this.#drain();
    this.#first?.tell('abortAll', [host, reason]);
    return this.#mirror.endAll(host);
  }

  use(storage: Storage): void {
    this.#options = { ...this.#options, storage };
    const plan = this.#storages.plan(storage);
    for (const line of this.#lines) line.tell('use', [plan]);
  }

  pause(paused: boolean): void {
    this.#first?.tell('pause', [paused]);
  }

  /** Ends the transfers, or lets them end, and frees the port. Never rejects. */
  async close(graceful: boolean): Promise<void> {
    // A thread that has ended has nothing to close.
    await this.#first?.ask('close', [{ graceful }]).catch(() => undefined);
  }

  /**
   * Ends the threads, whatever they do. What was not told of its end ends now.
   *
   * @param reason why, for the records of transfers that are lost by it.
   * @returns why a thread had ended before, if one had.
   */
  stop(reason: TftpError): Promise<unknown> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  async #stop(reason: TftpError): Promise<unknown> {
    this.#drain();
    this.#releaseRules?.();
    const owners = [...this.#members.keys()];
    const failures = await Promise.all(owners.map((owner) => this.#release(owner, reason)));
    for (const record of this.#mirror.records) this.#lose(record, reason);
    this.#mirror.clear();
    return this.#failure ?? failures.find((failure) => failure !== undefined);
  }

  async #release(owner: number, reason: TftpError): Promise<unknown> {
    const member = this.#members.get(owner);
    if (member === undefined) return undefined;
    const failure = await member.thread.stop();
    // What a thread has sent before its end counts.
    member.line.drain();
    member.line.close();
    this.#members.delete(owner);
    await member.home.end(reason);
    return failure;
  }

  #start(owner: number): Member {
    const { port1, port2 } = new MessageChannel();
    const { storage, rules, ...options } = this.#options;
    const home = new StorageHome(this.#storages);
    const calls = owner === FIRST ? this.#callsOfFirst(home) : this.#callsOf(home);
    const line = new Line<FirstCalls & HelperSetupCalls>(port1, calls);
    const thread = this.#setup.startThread({
      owner,
      options,
      storage: this.#storages.plan(storage),
      rules: rules?.source,
      paused: this.#setup.paused,
      counters: this.#setup.counters.memory,
      main: port2,
    });
    const member = { thread, line, home };
    this.#members.set(owner, member);
    void thread.ended.then((reason) => this.#ended(owner, reason));
    return member;
  }

  async #ended(owner: number, reason: unknown): Promise<void> {
    if (this.#stopping) return;
    this.#failure = reason;
    await this.#release(owner, threadLost());
    if (!this.#stopping) this.#setup.lost(owner, reason);
  }

  #lose(record: TransferRecord, reason: TftpError): void {
    const last = failedRecord(record, reason);
    countEnd(this.#setup.counters, last);
    this.#deliver(() => this.#setup.listener.transfer(last));
  }

  get #first(): Member['line'] | undefined {
    return this.#members.get(FIRST)?.line;
  }

  /** The first thread is the last: what it hands to the others then finds them told. */
  get #lines(): Member['line'][] {
    return [...this.#members.values()].map(({ line }) => line).reverse();
  }

  #callsOf(home: StorageHome): HomeCalls {
    return {
      openSource: (request) => home.openSource(request),
      readSource: (id) => home.readSource(id),
      closeSource: (id) => home.closeSource(id),
      openSink: (request) => home.openSink(request),
      sinkAborted: (id) => home.sinkAborted(id),
      write: (id, chunk) => home.write(id, chunk),
      commit: (id) => home.commit(id),
      discard: (id) => home.discard(id),
      canOpen: (request, operation) => home.canOpen(request, operation),
      abandon: (id, reason) => home.abandon(id, reason),
      snapshots: (records) => {
        for (const [key, record] of records) this.#mirror.heard(key, record);
      },
    };
  }

  #callsOfFirst(home: StorageHome): MainCalls {
    const { listener } = this.#setup;
    return {
      ...this.#callsOf(home),
      begun: (key, host) => this.#mirror.begun(key, host),
      heard: (key, record) => this.#mirror.heard(key, record),
      ended: (key) => this.#mirror.ended(key),
      transfer: (record) => this.#deliver(() => listener.transfer(record)),
      upload: (record, message) => {
        const stored = storedBy(message, home);
        this.#deliver(() => listener.upload(record, stored));
      },
      alarm: (alarm) => this.#deliver(() => listener.alarm(alarm)),
      problem: (error) => this.#deliver(() => listener.problem(unpackTftpError(error))),
      ruleHits: (hits) => this.#options.rules?.count(hits),
    };
  }

  /** Takes note of what the threads have said up to now. */
  #drain(): void {
    this.#draining = true;
    for (const line of this.#lines) line.drain();
    this.#draining = false;
  }

  /** Tells in order, and never in the middle of a call from outside. */
  #deliver(tell: () => void): void {
    if (!this.#draining && this.#late.length === 0) return tell();
    this.#late.push(tell);
    if (this.#late.length === 1) queueMicrotask(() => this.#deliverLate());
  }

  #deliverLate(): void {
    for (const tell of this.#late.splice(0)) tell();
  }
}

let turn: Promise<unknown> = Promise.resolve();

/**
 * The threads of two servers could both find a port free that they are to share with nobody, if they
 * looked at the same time.
 */
function inTurn<T>(action: () => Promise<T>): Promise<T> {
  const result = turn.then(action);
  turn = result.catch(() => undefined);
  return result;
}

function storedBy(message: StoredMessage, home: StorageHome): StoredFile {
  if ('sink' in message) return home.stored(message.sink);
  const { path, data } = message;
  return {
    ...(path !== undefined && { path }),
    ...(data && { data: Buffer.from(data.buffer, data.byteOffset, data.length) }),
  };
}
