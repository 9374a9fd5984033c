/** The server at its listening port: admits requests, and runs a transfer for each. */

import { decodeRequest, decodeTransferPacket } from '../protocol/decode';
import { CancelError, LocalError, PeerError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { Endpoint } from '../udp/endpoint';
import type { TransferRecord } from '../net/transfer-record';
import type { Storage } from '../storage/storage';
import type { Peer } from '../transfer/peer-lock';
import { AbuseGuard } from './abuse-guard';
import { Admission } from './admission';
import { budgetKey } from './budget-key';
import { errorAnswer } from './error-answer';
import { Journal } from './journal';
import { Listeners } from './listeners';
import type { ListeningAddress } from './listening-address';
import { waitAtMost } from './patience';
import { RefusedRequests } from './refused-requests';
import { Runner } from './runner';
import type { CoreListener, ServerCore } from './server-core';
import type { Counters } from './server-counters';
import type { RequiredServerOptions } from './server-options';
import type { ServerSystem } from './server-system';
import type { IncomingRequest } from './session';
import { ShortageReport } from './shortage-report';
import type { ScarceOption } from './shortage-report';
import type { Slot } from './slot';

/** How long `close` waits for files to be put away, in milliseconds. */
const CLOSE_PATIENCE = 1500;

/** What the main thread is told of the transfers in a worker, besides the events of every server. */
export interface FrontListener extends Omit<CoreListener, 'lost'> {
  /** A request was admitted. `id` is that of its records. */
  begun?(id: string, host: string): void;
  /** A transfer is over, or was given up. */
  ended?(id: string): void;
}

/** What a front is given besides the options. */
export interface FrontContext {
  readonly counters: Counters;
  /** Called before a request is looked at. */
  readonly beforeRequest?: () => void;
}

export class Front implements ServerCore {
  #options: RequiredServerOptions;
  readonly #listener: FrontListener;
  readonly #system: ServerSystem;
  readonly #context: FrontContext;
  readonly #admission: Admission;
  readonly #guard: AbuseGuard;
  readonly #journal: Journal;
  readonly #shortage: ShortageReport;
  readonly #runner: Runner;
  readonly #refused = new RefusedRequests();
  /** The ends of the running sessions, and of those that were given up while a slow storage opens their file. */
  readonly #running = new Set<Promise<void>>();
  #listeners: Listeners | undefined;
  #paused = false;

  /** @throws {LocalError} EINVAL if a network, a pattern or an option is not valid. */
  constructor(
    options: RequiredServerOptions,
    listener: FrontListener,
    system: ServerSystem,
    context: FrontContext,
  ) {
    this.#options = options;
    this.#listener = listener;
    this.#system = system;
    this.#context = context;
    this.#admission = new Admission(options);
    this.#guard = new AbuseGuard(options);
    this.#journal = new Journal(options, system.clock, context.counters, listener);
    this.#shortage = new ShortageReport(system.clock, (problem) => listener.problem(problem));
    this.#runner = new Runner(
      {
        clock: system.clock,
        admission: this.#admission,
        guard: this.#guard,
        journal: this.#journal,
        options: () => this.#options,
      },
      {
        begun: (id, host) => listener.begun?.(id, host),
        ended: (id) => listener.ended?.(id),
        upload: (record, stored) => listener.upload(record, stored),
        refused: (...refused) => this.#refuse(...refused),
        unanswered: (scarce) => this.#staySilent(scarce),
      },
    );
  }

  get addresses(): ListeningAddress[] {
    return this.#listeners?.addresses ?? [];
  }

  get transfers(): TransferRecord[] {
    return this.#runner.transfers;
  }

  async listen(): Promise<ListeningAddress[]> {
    const listeners = await Listeners.bind(this.#options, this.#system);
    this.#listeners = listeners;
    listeners.listen({
      message: (origin, datagram, from) => this.#message(origin, datagram, from),
      failed: (error) => this.#listener.problem(error),
    });
    return listeners.addresses;
  }

  abort(id: string, reason: string): boolean {
    return this.#runner.abort(id, reason);
  }

  abortAll(host: string | undefined, reason: string): number {
    return this.#runner.abortAll(host, reason);
  }

  use(storage: Storage): void {
    this.#options = { ...this.#options, storage };
  }

  pause(paused: boolean): void {
    this.#paused = paused;
  }

  async close({ graceful }: { readonly graceful: boolean }): Promise<void> {
    const reason = new CancelError('The server was stopped');
    // Those whose file is not open yet are told through the listening port.
    if (!graceful) this.#runner.abortAll(undefined, reason.message);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    listeners?.stop();
    this.#shortage.stop();

    const ended = Promise.all(this.#running);
    await (graceful ? ended : waitAtMost(CLOSE_PATIENCE, ended, this.#system.clock));
    this.#runner.close(reason);
    listeners?.close();
    this.#journal.close();
  }

  /** Answers only requests, and only to addresses that can have sent them: no loop with another server is possible. */
  #message(origin: Endpoint, datagram: Uint8Array, client: Peer): void {
    this.#context.beforeRequest?.();
    if (this.#listeners === undefined) return;
    const decoded = this.#isPlausible(client) ? decodeRequest(datagram) : undefined;
    if (decoded === undefined || decoded.type === 'ignore') {
      this.#context.counters.add('ignored');
      return this.#handleError(datagram, client);
    }
    this.#context.counters.add('requests');
    const at = this.#system.clock.now();
    const { request } = decoded;
    const incoming = { request, datagram: Uint8Array.from(datagram), client, at };
    if (decoded.type === 'refusal') return this.#refuse(origin, incoming, decoded.error);
    const refusedBefore = this.#refused.take(incoming);
    if (refusedBefore) return void this.#sendError(origin, incoming, refusedBefore);
    const known = this.#runner.find(client);
    if (known && isRepeated(known, incoming)) return known.session.repeatLast();
    if (this.#running.size >= 2 * this.#options.maxTransfers) return this.#staySilent();
    const serving = this.#serve(origin, incoming);
    this.#running.add(serving);
    void serving.then(() => this.#running.delete(serving));
  }

  #isPlausible({ address, port }: Peer): boolean {
    if (port === 0 || /^(2(2[4-9]|[3-5][0-9])\.|0\.|ff)/i.test(address)) return false;
    return this.#listeners?.isOurs({ address, port }) !== true;
  }

  /** A client that waits for its first answer knows no other port to send its ERROR to. */
  #handleError(datagram: Uint8Array, from: Peer): void {
    const slot = this.#runner.find(from);
    if (slot === undefined || slot.session.record !== undefined) return;
    const packet = decodeTransferPacket(datagram);
    if (packet?.type === 'ERROR') {
      this.#runner.end(slot, new PeerError(packet.code, packet.message));
    }
  }

  /** One request, from admission to its end. Never rejects. */
  async #serve(origin: Endpoint, incoming: IncomingRequest): Promise<void> {
    const { request, client } = incoming;
    const refusal = this.#admission.refusal(request, client) ?? this.#pauseRefusal;
    if (refusal) return this.#refuse(origin, incoming, refusal);
    const key = budgetKey(client.address);
    const isExtra = !this.#guard.isWithinRate(key, incoming.at);
    if (isExtra && !this.#guard.beginExtra(key)) return this.#staySilent();
    try {
      const scarce = this.#runner.makeRoom(client, key);
      if (scarce) this.#staySilent(scarce);
      else await this.#runner.run(origin, incoming, key, isExtra);
    } finally {
      if (isExtra) this.#guard.endExtra(key);
    }
  }

  get #pauseRefusal(): TftpError | undefined {
    if (!this.#paused) return undefined;
    return new LocalError('EBUSY', 'The server is paused, try again later');
  }

  /** A request that gets no answer, so that the client repeats it. */
  #staySilent(scarce?: ScarceOption): void {
    this.#context.counters.add('dropped');
    if (scarce) this.#shortage.note(scarce);
  }

  /** Refuses a request with the error's code and text. To too many the text is cut short, and nothing is told of them. */
  #refuse(origin: Endpoint, incoming: IncomingRequest, error: TftpError, slot?: Slot): void {
    this.#journal.judge(incoming, error);
    this.#context.counters.add('refused');
    this.#refused.remember(incoming, error);
    const answerBytes = this.#sendError(origin, incoming, error, slot?.isExtra);
    if (answerBytes === undefined) return slot?.fail(error, this.#system.clock.date());
    const { session } = slot ?? {};
    const refused = { incoming, local: origin.local, error, answerBytes };
    const records = this.#journal.refusal({ ...refused, facts: session?.facts, id: session?.id });
    const tell = (record: TransferRecord): void =>
      slot && !slot.held ? slot.report(record) : this.#journal.report(record);
    records.forEach(tell);
  }

  /** @returns how many bytes it has, or undefined if its text was cut short. */
  #sendError(
    origin: Endpoint,
    { client, datagram }: IncomingRequest,
    error: TftpError,
    isExtra = false,
  ): number | undefined {
    const key = budgetKey(client.address);
    const explains = !isExtra && this.#guard.mayExplain(key, this.#system.clock.now());
    const answer = errorAnswer(error, explains ? undefined : datagram.length);
    origin.send({ datagrams: answer, segmentSize: answer.length }, client);
    return explains ? answer.length : undefined;
  }
}

/** True for the very same request, from a client that has not answered yet: our first packet got lost. */
function isRepeated({ session }: Slot, { datagram }: IncomingRequest): boolean {
  return !session.answered && Buffer.compare(session.incoming.datagram, datagram) === 0;
}
