/** Keeps account of what a server does: counts it, and tells of it. */

import type { Clock } from '../net/clock';
import { failedRecords, isLast } from '../net/transfer-record';
import type { TransferFacts, TransferRecord } from '../net/transfer-record';
import { LocalError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import { shownName } from '../protocol/name-text';
import type { RequestPacket } from '../protocol/packet';
import { FlightRecorder } from '../transfer/flight-recorder';
import { plainPath } from '../storage/remote-path';
import type { Peer } from '../transfer/peer-lock';
import { ClientFacts } from './client-facts';
import { EndingJudge } from './ending-judge';
import { GuessWatch } from './guess-alarm';
import type { GuessAlarm } from './guess-alarm';
import { ProbeMemory } from './probe-memory';
import type { Counters } from './server-counters';
import type { RequiredServerOptions } from './server-options';
import type { IncomingRequest, RequestFacts } from './session';

/** Hears what the journal notes. */
export interface JournalListener {
  transfer(record: TransferRecord): void;
  alarm(alarm: GuessAlarm): void;
}

/** A request that is refused. */
export interface RefusedRequest {
  readonly incoming: IncomingRequest;
  /** Where it came to. */
  readonly local: Peer;
  readonly error: TftpError;
  /** The ERROR packet in bytes. */
  readonly answerBytes: number;
  /** What is known of it; undefined if it was refused at once. */
  readonly facts: RequestFacts | undefined;
  /** The id of its records; undefined if it has none yet. */
  readonly id: string | undefined;
}

export class Journal {
  readonly #clock: Clock;
  readonly #counters: Counters;
  readonly #listener: JournalListener;
  /** Says what the failures of its transfers mean. */
  readonly endings: EndingJudge;
  readonly #guesses: GuessWatch;
  readonly #probes: ProbeMemory;
  readonly #facts: ClientFacts;

  /** @throws {LocalError} EINVAL, saying which of `expectedMisses` cannot be used. */
  constructor(
    options: RequiredServerOptions,
    clock: Clock,
    counters: Counters,
    listener: JournalListener,
  ) {
    this.#clock = clock;
    this.#counters = counters;
    this.#listener = listener;
    this.endings = new EndingJudge(options);
    this.#guesses = new GuessWatch(options.guessLimit);
    this.#probes = new ProbeMemory(clock, (last, count) => this.#neverRead(last, count));
    this.#facts = new ClientFacts(this.#probes);
  }

  /** What the records of a transfer say of its client. */
  factsOf(request: RequestPacket, { address }: Peer): TransferFacts {
    return this.#facts.of(request, address);
  }

  /** Looks whether a refusal is normal, or one too many. */
  judge({ request, client }: IncomingRequest, error: TftpError): void {
    if (this.endings.meaning(request, error, false) === 'expected') error.expected = true;
    else if (request.type === 'RRQ' && error.code === 'ENOENT') this.#missed(request, client);
  }

  /** The records of a request that was answered with an ERROR: those of a transfer that failed at once. */
  refusal({
    incoming,
    local,
    error,
    answerBytes,
    facts,
    id,
  }: RefusedRequest): readonly TransferRecord[] {
    const { request, client, datagram, at } = incoming;
    const filename = shownName(request.filename);
    error.filename ??= filename;
    const recorder = new FlightRecorder();
    recorder.received(at, request.type, undefined, datagram.length, '');
    const now = this.#clock.now();
    recorder.sent(now, `ERROR ${error.tftpCode}`, undefined, answerBytes, error.peerMessage);
    return failedRecords(
      {
        ...(id !== undefined && { id }),
        role: 'server',
        operation: request.type === 'RRQ' ? 'read' : 'write',
        filename,
        mode: request.mode,
        host: client.address,
        port: client.port,
        localAddress: local.address,
        localPort: local.port,
        ...(facts ?? this.factsOf(request, client)),
      },
      error,
      { at: this.#clock.date(), trace: recorder.lines() },
    );
  }

  /** Tells of a transfer. */
  report(record: TransferRecord): void {
    this.#tell(record);
    this.#probes.heard(record);
  }

  /** Nothing is told any more. */
  close(): void {
    this.#probes.close();
  }

  #tell(record: TransferRecord): void {
    countEnd(this.#counters, record);
    this.#listener.transfer(record);
  }

  #missed({ filename }: RequestPacket, { address }: Peer): void {
    const now = this.#clock.date().getTime();
    const alarm = this.#guesses.missed(address, shownName(plainPath(filename)), now);
    if (alarm === undefined) return;
    this.#counters.add('alarms');
    this.#listener.alarm(alarm);
  }

  /** Each of the probes has been told of, with its end. That there were so many is a story of its own, which follows the last one. */
  #neverRead(last: TransferRecord, count: number): void {
    const { role, operation, filename, servedAs, mode, host, port, size, mac } = last;
    const { localAddress, localPort } = last;
    const text = `The client rejected the options ${count} times and never read the file: let it have fewer of them (profiles, Refuse options)`;
    const error = new LocalError('EOPTNEG', text);
    const records = failedRecords(
      {
        ...{ role, operation, filename, mode, host, port, localAddress, localPort },
        ...(servedAs !== undefined && { servedAs }),
        ...(mac !== undefined && { mac }),
        afterProbe: last.id,
      },
      error,
      { at: this.#clock.date() },
    );
    for (const record of records) this.#tell({ ...record, size });
  }
}

/** Counts how a transfer has ended, if it has. */
export function countEnd(counters: Counters, record: TransferRecord): void {
  if (!isLast(record)) return;
  const { event, operation, bytes, error } = record;
  if (event === 'complete') counters.add('completed');
  else if (error?.expected === true) counters.add('expected');
  else if (event === 'error') counters.add('failed');
  else counters.add('probes');
  counters.add(operation === 'read' ? 'bytesSent' : 'bytesReceived', bytes);
}
