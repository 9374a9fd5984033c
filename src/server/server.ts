/** The server: listens, admits requests, and runs a transfer for each. */

import { EventEmitter } from 'node:events';
import { decodeRequest, decodeTransferPacket } from '../protocol/decode';
import { encode } from '../protocol/encode';
import { CancelError, LocalError, PeerError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import { callListener } from '../net/call-listener';
import { systemClock } from '../net/clock';
import type { SharedSocket } from '../net/shared-socket';
import { asTftpError } from '../net/transfer-driver';
import { failedRecords } from '../net/transfer-record';
import type { TransferRecord } from '../net/transfer-record';
import type { DataSink } from '../storage/storage';
import type { Peer } from '../transfer/peer-lock';
import { AbuseGuard } from './abuse-guard';
import { Admission } from './admission';
import { ClientFacts } from './client-facts';
import type { GuessAlarm } from './guess-alarm';
import { Listeners } from './listeners';
import type { ListeningAddress } from './listeners';
import { MissJudge } from './miss-judge';
import { parseServerOptions } from './server-options';
import type { RequiredServerOptions, ServerOptions } from './server-options';
import { SERVER_SYSTEM } from './server-system';
import type { ServerSystem } from './server-system';
import { Session } from './session';
import type { RequestFacts } from './session';
import { TransferList } from './transfer-list';
import { TransferPorts } from './transfer-ports';

/** How long `close` waits for files to be put away, in milliseconds. */
const CLOSE_PATIENCE = 1500;

/** What a server has counted since it was made. */
export interface ServerCounters {
  /** RRQ and WRQ packets. */
  requests: number;
  /** Requests that were answered with an ERROR at once. */
  refused: number;
  /** Packets at the listening port that were neither, and got no answer. */
  ignored: number;
  /** Requests without an answer, because their address sent too many or never answers itself. */
  dropped: number;
  completed: number;
  /** Without the expected misses. */
  failed: number;
  /** Missing files whose absence is normal. */
  expectedMisses: number;
  /** How often an address guessed names. */
  alarms: number;
  probes: number;
  bytesSent: number;
  bytesReceived: number;
}

/** The events of a server and what their listeners get. None is named `error`: a server without listeners must not end the process. */
export interface ServerEvents {
  /** Every `start`, `progress`, `complete`, `error` and `probe` of every transfer: `record.event` tells which. */
  transfer: [record: TransferRecord];
  /** After the `complete` of a write: the sink that the storage opened for it. */
  upload: [record: TransferRecord, sink: DataSink];
  /** An address asked for many names that do not exist: it guesses. */
  alarm: [alarm: GuessAlarm];
  /** Something outside a transfer failed. The server goes on if it can. */
  problem: [error: TftpError];
  close: [];
}

/**
 * Serves the files of a storage. Reads only, to private networks only, unless told otherwise.
 *
 * @example
 * const server = new TftpServer({ storage: new FolderStorage({ root: '/srv/tftp' }), port: 6969 });
 * server.on('transfer', (record) => console.log(record.event, record.filename, record.host));
 * await server.listen();
 */
export class TftpServer extends EventEmitter<ServerEvents> {
  readonly counters: ServerCounters = {
    requests: 0,
    refused: 0,
    ignored: 0,
    dropped: 0,
    completed: 0,
    failed: 0,
    expectedMisses: 0,
    alarms: 0,
    probes: 0,
    bytesSent: 0,
    bytesReceived: 0,
  };
  #options: RequiredServerOptions;
  readonly #admission: Admission;
  readonly #guard: AbuseGuard;
  readonly #misses: MissJudge;
  readonly #facts = new ClientFacts();
  readonly #sessions = new TransferList();
  /** Ended sessions that still repeat a last ACK, and the running ones. */
  readonly #open = new Set<Session>();
  /** The ends of the running sessions, and of those that were dropped while a slow storage opens their file. */
  readonly #running = new Set<Promise<void>>();
  readonly #ports: TransferPorts;
  readonly #system: ServerSystem;
  #listeners: Listeners | undefined;
  #binding = false;
  #closing = false;
  #paused = false;

  /**
   * @param system what the server asks of the machine: for tests.
   * @throws {LocalError} EINVAL, saying which option is wrong and what it may be.
   */
  constructor(options: ServerOptions, system = SERVER_SYSTEM) {
    super();
    this.#system = system;
    this.#options = parseServerOptions(options);
    this.#admission = new Admission(this.#options);
    this.#ports = new TransferPorts(this.#options.transferPorts);
    this.#guard = new AbuseGuard(this.#options);
    this.#misses = new MissJudge(this.#options);
  }

  /** Where the server listens; empty before `listen` and after `close`. */
  get addresses(): ListeningAddress[] {
    return this.#listeners?.addresses ?? [];
  }

  /** True between {@link TftpServer.pause} and {@link TftpServer.resume}. */
  get paused(): boolean {
    return this.#paused;
  }

  /** The running transfers. */
  get transfers(): TransferRecord[] {
    return this.#sessions.all().flatMap(({ record }) => record ?? []);
  }

  /**
   * Begins to listen, on one socket for each version of IP.
   *
   * @param signal aborting it closes the server.
   * @throws {LocalError} EADDRINUSE, EACCES or EADDRNOTAVAIL, saying what to change.
   */
  async listen(signal?: AbortSignal): Promise<ListeningAddress[]> {
    if (this.#binding || this.#listeners) {
      throw new LocalError('EINVAL', 'The server listens already');
    }
    this.#closing = false;
    this.#binding = true;
    const listeners = await Listeners.bind(this.#options, this.#system).finally(
      () => (this.#binding = false),
    );
    if (this.#closing || signal?.aborted) {
      listeners.close();
      throw new CancelError('The server was closed before it listened');
    }
    this.#listeners = listeners;
    listeners.listen({
      message: (origin, datagram, from) => this.#message(origin, datagram, from),
      failed: (error) => this.#tell('problem', error),
    });
    signal?.addEventListener('abort', () => void this.close(), { once: true });
    return this.addresses;
  }

  /** Ends one transfer; its client is told why. False if there is no such transfer. */
  abort(id: string, reason = 'The transfer was cancelled'): boolean {
    const session = this.#sessions.all().find((candidate) => candidate.id === id);
    session?.abort(new CancelError(reason));
    return session !== undefined;
  }

  /**
   * Ends the running transfers of one address, or of all; their clients are told why.
   *
   * @returns how many they were.
   */
  abortAll(options: { host?: string } = {}, reason = 'The transfer was cancelled'): number {
    const { host } = options;
    const sessions = this.#sessions
      .all()
      .filter(({ arrival }) => host === undefined || arrival.client.address === host);
    for (const session of sessions) session.abort(new CancelError(reason));
    return sessions.length;
  }

  /** Serves from another storage, beginning with the next request. Running transfers keep theirs. */
  use({ storage }: Pick<ServerOptions, 'storage'>): void {
    this.#options = { ...this.#options, storage };
  }

  /** Refuses new requests with ERROR 0 until {@link TftpServer.resume}. Running transfers go on. */
  pause(): void {
    this.#paused = true;
  }

  /** Accepts requests again. */
  resume(): void {
    this.#paused = false;
  }

  /**
   * Stops listening, and frees the port. Running transfers end with an ERROR to their clients, and
   * unfinished uploads leave nothing. Never rejects; takes two seconds at most, unless `graceful`.
   *
   * @param options.graceful running transfers may end first.
   */
  async close(options: { graceful?: boolean } = {}): Promise<void> {
    this.#closing = true;
    const reason = new CancelError('The server was stopped');
    // Those whose file is not open yet are told through the listening port.
    if (!options.graceful) for (const session of this.#sessions.all()) session.abort(reason);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    listeners?.stop();

    const ended = Promise.all(this.#running);
    await (options.graceful ? ended : Promise.race([ended, patience(CLOSE_PATIENCE)]));
    for (const session of this.#open) session.close(reason);
    listeners?.close();
    this.#ports.close();
    this.#tell('close');
  }

  /** Answers only requests, and only to addresses that can have sent them: no loop with another server is possible. */
  #message(listener: SharedSocket, datagram: Uint8Array, from: Peer): void {
    const decoded = this.#isPlausible(from) ? decodeRequest(datagram) : undefined;
    if (decoded === undefined || decoded.type === 'ignore') {
      this.counters.ignored += 1;
      return this.#hearError(datagram, from);
    }
    this.counters.requests += 1;
    if (!this.#guard.mayAsk(from.address, systemClock.now())) return this.#staySilent();
    const { request } = decoded;
    if (decoded.type === 'refusal') return this.#refuse(listener, request, from, decoded.error);
    const known = this.#sessions.find(from);
    if (known && Buffer.compare(known.arrival.datagram, datagram) === 0) return known.repeatLast();
    if (known) this.#replace(known);
    if (this.#running.size >= 2 * this.#options.maxTransfers) return this.#staySilent();
    const serving = this.#serve(listener, request, datagram, from);
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
    this.#sessions.remove(session);
    session.close(reason);
  }

  /** One request, from admission to its end. Never rejects. */
  async #serve(
    listener: SharedSocket,
    request: RequestPacket,
    datagram: Uint8Array,
    client: Peer,
  ): Promise<void> {
    const load = { transfers: this.#sessions.size, ofHost: this.#sessions.ofHost(client.address) };
    const refusal = this.#admission.refusal(request, client, load) ?? this.#pauseRefusal;
    if (refusal) return this.#refuse(listener, request, client, refusal);
    const now = systemClock.now();
    if (!this.#guard.mayBegin(client.address, now)) return this.#staySilent();
    this.#makeRoom();

    const openSocket = (receiveBuffer: number) => this.#ports.open(listener, client, receiveBuffer);
    const arrival = { request, datagram, client, openSocket };
    const facts = this.#facts.of(request, client.address, now);
    const surroundings = { admission: this.#admission, facts };
    const session = new Session(arrival, this.#options, surroundings, {
      event: (record) => this.#report(record),
      refused: (reason) => this.#refuse(listener, request, client, reason, session.facts),
    });
    this.#sessions.add(session);
    this.#open.add(session);
    try {
      const result = await session.run();
      if (result?.upload) this.#tell('upload', result.record, result.upload);
    } catch (error) {
      if (session.cancelled) return;
      this.#refuse(listener, request, client, asTftpError(error), session.facts);
    } finally {
      if (session.answered) this.#guard.answered(client.address);
      this.#sessions.remove(session);
      void session.closed.then(() => this.#open.delete(session));
    }
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
    this.counters.dropped += 1;
  }

  /** Says no to a request, with the error's code and text; to too many it says nothing. */
  #refuse(
    listener: SharedSocket,
    request: RequestPacket,
    client: Peer,
    error: TftpError,
    known?: RequestFacts,
  ): void {
    const alarm = this.#misses.judge(request, client.address, error, Date.now());
    if (alarm) this.#alarm(alarm);
    const now = systemClock.now();
    if (!this.#guard.mayRefuse(client.address, now)) return this.#staySilent();
    this.counters.refused += 1;
    sendError(listener, client, error);
    error.filename ??= request.filename;
    const { address: localAddress, port: localPort } = listener.local;
    const [start, failed] = failedRecords(
      {
        role: 'server',
        operation: request.type === 'RRQ' ? 'read' : 'write',
        filename: request.filename,
        mode: request.mode,
        host: client.address,
        port: client.port,
        localAddress,
        localPort,
        ...(known ?? this.#facts.of(request, client.address, now)),
      },
      error,
    );
    this.#report(start);
    this.#report(failed);
  }

  #alarm(alarm: GuessAlarm): void {
    this.counters.alarms += 1;
    this.#tell('alarm', alarm);
  }

  #report(record: TransferRecord): void {
    this.#count(record);
    this.#facts.ended(record, systemClock.now());
    this.#tell('transfer', record);
  }

  #tell<E extends keyof ServerEvents>(event: E, ...args: ServerEvents[E]): void {
    callListener(() => void (this as EventEmitter).emit(event, ...args));
  }

  #count({ event, operation, bytes, error }: TransferRecord): void {
    if (event === 'start' || event === 'progress') return;
    if (event === 'complete') this.counters.completed += 1;
    else if (error?.expected === true) this.counters.expectedMisses += 1;
    else if (event === 'error') this.counters.failed += 1;
    else this.counters.probes += 1;
    if (operation === 'read') this.counters.bytesSent += bytes;
    else this.counters.bytesReceived += bytes;
  }
}

function sendError(socket: SharedSocket, to: Peer, error: TftpError): void {
  const datagrams = encode({ type: 'ERROR', code: error.tftpCode, message: error.peerMessage });
  socket.send({ datagrams, segmentSize: datagrams.length }, to);
}

function patience(milliseconds: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(milliseconds, resolve).unref());
}
