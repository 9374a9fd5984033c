/** Tells the world of one transfer: makes its records, and says when one is due. */

import type { TftpError } from '../protocol/errors';
import { DEFAULT_OPTIONS } from '../protocol/options';
import type { NegotiatedOptions } from '../protocol/options';
import { callListener } from './call-listener';
import { ProgressMeter } from './progress-meter';
import { randomId } from './random-id';
import { describeError, hadToRepeat } from './transfer-record';
import type { TransferEventName, TransferRecord } from './transfer-record';
import type { TransferSetup } from './transfer-setup';

/** What only the end knows. */
interface Ending {
  readonly error?: TftpError;
  readonly finalAck?: boolean;
}

export class TransferReporter {
  readonly id: string;
  readonly #setup: TransferSetup;
  readonly #startedDate: string;
  readonly #meter: ProgressMeter;
  #options: NegotiatedOptions = DEFAULT_OPTIONS;
  #began = false;
  #size: number | undefined;

  constructor(setup: TransferSetup) {
    this.#setup = setup;
    this.id = setup.id ?? randomId();
    this.#size = setup.size;
    this.#startedDate = setup.clock.date().toISOString();
    this.#meter = new ProgressMeter(setup.clock.now(), setup.progressInterval);
  }

  /** What a `progress` event would say now. */
  get snapshot(): TransferRecord {
    return this.#record('progress', {});
  }

  start(): void {
    this.#emit('start', {});
  }

  negotiated(options: NegotiatedOptions): void {
    this.#began = true;
    this.#options = options;
    this.#size ??= options.tsize;
  }

  /** Tells how far the transfer is, if it is time to. Extra calls do nothing. */
  progress(now: number): void {
    if (!this.#meter.isDue(now)) return;
    this.#mark(now);
    this.#emitProgress();
  }

  /** The peer is silent, and something was sent again: that is told at once. */
  silence(): void {
    this.#mark(this.#setup.clock.now());
    this.#emitProgress();
  }

  /** The file is across: the last `progress` is at 100 %. */
  complete(finalAck: boolean): TransferRecord {
    this.#size = this.#setup.cargo.machine.stats.bytes;
    this.#emitProgress();
    return this.#emit('complete', { finalAck });
  }

  failed(error: TftpError): TransferRecord {
    const meaning = this.#setup.meaning?.(error, this.#began);
    if (meaning === 'expected') error.expected = true;
    return this.#emit(meaning === 'probe' ? 'probe' : 'error', { error });
  }

  #mark(now: number): void {
    this.#meter.mark(now, this.#setup.cargo.machine.stats.bytes);
  }

  #emitProgress(): void {
    if (this.#setup.progressInterval > 0) this.#emit('progress', {});
  }

  #emit(event: TransferEventName, ending: Ending): TransferRecord {
    const record = this.#record(event, ending);
    callListener(() => this.#setup.onEvent?.(record));
    return record;
  }

  /** The lines are worth their cost only where something went wrong. */
  #hasStory(error: TftpError | undefined): boolean {
    return error !== undefined || hadToRepeat(this.#setup.cargo.machine.stats);
  }

  #record(event: TransferEventName, { error, finalAck }: Ending): TransferRecord {
    const { cargo, role, filename, servedAs, mode, host, destination, socket, clock, lock } =
      this.#setup;
    const { stats, silence } = cargo.machine;
    const { blksize, windowsize, timeout, tsize, rollover } = this.#options;
    const size = this.#size ?? null;
    const ended = error !== undefined || finalAck !== undefined;
    const reads = 'source' in cargo === (role === 'server');
    return {
      id: this.id,
      event,
      role,
      operation: reads ? 'read' : 'write',
      filename,
      ...(servedAs !== undefined && { servedAs }),
      mode,
      host: host ?? destination.address,
      port: (lock.peer ?? destination).port,
      localAddress: socket.local.address,
      localPort: socket.local.port,
      bytes: stats.bytes,
      size,
      ...this.#meter.measure(clock.now(), stats.bytes, size),
      options: {
        blksize,
        windowsize,
        ...(timeout !== undefined && { timeout }),
        ...(tsize !== undefined && { tsize }),
        ...(rollover === 1 && { rollover }),
      },
      ...(socket.offload && { offload: true }),
      retransmits: stats.retransmits,
      duplicates: stats.duplicates,
      started: this.#startedDate,
      ...this.#setup.facts,
      ...(silence && !ended && { retry: silence }),
      ...(ended && { finished: clock.date().toISOString() }),
      ...(finalAck !== undefined && { finalAck, ...this.#setup.annotate?.() }),
      ...(error && { error: describeError(error) }),
      ...(ended && this.#hasStory(error) && { trace: this.#setup.recorder.lines() }),
    };
  }
}
