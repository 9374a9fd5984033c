/** The server at its listening port: admits requests, and runs a transfer for each. */

import { decodeRequest, decodeTransferPacket } from '../protocol/decode';
import { CancelError, LocalError, PeerError, isTftpError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import type { Endpoint } from '../udp/endpoint';
import type { Flow } from '../udp/flow';
import { systemCodeOf } from '../udp/bind-error';
import { randomId } from '../net/random-id';
import { asTftpError } from '../net/transfer-driver';
import type { TransferRecord } from '../net/transfer-record';
import type { Storage } from '../storage/storage';
import type { Peer } from '../transfer/peer-lock';
import { AbuseGuard } from './abuse-guard';
import { Admission } from './admission';
import { budgetKey } from './budget-key';
import { ClientFlows } from './client-flows';
import { errorAnswer } from './error-answer';
import { Journal } from './journal';
import { Listeners } from './listeners';
import type { ListeningAddress } from './listening-address';
import type { CoreListener, ServerCore } from './server-core';
import type { Counters } from './server-counters';
import type { RequiredServerOptions } from './server-options';
import type { ServerSystem } from './server-system';
import { Session, Unanswered } from './session';
import type { IncomingRequest, SessionContext } from './session';
import { ShortageReport } from './shortage-report';
import type { ScarceOption } from './shortage-report';
import { Slot } from './slot';
import { Slots } from './slots';
import { TransferPorts } from './transfer-ports';

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
  readonly #ports: TransferPorts;
  readonly #flows = new ClientFlows();
  readonly #slots = new Slots();
  /** Ended sessions that still repeat a last ACK, and the running ones. */
  readonly #open = new Set<Session>();
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
    this.#ports = new TransferPorts(options.transferPorts);
  }

  get addresses(): ListeningAddress[] {
    return this.#listeners?.addresses ?? [];
  }

  get transfers(): TransferRecord[] {
    const told = this.#slots.all().filter(({ held }) => !held);
    return told.flatMap(({ session }) => session.record ?? []);
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
    const slot = this.#slots.all().find(({ session }) => session.record?.id === id);
    slot?.session.abort(new CancelError(reason));
    return slot !== undefined;
  }

  abortAll(host: string | undefined, reason: string): number {
    const slots = this.#slots
      .all()
      .filter(({ client }) => host === undefined || client.address === host);
    for (const { session } of slots) session.abort(new CancelError(reason));
    return slots.length;
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
    if (!graceful) for (const { session } of this.#slots.all()) session.abort(reason);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    listeners?.stop();
    this.#shortage.stop();

    const ended = Promise.all(this.#running);
    await (graceful ? ended : Promise.race([ended, this.#patience()]));
    for (const session of this.#open) session.close(reason);
    listeners?.close();
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
    const known = this.#slots.find(client);
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
    const slot = this.#slots.find(from);
    if (slot === undefined || slot.session.record !== undefined) return;
    const packet = decodeTransferPacket(datagram);
    if (packet?.type === 'ERROR') this.#end(slot, new PeerError(packet.code, packet.message));
  }

  /** Ends a transfer without a word to its client, and frees its slot at once. */
  #end(slot: Slot, reason: TftpError): void {
    this.#forget(slot);
    slot.session.close(reason);
  }

  #forget(slot: Slot): void {
    if (this.#slots.remove(slot)) this.#listener.ended?.(slot.session.id);
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
      const scarce = this.#makeRoom(client, key);
      if (scarce) this.#staySilent(scarce);
      else await this.#run(origin, this.#newSlot(origin, incoming, key, isExtra));
    } finally {
      if (isExtra) this.#guard.endExtra(key);
    }
  }

  async #run(origin: Endpoint, slot: Slot): Promise<void> {
    const { session } = slot;
    try {
      const result = await session.run();
      if (slot.accepted) await slot.released;
      if (result) this.#listener.upload(result.record, result.stored);
    } catch (error) {
      this.#handleFailure(origin, slot, error);
    } finally {
      this.#forget(slot);
      void this.#keepSocket(slot);
    }
  }

  /** An ended upload keeps its slot and its socket for a while: its last ACK may have to be repeated. */
  async #keepSocket(slot: Slot): Promise<void> {
    await this.#slots.keepUntil(slot.session.closed, slot);
    this.#open.delete(slot.session);
  }

  #handleFailure(origin: Endpoint, slot: Slot, error: unknown): void {
    const { session } = slot;
    if (session.cancelled) return;
    if (!(error instanceof Unanswered)) {
      return this.#refuse(origin, session.incoming, asTftpError(error), slot);
    }
    this.#staySilent(error.scarce);
    slot.fail(evicted(), this.#system.clock.date());
  }

  /** Finds a slot for a new request. @returns what there is too little of, if there is none. */
  #makeRoom(client: Peer, key: string): ScarceOption | undefined {
    const { maxTransfers, maxPerHost } = this.#options;
    // It has one, of the transfer that this one replaces.
    if (this.#slots.find(client)) return undefined;
    while (this.#slots.ofHost(key) >= maxPerHost) {
      if (!this.#evict((slot) => slot.key === key)) return 'maxPerHost';
    }
    while (this.#slots.size >= maxTransfers) if (!this.#evict(() => true)) return 'maxTransfers';
    return undefined;
  }

  /** Frees a slot. False if all of them are taken by running transfers. */
  #evict(fits: (slot: Slot) => boolean): boolean {
    const slot = this.#slots.evict(this.#system.clock.now(), fits);
    if (slot === undefined) return false;
    this.#listener.ended?.(slot.session.id);
    slot.session.close(evicted());
    return true;
  }

  #newSlot(
    origin: Endpoint,
    incoming: IncomingRequest,
    key: string,
    isExtra: boolean,
  ): Slot {
    const { client, request, at } = incoming;
    const known = this.#slots.find(client);
    const continued = known && isContinued(known, request) ? known : undefined;
    const slot = new Slot(client, key, at, (record) => this.#journal.report(record), continued);
    slot.isExtra = isExtra;
    slot.predecessor = known?.session.answered ? known : known?.predecessor;
    const id = continued?.session.id ?? randomId();
    slot.session = this.#newSession(origin, incoming, slot, id);
    if (continued) {
      continued.silence();
      continued.session.close();
    } else if (known && !known.session.answered) {
      this.#end(known, replaced());
    }
    this.#slots.add(slot);
    this.#open.add(slot.session);
    this.#listener.begun?.(id, client.address);
    return slot;
  }

  #newSession(
    origin: Endpoint,
    incoming: IncomingRequest,
    slot: Slot,
    id: string,
  ): Session {
    const { client, request, datagram } = incoming;
    const { clock } = this.#system;
    const context: SessionContext = {
      id,
      clock,
      admission: this.#admission,
      facts: this.#journal.factsOf(request, client),
      openingSends: (answer) => {
        const now = clock.now();
        slot.opened(now);
        const sizes = { request: datagram.length, answer };
        return this.#guard.openingSends(slot.key, sizes, !slot.isExtra, now);
      },
      openSocket: (receiveBuffer) => this.#openSocket(origin, slot, receiveBuffer),
    };
    return new Session(incoming, this.#options, context, {
      event: (record) => slot.report(record),
      answered: (accepts) => this.#answered(slot, accepts),
      refused: (reason) => this.#refuse(origin, incoming, reason, slot),
    });
  }

  /** The client exists. If it wants this transfer, the one before is over. */
  #answered(slot: Slot, accepts: boolean): void {
    this.#guard.answered(slot.key);
    this.#slots.answered(slot);
    if (!accepts) return;
    slot.accepted = true;
    slot.isExtra = false;
    slot.predecessor?.session.abandon(replaced());
    slot.release();
  }

  async #openSocket(
    origin: Endpoint,
    slot: Slot,
    receiveBuffer: number,
  ): Promise<Flow> {
    if (this.#options.transferPorts === 'single') return this.#flows.open(origin, slot.client);
    for (;;) {
      try {
        return await this.#ports.open(origin.local, slot.client, receiveBuffer);
      } catch (error) {
        const scarce = scarceFor(error);
        if (scarce === undefined) throw error;
        const hasSocket = (other: Slot): boolean => other.session.record !== undefined;
        if (!this.#evict(hasSocket)) throw new Unanswered(scarce);
      }
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
    const { request, client, datagram } = incoming;
    this.#journal.judge(incoming, error);
    this.#context.counters.add('refused');
    const key = budgetKey(client.address);
    const isExtra = slot?.isExtra === true;
    const explains = !isExtra && this.#guard.mayExplain(key, this.#system.clock.now());
    const answer = errorAnswer(error, explains ? undefined : datagram.length);
    origin.send({ datagrams: answer, segmentSize: answer.length }, client);
    if (!explains) return slot?.fail(error, this.#system.clock.date());
    error.filename ??= request.filename;
    const { session } = slot ?? {};
    const refused = { incoming, local: origin.local, error, answerBytes: answer.length };
    const records = this.#journal.refusal({ ...refused, facts: session?.facts, id: session?.id });
    const tell = (record: TransferRecord): void =>
      slot && !slot.held ? slot.report(record) : this.#journal.report(record);
    records.forEach(tell);
  }

  #patience(): Promise<void> {
    return new Promise((resolve) => this.#system.clock.after(CLOSE_PATIENCE, resolve).unref());
  }
}

/** True for the very same request, from a client that has not answered yet: our first packet got lost. */
function isRepeated({ session }: Slot, { datagram }: IncomingRequest): boolean {
  return !session.answered && Buffer.compare(session.incoming.datagram, datagram) === 0;
}

/** True if a client that has not answered yet asks for the same with other options: it did not like the first answer, or did not get it. */
function isContinued({ session }: Slot, request: RequestPacket): boolean {
  const { type, filename, mode } = session.incoming.request;
  const same = type === request.type && filename === request.filename && mode === request.mode;
  return same && !session.answered;
}

/** What there is too little of, if that is why a socket cannot be opened. */
function scarceFor(error: unknown): ScarceOption | undefined {
  if (!isTftpError(error)) return undefined;
  if (error.code === 'EBUSY') return 'transferPorts';
  return ['EMFILE', 'ENFILE'].includes(systemCodeOf(error.cause)) ? 'open files' : undefined;
}

function replaced(): CancelError {
  return new CancelError('Replaced by a new request of the same client', { expected: true });
}

function evicted(): LocalError {
  const message = 'The client did not answer, and its slot was needed for another request';
  return new LocalError('EBUSY', message, { expected: true });
}
