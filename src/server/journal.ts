/** Keeps account of what a server does: counts it, and tells of it. */

import type { Clock } from '../net/clock';
import { failedRecords, isLast } from '../net/transfer-record';
import type { TransferFacts, TransferRecord } from '../net/transfer-record';
import type { TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import { FlightRecorder } from '../transfer/flight-recorder';
import type { Peer } from '../transfer/peer-lock';
import { ClientFacts } from './client-facts';
import type { GuessAlarm } from './guess-alarm';
import { MissJudge } from './miss-judge';
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
  readonly #misses: MissJudge;
  readonly #facts = new ClientFacts();

  /** @throws {LocalError} EINVAL, saying which of the expected misses cannot be used. */
  constructor(
    options: RequiredServerOptions,
    clock: Clock,
    counters: Counters,
    listener: JournalListener,
  ) {
    this.#clock = clock;
    this.#counters = counters;
    this.#listener = listener;
    this.#misses = new MissJudge(options);
  }

  /** What the records of a transfer say of its client. */
  factsOf(request: RequestPacket, { address }: Peer): TransferFacts {
    return this.#facts.of(request, address, this.#clock.now());
  }

  /** Looks whether a refusal is normal, or one too many. */
  judge({ request, client }: IncomingRequest, error: TftpError): void {
    const now = this.#clock.date().getTime();
    const alarm = this.#misses.judge(request, client.address, error, now);
    if (alarm === undefined) return;
    this.#counters.add('alarms');
    this.#listener.alarm(alarm);
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
    const recorder = new FlightRecorder();
    recorder.received(at, request.type, undefined, datagram.length, '');
    const now = this.#clock.now();
    recorder.sent(now, `ERROR ${error.tftpCode}`, undefined, answerBytes, error.peerMessage);
    return failedRecords(
      {
        ...(id !== undefined && { id }),
        role: 'server',
        operation: request.type === 'RRQ' ? 'read' : 'write',
        filename: request.filename,
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
    countEnd(this.#counters, record);
    this.#facts.ended(record, this.#clock.now());
    this.#listener.transfer(record);
  }
}

/** Counts how a transfer has ended, if it has. */
export function countEnd(counters: Counters, record: TransferRecord): void {
  if (!isLast(record)) return;
  const { event, operation, bytes, error } = record;
  if (event === 'complete') counters.add('completed');
  else if (error?.expected === true) counters.add('expectedMisses');
  else if (event === 'error') counters.add('failed');
  else counters.add('probes');
  counters.add(operation === 'read' ? 'bytesSent' : 'bytesReceived', bytes);
}
