/** Keeps account of what a server does: counts it, and tells of it. */

import { systemClock } from '../net/clock';
import { failedRecords, isLast } from '../net/transfer-record';
import type { TransferFacts, TransferRecord } from '../net/transfer-record';
import type { TftpError } from '../protocol/errors';
import { shownName } from '../protocol/name-text';
import type { RequestPacket } from '../protocol/packet';
import type { Peer } from '../transfer/peer-lock';
import { ClientFacts } from './client-facts';
import type { GuessAlarm } from './guess-alarm';
import { MissJudge } from './miss-judge';
import type { Counters } from './server-counters';
import type { RequiredServerOptions } from './server-options';
import type { RequestFacts } from './session';

/** Hears what the journal notes. */
export interface JournalListener {
  transfer(record: TransferRecord): void;
  alarm(alarm: GuessAlarm): void;
}

/** A request that is refused. */
export interface RefusedRequest {
  readonly request: RequestPacket;
  readonly client: Peer;
  /** Where it came to. */
  readonly local: Peer;
  readonly error: TftpError;
  /** What is known of it; undefined if it was refused at once. */
  readonly facts: RequestFacts | undefined;
}

export class Journal {
  readonly #counters: Counters;
  readonly #listener: JournalListener;
  readonly #misses: MissJudge;
  readonly #facts = new ClientFacts();

  /** @throws {LocalError} EINVAL, saying which of the expected misses cannot be used. */
  constructor(options: RequiredServerOptions, counters: Counters, listener: JournalListener) {
    this.#counters = counters;
    this.#listener = listener;
    this.#misses = new MissJudge(options);
  }

  /** What the records of a transfer say of its client. */
  factsOf(request: RequestPacket, { address }: Peer): TransferFacts {
    return this.#facts.of(request, address, systemClock.now());
  }

  /** Looks whether a refusal is normal, or one too many. */
  judge({ request, client, error }: RefusedRequest): void {
    const alarm = this.#misses.judge(request, client.address, error, Date.now());
    if (alarm === undefined) return;
    this.#counters.add('alarms');
    this.#listener.alarm(alarm);
  }

  /** Tells of a request that was answered with an ERROR, as of a transfer that failed at once. */
  refused({ request, client, local, error, facts }: RefusedRequest): void {
    const filename = shownName(request.filename);
    error.filename ??= filename;
    const [start, failed] = failedRecords(
      {
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
    );
    this.report(start);
    this.report(failed);
  }

  /** Tells of a transfer. */
  report(record: TransferRecord): void {
    countEnd(this.#counters, record);
    this.#facts.ended(record, systemClock.now());
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
