/** What happens at the listening port: requests are admitted, and a transfer is run for each. */

import { decodeRequest, decodeTransferPacket } from '../protocol/decode';
import { encode } from '../protocol/encode';
import { CancelError, LocalError, PeerError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import { systemClock } from '../net/clock';
import type { Endpoint } from '../udp/endpoint';
import type { Flow } from '../udp/flow';
import { asTftpError } from '../net/transfer-driver';
import type { TransferRecord } from '../net/transfer-record';
import type { Storage } from '../storage/storage';
import type { Peer } from '../transfer/peer-lock';
import { AbuseGuard } from './abuse-guard';
import { Admission } from './admission';
import { Journal } from './journal';
import { Listeners } from './listeners';
import type { ListeningAddress } from './listening-address';
import type { CoreListener, ServerCore } from './server-core';
import type { Counters } from './server-counters';
import type { RequiredServerOptions } from './server-options';
import type { ServerSystem } from './server-system';
import { Session } from './session';
import type { Arrival, RequestFacts, ServedSession, SessionListener } from './session';
import { TransferList } from './transfer-list';
import { TransferPorts } from './transfer-ports';

/** How long `close` waits for files to be put away, in milliseconds. */
const CLOSE_PATIENCE = 1500;

/** Who hears of sessions, beside what every server tells. */
export interface ReceptionListener extends Omit<CoreListener, 'lost'> {
  /** A request was admitted. */
  begun?(session: ServedSession): void;
  /** A session has told something. It comes before its record is told. */
  heard?(session: ServedSession, record: TransferRecord): void;
  /** A session is over, or was given up. */
  ended?(session: ServedSession): void;
}

/** Another thread that runs sessions. */
export interface SessionPlace {
  /** How many it has. */
  readonly load: number;
  newSession(
    arrival: Arrival,
    local: Peer,
    facts: RequestFacts,
    listener: SessionListener,
  ): ServedSession;
}

/** What a reception shares with other threads. */
export interface ReceptionShares {
  readonly counters: Counters;
  /** Where reads may run beside here, as long as they are in this list. */
  readonly places?: readonly SessionPlace[];
  /** Called before a request is looked at. */
  readonly settle?: () => void;
}

export class Reception implements ServerCore {
  #options: RequiredServerOptions;
  readonly #listener: ReceptionListener;
  readonly #system: ServerSystem;
  readonly #shares: ReceptionShares;
  readonly #admission: Admission;
  readonly #guard: AbuseGuard;
  readonly #journal: Journal;
  readonly #ports: TransferPorts;
  readonly #sessions = new TransferList();
  /** Ended sessions that still repeat a last ACK, and the running ones. */
  readonly #open = new Set<ServedSession>();
  /** The ends of the running sessions, and of those that were dropped while a slow storage opens their file. */
  readonly #running = new Set<Promise<void>>();
  #listeners: Listeners | undefined;
  #paused = false;

  /** @throws {LocalError} EINVAL if there is a network, a pattern or an option that is none. */
  constructor(
    options: RequiredServerOptions,
    listener: ReceptionListener,
    system: ServerSystem,
    shares: ReceptionShares,
  ) {
    this.#options = options;
    this.#listener = listener;
    this.#system = system;
    this.#shares = shares;
    this.#admission = new Admission(options);
    this.#guard = new AbuseGuard(options);
    this.#journal = new Journal(options, shares.counters, listener, system.clock);
    this.#ports = new TransferPorts(options.transferPorts);
  }

  get addresses(): ListeningAddress[] {
    return this.#listeners?.addresses ?? [];
  }

  get transfers(): TransferRecord[] {
    return this.#sessions.all().flatMap(({ record }) => record ?? []);
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
    const session = this.#sessions.all().find((candidate) => candidate.id === id);
    session?.abort(new CancelError(reason));
    return session !== undefined;
  }

  abortAll(host: string | undefined, reason: string): number {
    const sessions = this.#sessions
      .all()
      .filter(({ arrival }) => host === undefined || arrival.client.address === host);
    for (const session of sessions) session.abort(new CancelError(reason));
    return sessions.length;
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
    if (!graceful) for (const session of this.#sessions.all()) session.abort(reason);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    listeners?.stop();

    const ended = Promise.all(this.#running);
    await (graceful ? ended : Promise.race([ended, patience(CLOSE_PATIENCE)]));
    for (const session of this.#open) session.close(reason);
    listeners?.close();
    this.#journal.close();
  }

  /** Answers only requests, and only to addresses that can have sent them: no loop with another server is possible. */
  #message(origin: Endpoint, datagram: Uint8Array, from: Peer): void {
    this.#shares.settle?.();
    if (this.#listeners === undefined) return;
    const decoded = this.#isPlausible(from) ? decodeRequest(datagram) : undefined;
    if (decoded === undefined || decoded.type === 'ignore') {
      this.#shares.counters.add('ignored');
      return this.#hearError(datagram, from);
    }
    this.#shares.counters.add('requests');
    if (!this.#guard.mayAsk(from.address, systemClock.now())) return this.#staySilent();
    const { request } = decoded;
    if (decoded.type === 'refusal') return this.#refuse(origin, request, from, decoded.error);
    const known = this.#sessions.find(from);
    if (known && Buffer.compare(known.arrival.datagram, datagram) === 0) return known.repeatLast();
    if (known) this.#replace(known);
    if (this.#running.size >= 2 * this.#options.maxTransfers) return this.#staySilent();
    const serving = this.#serve(origin, request, datagram, from);
    this.#running.add(serving);
    void serving.then(() => this.#running.delete(serving));
  }

  #isPlausible({ address, port }: Peer): boolean {
    if (port === 0 || /^(2(2[4-9]|[3-5][0-9])\.|0\.|ff)/i.test(address)) return false;
    return this.#listeners?.isOurs({ address, port }) !== true;
  }

  /** A client that waits for its first answer knows no other port to send its ERROR to. */
  #hearError(datagram: Uint8Array, from: Peer): void {
    const session = this.#sessions.find(from);
    if (session === undefined || session.record !== undefined) return;
    const packet = decodeTransferPacket(datagram);
    if (packet?.type === 'ERROR') this.#drop(session, new PeerError(packet.code, packet.message));
  }

  /** A client that asks for something else from the same port has given up what it asked before. */
  #replace(session: ServedSession): void {
    this.#drop(session, new CancelError('The client began another transfer from the same port'));
  }

  #drop(session: ServedSession, reason: TftpError): void {
    this.#forget(session);
    session.close(reason);
  }

  #forget(session: ServedSession): void {
    if (this.#sessions.remove(session)) this.#listener.ended?.(session);
  }

  /** One request, from admission to its end. Never rejects. */
  async #serve(
    origin: Endpoint,
    request: RequestPacket,
    datagram: Uint8Array,
    client: Peer,
  ): Promise<void> {
    const load = { transfers: this.#sessions.size, ofHost: this.#sessions.ofHost(client.address) };
    const refusal = this.#admission.refusal(request, client, load) ?? this.#pauseRefusal;
    if (refusal) return this.#refuse(origin, request, client, refusal);
    if (!this.#guard.mayBegin(client.address, systemClock.now())) return this.#staySilent();
    this.#makeRoom();

    const arrival = { request, datagram: Uint8Array.from(datagram), client };
    const session = this.#newSession(arrival, origin, {
      event: (record) => this.#heard(session, record),
      answered: () => this.#guard.answered(client.address),
      refused: (reason) => this.#refuse(origin, request, client, reason, session.facts),
    });
    this.#sessions.add(session);
    this.#open.add(session);
    this.#listener.begun?.(session);
    try {
      const result = await session.run();
      if (result) this.#listener.upload(result.record, result.stored);
    } catch (error) {
      if (session.cancelled) return;
      this.#refuse(origin, request, client, asTftpError(error), session.facts);
    } finally {
      this.#forget(session);
      void session.closed.then(() => this.#open.delete(session));
    }
  }

  /** Reads go to the thread that has the fewest. What uploads share, their names and their quota, is in this one. */
  #newSession(arrival: Arrival, origin: Endpoint, listener: SessionListener): ServedSession {
    const { request, client } = arrival;
    const facts = this.#journal.factsOf(request, client);
    const single = this.#options.transferPorts === 'single';
    const place = request.type === 'RRQ' && !single ? this.#leastLoadedPlace : undefined;
    if (place) return place.newSession(arrival, origin.local, facts, listener);
    const openSocket = async (receiveBuffer: number): Promise<Flow> =>
      single ? origin.flow(client) : this.#ports.open(origin.local, client, receiveBuffer);
    const { endings } = this.#journal;
    const surroundings = { admission: this.#admission, endings, facts, openSocket };
    return new Session(arrival, this.#options, surroundings, listener);
  }

  /** Undefined if that is here. */
  get #leastLoadedPlace(): SessionPlace | undefined {
    const places = [...(this.#shares.places ?? [])].sort((one, other) => one.load - other.load);
    const [place] = places;
    const elsewhere = places.reduce((sum, { load }) => sum + load, 0);
    return place && place.load <= this.#sessions.size - elsewhere ? place : undefined;
  }

  get #pauseRefusal(): TftpError | undefined {
    if (!this.#paused) return undefined;
    return new LocalError('EBUSY', 'The server is paused, try again later');
  }

  /** Half-open transfers have a limit of their own: the oldest goes for a new one, those that run never do. */
  #makeRoom(): void {
    const { maxHalfOpen } = this.#admission;
    if (this.#sessions.size < maxHalfOpen) return;
    const halfOpen = this.#sessions.halfOpen();
    const surplus = Math.max(0, halfOpen.length - maxHalfOpen + 1);
    for (const session of halfOpen.slice(0, surplus)) {
      this.#drop(session, new LocalError('EBUSY', 'The client did not answer before newer ones'));
    }
  }

  /** A request that gets no answer. */
  #staySilent(): void {
    this.#shares.counters.add('dropped');
  }

  /** Says no to a request, with the error's code and text; to too many it says nothing. */
  #refuse(
    origin: Endpoint,
    request: RequestPacket,
    client: Peer,
    error: TftpError,
    facts?: RequestFacts,
  ): void {
    const refused = { request, client, local: origin.local, error, facts };
    this.#journal.judge(refused);
    if (!this.#guard.mayRefuse(client.address, systemClock.now())) return this.#staySilent();
    this.#shares.counters.add('refused');
    sendError(origin, client, error);
    this.#journal.refused(refused);
  }

  #heard(session: ServedSession, record: TransferRecord): void {
    this.#listener.heard?.(session, record);
    this.#journal.report(record);
  }
}

function sendError(socket: Endpoint, to: Peer, error: TftpError): void {
  const datagrams = encode({ type: 'ERROR', code: error.tftpCode, message: error.peerMessage });
  socket.send({ datagrams, segmentSize: datagrams.length }, to);
}

function patience(milliseconds: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(milliseconds, resolve).unref());
}
