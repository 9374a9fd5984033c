/** What happens at the listening port: requests are admitted, and a transfer is run for each. */

import { decodeRequest, decodeTransferPacket } from '../protocol/decode';
import { encode } from '../protocol/encode';
import { CancelError, LocalError, PeerError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import { systemClock } from '../net/clock';
import type { DatagramSocket } from '../net/datagram-socket';
import type { SharedSocket } from '../net/shared-socket';
import { asTftpError } from '../net/transfer-driver';
import type { TransferRecord } from '../net/transfer-record';
import type { Storage } from '../storage/storage';
import type { Peer } from '../transfer/peer-lock';
import { AbuseGuard } from './abuse-guard';
import { Admission } from './admission';
import { Journal } from './journal';
import { Listeners } from './listeners';
import type { ListeningAddress } from './listening-address';
import { PortTable } from './port-table';
import type { CoreListener, ServerCore } from './server-core';
import type { Counters } from './server-counters';
import type { RequiredServerOptions } from './server-options';
import type { ServerSystem } from './server-system';
import { Session } from './session';
import type { Arrival, RequestFacts, SessionListener } from './session';
import { TransferList } from './transfer-list';
import { TransferPorts } from './transfer-ports';

/** How long `close` waits for files to be put away, in milliseconds. */
const CLOSE_PATIENCE = 1500;

/** What the main thread is told of the sessions in a worker, besides the events of every server. */
export interface FrontListener extends Omit<CoreListener, 'lost'> {
  /** A request was admitted. `id` is that of its records. */
  begun?(id: string, host: string): void;
  /** A session is over, or was given up. */
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
  readonly #ports: TransferPorts;
  readonly #sessions = new TransferList();
  /** Ended sessions that still repeat a last ACK, and the running ones. */
  readonly #open = new Set<Session>();
  /** The ends of the running sessions, and of those that were dropped while a slow storage opens their file. */
  readonly #running = new Set<Promise<void>>();
  #listeners: Listeners | undefined;
  #paused = false;

  /** @throws {LocalError} EINVAL if there is a network, a pattern or an option that is none. */
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
    this.#journal = new Journal(options, context.counters, listener);
    this.#ports = new TransferPorts(options.transferPorts, new PortTable(1));
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
    this.#ports.close();
  }

  /** Answers only requests, and only to addresses that can have sent them: no loop with another server is possible. */
  #message(origin: SharedSocket, datagram: Uint8Array, from: Peer): void {
    this.#context.beforeRequest?.();
    if (this.#listeners === undefined) return;
    const decoded = this.#isPlausible(from) ? decodeRequest(datagram) : undefined;
    if (decoded === undefined || decoded.type === 'ignore') {
      this.#context.counters.add('ignored');
      return this.#hearError(datagram, from);
    }
    this.#context.counters.add('requests');
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
  #replace(session: Session): void {
    this.#drop(session, new CancelError('The client began another transfer from the same port'));
  }

  #drop(session: Session, reason: TftpError): void {
    this.#forget(session);
    session.close(reason);
  }

  #forget(session: Session): void {
    if (this.#sessions.remove(session)) this.#listener.ended?.(session.id);
  }

  /** One request, from admission to its end. Never rejects. */
  async #serve(
    origin: SharedSocket,
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
      event: (record) => this.#journal.report(record),
      answered: () => this.#guard.answered(client.address),
      refused: (reason) => this.#refuse(origin, request, client, reason, session.facts),
    });
    this.#sessions.add(session);
    this.#open.add(session);
    this.#listener.begun?.(session.id, client.address);
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

  #newSession(arrival: Arrival, origin: SharedSocket, listener: SessionListener): Session {
    const { request, client } = arrival;
    const facts = this.#journal.factsOf(request, client);
    const single = this.#options.transferPorts === 'single';
    const openSocket = async (receiveBuffer: number): Promise<DatagramSocket> =>
      single ? origin.share(client) : this.#ports.open(origin.local, client, receiveBuffer);
    const surroundings = { admission: this.#admission, facts, openSocket };
    return new Session(arrival, this.#options, surroundings, listener);
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
    this.#context.counters.add('dropped');
  }

  /** Says no to a request, with the error's code and text; to too many it says nothing. */
  #refuse(
    origin: SharedSocket,
    request: RequestPacket,
    client: Peer,
    error: TftpError,
    facts?: RequestFacts,
  ): void {
    const refused = { request, client, local: origin.local, error, facts };
    this.#journal.judge(refused);
    if (!this.#guard.mayRefuse(client.address, systemClock.now())) return this.#staySilent();
    this.#context.counters.add('refused');
    sendError(origin, client, error);
    this.#journal.refused(refused);
  }
}

function sendError(socket: SharedSocket, to: Peer, error: TftpError): void {
  const datagrams = encode({ type: 'ERROR', code: error.tftpCode, message: error.peerMessage });
  socket.send({ datagrams, segmentSize: datagrams.length }, to);
}

function patience(milliseconds: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(milliseconds, resolve).unref());
}
