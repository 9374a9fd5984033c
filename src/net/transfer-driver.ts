/**
 * Joins a machine with a socket, a timer, and a source or a sink. The same driver serves all four
 * roles; whatever fails ends this transfer and nothing else.
 */

import { randomUUID } from 'node:crypto';
import { decodeTransferPacket } from '../protocol/decode';
import { encode } from '../protocol/encode';
import { CancelError, LocalError, TimeoutError, isTftpError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import { DEFAULT_OPTIONS } from '../protocol/options';
import type { NegotiatedOptions } from '../protocol/options';
import type { TransferMode, TransferPacket } from '../protocol/packet';
import type { DataSink, DataSource } from '../storage/storage';
import type { FlightRecorder } from '../transfer/flight-recorder';
import { peerName } from '../transfer/peer-lock';
import type { Peer, PeerLock } from '../transfer/peer-lock';
import type { Receiver } from '../transfer/receiver';
import type { Sender } from '../transfer/sender';
import type { TransferEvent } from '../transfer/transfer';
import { callListener } from './call-listener';
import type { Clock, Timer } from './clock';
import type { DatagramSocket } from './datagram-socket';
import { ProgressMeter } from './progress-meter';
import { SinkWriter } from './sink-writer';
import { describeError } from './transfer-record';
import type { TransferEventName, TransferRecord } from './transfer-record';

/** What moves: a machine with the end of the file that it belongs to. */
export type Cargo =
  | { readonly machine: Sender; readonly source: DataSource }
  | { readonly machine: Receiver; readonly sink: DataSink };

/** A transfer, ready to run. */
export interface TransferSetup {
  readonly cargo: Cargo;
  readonly recorder: FlightRecorder;
  readonly socket: DatagramSocket;
  readonly lock: PeerLock;
  /** Where packets go until a peer is locked. */
  readonly destination: Peer;
  readonly clock: Clock;
  readonly role: 'client' | 'server';
  readonly filename: string;
  readonly mode: TransferMode;
  /** The name that the user knows the peer by. @default the destination's address */
  readonly host?: string;
  /** Bytes, if known before the negotiation. */
  readonly size?: number | undefined;
  /** Milliseconds between `progress` events; 0 for none. */
  readonly progressInterval: number;
  /** Milliseconds for the whole transfer; 0 for no limit. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((record: TransferRecord) => void) | undefined;
  /** True if this failure is how a client that only wanted to know the size hangs up. */
  readonly isProbe?: ((error: TftpError) => boolean) | undefined;
  /** What else a `complete` record says. */
  readonly annotate?: (() => Partial<TransferRecord>) | undefined;
}

/** How a transfer ended. `error` is missing after success. */
export interface TransferOutcome {
  readonly record: TransferRecord;
  readonly error?: TftpError;
}

/** One running transfer. */
export class TransferDriver {
  /** Settles with the end of the transfer. Never rejects. */
  readonly ended: Promise<TransferOutcome>;
  /** Settles when the socket is closed: for a receiver some seconds later. Never rejects. */
  readonly closed: Promise<void>;
  readonly #setup: TransferSetup;
  readonly #machine: Sender | Receiver;
  readonly #writer: SinkWriter | undefined;
  readonly #id = randomUUID();
  readonly #startedAt: number;
  readonly #startedDate: string;
  readonly #meter: ProgressMeter;
  #options: NegotiatedOptions = DEFAULT_OPTIONS;
  #retry: TransferRecord['retry'];
  #timer: { readonly handle: Timer; readonly at: number } | undefined;
  #committing = false;
  /** Known for sure at the end. */
  #completeSize: number | undefined;
  #settled = false;
  #resolveEnded!: (outcome: TransferOutcome) => void;
  #resolveClosed!: () => void;

  constructor(setup: TransferSetup) {
    this.#setup = setup;
    this.#machine = setup.cargo.machine;
    this.#startedAt = setup.clock.now();
    this.#startedDate = setup.clock.date().toISOString();
    this.#meter = new ProgressMeter(this.#startedAt, setup.progressInterval);
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    if ('sink' in setup.cargo) {
      const { machine, sink } = setup.cargo;
      this.#writer = new SinkWriter(sink, {
        written: (bytes) => this.#step(() => machine.consumed(bytes, this.#now)),
        committed: () => this.#step(() => machine.committed(this.#now)),
        failed: (error) => this.#abort(error),
      });
    }
  }

  get id(): string {
    return this.#id;
  }

  /** A snapshot; `event` tells what a `progress` event would. */
  get record(): TransferRecord {
    return this.#record('progress');
  }

  /** Begins. Call once. */
  start(): void {
    const { socket, signal } = this.#setup;
    this.#emit('start');
    socket.listen({
      message: (datagram, from) => this.#message(datagram, from),
      unreachable: () => this.#unreachable(),
      failed: (error) => this.#abort(error),
    });
    signal?.addEventListener('abort', this.#cancel);
    if (signal?.aborted) return this.#cancel();
    this.#step(() => this.#machine.start(this.#now));
  }

  /** Tells the peer and ends. Does nothing once the file is being committed: it is across by then. */
  abort(error: TftpError): void {
    if (!this.#committing) this.#abort(error);
  }

  /** The client sent its request again: our answer got lost. */
  repeatLast(): void {
    this.#step(() => this.#machine.repeatLast(this.#now));
  }

  /** Frees the socket and the timer at once, without a word to the peer, whatever state the transfer is in. */
  close(reason: TftpError = new CancelError()): void {
    if (!this.#settled) this.#settle(reason);
    this.#free();
  }

  get #now(): number {
    return this.#setup.clock.now();
  }

  get #peer(): Peer {
    return this.#setup.lock.peer ?? this.#setup.destination;
  }

  readonly #cancel = (): void => this.abort(new CancelError());

  #abort(error: TftpError): void {
    this.#step(() => this.#machine.abort(error, this.#now));
  }

  #unreachable(): void {
    const message = `Nothing listens at ${peerName(this.#peer)} (port unreachable)`;
    const error = new LocalError('ECONNREFUSED', message);
    this.#step(() => this.#machine.handleUnreachable(error, this.#now));
  }

  #message(datagram: Uint8Array, from: Peer): void {
    const { lock } = this.#setup;
    const standing = lock.standing(from);
    if (standing === 'stranger') return this.#tellStranger(datagram, from);
    const packet = decodeTransferPacket(datagram);
    if (packet === undefined) {
      return this.#setup.recorder.received(
        this.#now,
        'junk',
        undefined,
        datagram.length,
        'ignored',
      );
    }
    if (standing === 'candidate' && !this.#admit(packet, from)) return;
    this.#step(() => this.#machine.handlePacket(packet, this.#now));
  }

  /** The first valid answer locks its sender (RFC 1350 section 4); an ERROR counts only from the host that was asked. */
  #admit(packet: TransferPacket, from: Peer): boolean {
    const { lock, destination, socket } = this.#setup;
    if (packet.type === 'ERROR') return from.address === destination.address;
    if (!this.#machine.isAnswer(packet)) return false;
    lock.lock({ address: from.address, port: from.port });
    socket.watch(lock.peer!);
    return true;
  }

  /** A stranger's packet gets ERROR 5 and disturbs nothing (RFC 1350 section 4). An ERROR is never answered. */
  #tellStranger(datagram: Uint8Array, from: Peer): void {
    const { lock, socket, recorder } = this.#setup;
    if (decodeTransferPacket(datagram)?.type === 'ERROR' || !lock.shouldTell(from)) return;
    recorder.note(this.#now, `a packet of stranger ${peerName(from)} came`);
    const datagrams = encode({ type: 'ERROR', code: 5, message: 'Unknown transfer ID' });
    socket.send({ datagrams, segmentSize: datagrams.length }, from);
  }

  /** Calls the machine, then does what it wants done. Sending comes first: the peer waits for that. */
  #step(call: () => void): void {
    call();
    for (;;) {
      const transmit = this.#machine.pollTransmit();
      if (transmit) {
        this.#setup.socket.send(transmit, this.#peer);
        continue;
      }
      const event = this.#machine.pollEvent();
      if (event === undefined) break;
      this.#handle(event);
    }
    if (this.#machine.finished && this.#settled) this.#free();
    else this.#arm();
    this.#reportProgress();
  }

  #handle(event: TransferEvent): void {
    switch (event.type) {
      case 'negotiated':
        this.#options = event.options;
        return;
      case 'need-data':
        return void this.#readOn();
      case 'data':
        return this.#writer!.push(event.payload);
      case 'end':
        this.#committing = true;
        return this.#writer!.end();
      case 'retry':
        this.#retry = { attempt: event.attempt, retries: event.retries };
        this.#setup.socket.watch(this.#peer);
        return this.#emitProgress();
      case 'done':
        return this.#settle(undefined, event.finalAck);
      case 'failed':
        return this.#settle(event.error);
    }
  }

  /** Answers `need-data`. */
  async #readOn(): Promise<void> {
    const { cargo } = this.#setup;
    if (!('source' in cargo)) return;
    try {
      const chunk = await cargo.source.read();
      this.#step(() => {
        if (chunk === undefined) cargo.machine.end(this.#now);
        else cargo.machine.push(chunk, this.#now);
      });
    } catch (error) {
      this.#abort(asTftpError(error));
    }
  }

  #settle(error: TftpError | undefined, finalAck = false): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#setup.signal?.removeEventListener('abort', this.#cancel);
    this.#setup.socket.unref();
    this.#timer?.handle.unref();
    this.#retry = undefined;
    void this.#finish(error, finalAck);
  }

  /** Frees the file before the world hears of the end. */
  async #finish(error: TftpError | undefined, finalAck: boolean): Promise<void> {
    const { cargo } = this.#setup;
    if ('source' in cargo) await cargo.source.close();
    else if (error !== undefined) await this.#writer!.discard();

    if (error !== undefined) {
      const probe = this.#setup.isProbe?.(error) ?? false;
      error.peer ??= peerName(this.#peer);
      error.filename ??= this.#setup.filename;
      return this.#resolveEnded({ record: this.#emit(probe ? 'probe' : 'error', error), error });
    }
    this.#completeSize = this.#machine.stats.bytes;
    this.#emitProgress();
    this.#resolveEnded({ record: this.#emit('complete', undefined, finalAck) });
  }

  #free(): void {
    this.#timer?.handle.cancel();
    this.#timer = undefined;
    this.#setup.socket.close();
    this.#resolveClosed();
  }

  /** Keeps one timer. It is not moved when the deadline moves away, which it does at every packet: it looks again when it fires. */
  #arm(): void {
    const deadline = this.#nextDeadline;
    if (deadline === undefined) return;
    if (this.#timer !== undefined && this.#timer.at <= deadline) return;
    this.#timer?.handle.cancel();
    const wait = Math.max(0, deadline - this.#now);
    const handle = this.#setup.clock.after(wait, () => this.#fire());
    if (this.#settled) handle.unref();
    this.#timer = { handle, at: deadline };
  }

  get #nextDeadline(): number | undefined {
    const { deadline } = this.#setup;
    const next = this.#machine.nextTimeout();
    if (deadline === 0 || this.#settled) return next;
    return Math.min(next ?? Infinity, this.#startedAt + deadline);
  }

  /** A busy process may have let the timer come first although the answer has arrived: that goes before. */
  #fire(): void {
    this.#timer = undefined;
    this.#setup.clock.afterPending(() => {
      const { deadline } = this.#setup;
      if (deadline > 0 && !this.#settled && this.#now >= this.#startedAt + deadline) {
        return this.abort(new TimeoutError(`The transfer took longer than ${deadline / 1000} s`));
      }
      this.#step(() => this.#machine.handleTimeout(this.#now));
    });
  }

  #reportProgress(): void {
    if (this.#settled || !this.#meter.isDue(this.#now)) return;
    this.#meter.mark(this.#now, this.#machine.stats.bytes);
    this.#emitProgress();
  }

  #emitProgress(): void {
    if (this.#setup.progressInterval > 0) this.#emit('progress');
  }

  #emit(event: TransferEventName, error?: TftpError, finalAck?: boolean): TransferRecord {
    const record = this.#record(event, error, finalAck);
    if (event === 'progress') this.#retry = undefined;
    callListener(() => this.#setup.onEvent?.(record));
    return record;
  }

  #record(event: TransferEventName, error?: TftpError, finalAck?: boolean): TransferRecord {
    const { role, filename, mode, host, destination, socket, recorder, clock } = this.#setup;
    const { stats } = this.#machine;
    const { blksize, windowsize, timeout, tsize, rollover } = this.#options;
    const ended = event === 'complete' || event === 'error' || event === 'probe';
    const size = this.#completeSize ?? this.#setup.size ?? tsize ?? null;
    const reads = 'source' in this.#setup.cargo === (role === 'server');
    return {
      id: this.#id,
      event,
      role,
      operation: reads ? 'read' : 'write',
      filename,
      mode,
      host: host ?? destination.address,
      port: this.#peer.port,
      localAddress: socket.local.address,
      localPort: socket.local.port,
      bytes: stats.bytes,
      size,
      ...this.#meter.measure(this.#now, stats.bytes, size),
      options: {
        blksize,
        windowsize,
        ...(timeout !== undefined && { timeout }),
        ...(tsize !== undefined && { tsize }),
        ...(rollover === 1 && { rollover }),
      },
      retransmits: stats.retransmits,
      duplicates: stats.duplicates,
      started: this.#startedDate,
      ...(this.#retry && { retry: this.#retry }),
      ...(ended && { finished: clock.date().toISOString() }),
      ...(finalAck !== undefined && { finalAck, ...this.#setup.annotate?.() }),
      ...(error && { error: describeError(error), trace: recorder.lines() }),
    };
  }
}

/** What a storage throws is a `TftpError`; anything else is a fault whose text the peer must not see. */
export function asTftpError(error: unknown): TftpError {
  if (isTftpError(error)) return error;
  return new LocalError('EIO', 'An internal error occurred', { cause: error });
}
