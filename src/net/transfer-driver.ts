/**
 * Joins a machine with a socket, a timer, and a source or a sink. The same driver serves all four
 * roles; whatever fails ends this transfer and nothing else.
 */

import { DataRuns } from '../protocol/data-run';
import { decodeTransferPacket } from '../protocol/decode';
import { encode } from '../protocol/encode';
import { sameAddress } from '../protocol/address';
import { CancelError, LocalError, TimeoutError, isTftpError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { NegotiatedOptions } from '../protocol/options';
import type { TransferPacket } from '../protocol/packet';
import { peerName } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import type { Receiver } from '../transfer/receiver';
import type { Sender } from '../transfer/sender';
import type { TransferEvent } from '../transfer/transfer';
import type { Timer } from './clock';
import { SinkWriter } from './sink-writer';
import type { TransferRecord } from './transfer-record';
import { TransferReporter } from './transfer-reporter';
import type { TransferSetup } from './transfer-setup';

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
  readonly #reporter: TransferReporter;
  readonly #startedAt: number;
  /** Cuts what arrives several at a time. */
  #runs: DataRuns | undefined;
  #timer: { readonly handle: Timer; readonly at: number } | undefined;
  #answerTold = false;
  /** The last address that answered although it was not asked. */
  #elsewhere: string | undefined;
  /** Bytes that the source has given. */
  #given = 0;
  #committing = false;
  #settled = false;
  #failed = false;
  #freed = false;
  #resolveEnded!: (outcome: TransferOutcome) => void;
  #resolveClosed!: () => void;

  constructor(setup: TransferSetup) {
    this.#setup = setup;
    this.#machine = setup.cargo.machine;
    this.#startedAt = setup.clock.now();
    this.#reporter = new TransferReporter(setup);
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
    if ('sink' in setup.cargo) {
      const { machine, sink } = setup.cargo;
      this.#writer = new SinkWriter(sink, {
        written: (bytes) => this.#step((now) => machine.consumed(bytes, now)),
        committed: () => this.#step((now) => machine.committed(now)),
        failed: (error) => this.#abort(error),
      });
    }
  }

  get id(): string {
    return this.#reporter.id;
  }

  /** True once the peer has answered: it exists and wants this transfer. */
  get answered(): boolean {
    return this.#machine.answered;
  }

  /** True once all data has arrived, until the file is committed. */
  get committing(): boolean {
    return this.#committing && !this.#settled;
  }

  /** True if a file was sent, and its last block again, and only the last ACK is missing. */
  get lacksLastAck(): boolean {
    const { cargo } = this.#setup;
    return 'source' in cargo && cargo.machine.awaitsLastAck && this.#machine.silence !== undefined;
  }

  /** A snapshot; `event` tells what a `progress` event would. */
  get record(): TransferRecord {
    return this.#reporter.snapshot;
  }

  /** Begins. Call once. */
  start(): void {
    const { socket, signal } = this.#setup;
    this.#reporter.start();
    socket.subscribe({
      message: (datagram, from) => this.#receive(datagram, from),
      unreachable: (peer) => this.#unreachable(peer),
      failed: (error) => this.#abort(error),
    });
    signal?.addEventListener('abort', this.#cancel);
    if (signal?.aborted) return this.#cancel();
    this.#step((now) => this.#machine.start(now));
  }

  /** Tells the peer and ends. Does nothing once the file is being committed: it is across by then. */
  abort(error: TftpError): void {
    if (!this.#committing) this.#abort(error);
  }

  /** Ends without a word. What only lacks its last ACK is complete. */
  giveWay(reason: TftpError): void {
    if (this.lacksLastAck) this.#step((now) => this.#machine.handleUnreachable(reason, now));
    else this.close(reason);
  }

  /** The client sent its request again: our answer got lost. */
  repeatLast(): void {
    this.#step((now) => this.#machine.repeatLast(now));
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
    this.#step((now) => this.#machine.abort(error, now));
  }

  /** Whom this transfer has sent anything else, such as an ERROR 5, does not matter. */
  #unreachable(peer: Peer): void {
    if (peerName(peer) !== peerName(this.#peer)) return;
    const message = `Nothing listens at ${peerName(this.#peer)} (port unreachable)`;
    const error = new LocalError('ECONNREFUSED', message);
    this.#step((now) => this.#machine.handleUnreachable(error, now));
  }

  /** Takes what came in one piece, and only then looks at what is to be done. */
  #receive(datagram: Uint8Array, from: Peer): void {
    const now = this.#now;
    if (!this.#receiveRun(datagram, from, now)) {
      const packets = this.#runs?.split(datagram, this.#machine.stats.bytes) ?? [datagram];
      for (const packet of packets) this.#message(packet, from, now);
    }
    this.#drain(now);
    if (this.#answerTold || !this.#machine.answered) return;
    this.#answerTold = true;
    this.#setup.onAnswer?.(!this.#failed);
  }

  /** True if it was a run of blocks, all in order, and is dealt with. */
  #receiveRun(datagram: Uint8Array, from: Peer, now: number): boolean {
    const { cargo, lock } = this.#setup;
    const segmentSize = this.#runs?.segmentSize ?? Infinity;
    if (datagram.length <= segmentSize || !('sink' in cargo)) return false;
    return lock.standing(from) === 'peer' && cargo.machine.handleRun(datagram, segmentSize, now);
  }

  #message(datagram: Uint8Array, from: Peer, now: number): void {
    const { lock, recorder } = this.#setup;
    const standing = lock.standing(from);
    if (standing === 'stranger') return this.#tellStranger(datagram, from);
    const packet = decodeTransferPacket(datagram);
    if (packet === undefined) {
      return recorder.received(now, 'junk', undefined, datagram.length, 'ignored');
    }
    if (standing === 'candidate' && !this.#admit(packet, from)) return;
    this.#machine.handlePacket(packet, now);
  }

  /** The first valid answer of the address that was asked locks its sender (RFC 1350 section 4). */
  #admit(packet: TransferPacket, from: Peer): boolean {
    const { lock, destination, anyAddress = false } = this.#setup;
    const isError = packet.type === 'ERROR';
    if (!isError && !this.#machine.isAnswer(packet)) return false;
    if (!anyAddress && !sameAddress(from.address, destination.address)) {
      this.#hearElsewhere(packet, from);
      return false;
    }
    if (isError) return true;
    lock.lock({ address: from.address, port: from.port });
    return true;
  }

  /** Anybody may have sent it: it changes nothing, but is worth to be known if nobody else answers. */
  #hearElsewhere(packet: TransferPacket, from: Peer): void {
    if (this.#elsewhere === from.address) return;
    this.#elsewhere = from.address;
    const said = packet.type === 'ERROR' ? `ERROR ${packet.code} "${packet.message}"` : packet.type;
    const note = `${said} came from ${peerName(from)}, which was not asked`;
    this.#setup.recorder.note(this.#now, note);
  }

  /** A stranger's packet gets ERROR 5 and disturbs nothing (RFC 1350 section 4). An ERROR is never answered. */
  #tellStranger(datagram: Uint8Array, from: Peer): void {
    const { lock, socket, recorder } = this.#setup;
    if (decodeTransferPacket(datagram)?.type === 'ERROR' || !lock.shouldTell(from)) return;
    recorder.note(this.#now, `a packet of stranger ${peerName(from)} came`);
    const datagrams = encode({ type: 'ERROR', code: 5, message: 'Unknown transfer ID' });
    socket.send({ datagrams, segmentSize: datagrams.length }, from);
  }

  /** Calls the machine, then does what it wants done. */
  #step(call: (now: number) => void): void {
    const now = this.#now;
    call(now);
    this.#drain(now);
  }

  /** Does what the machine wants done. Sending comes first: the peer waits for that. */
  #drain(now: number): void {
    const machine = this.#machine;
    for (;;) {
      const transmit = machine.pollTransmit();
      if (transmit) {
        this.#setup.socket.send(transmit, this.#peer);
        continue;
      }
      const event = machine.pollEvent();
      if (event === undefined) break;
      this.#handle(event);
    }
    if (machine.finished && this.#settled) this.#free();
    else if (!this.#freed) this.#arm(now);
    if (!this.#settled) this.#reporter.progress(now);
  }

  #handle(event: TransferEvent): void {
    switch (event.type) {
      case 'negotiated':
        return this.#negotiated(event.options);
      case 'need-data':
        return void this.#readOn(event.bytes);
      case 'data':
        return this.#writer!.push(event.payload);
      case 'end':
        // An ERROR that came with the last block has ended it meanwhile.
        if (this.#machine.finished) return;
        this.#committing = true;
        return this.#writer!.end();
      case 'retry':
        return this.#reporter.silence();
      case 'done':
        return this.#settle(undefined, event.finalAck);
      case 'failed':
        return this.#settle(event.error);
    }
  }

  /** Only where the size of the file is known for sure can packets that lie end to end be told apart. */
  #negotiated(options: NegotiatedOptions): void {
    this.#reporter.negotiated(options);
    const { mode, socket, cargo } = this.#setup;
    const bytes = mode === 'octet' ? options.tsize : undefined;
    const pays = options.windowsize > 1 && 'sink' in cargo && bytes;
    if (pays && socket.coalesce()) this.#runs = new DataRuns(options, bytes);
  }

  /** Answers `need-data`. */
  async #readOn(bytes: number): Promise<void> {
    const { cargo } = this.#setup;
    if (!('source' in cargo)) return;
    try {
      const chunk = await cargo.source.read(bytes);
      this.#countGiven(chunk);
      this.#step((now) => {
        if (chunk === undefined) cargo.machine.end(now);
        else cargo.machine.push(chunk, now);
      });
    } catch (error) {
      this.#abort(asTftpError(error));
    }
  }

  /** The peer was told a size, or could be: what is more or less is not the file. */
  #countGiven(chunk: Uint8Array | undefined): void {
    const { size } = this.#setup;
    this.#given += chunk?.length ?? 0;
    if (size === undefined || this.#given === size || (chunk && this.#given < size)) return;
    const given = chunk ? `at least ${this.#given}` : `only ${this.#given}`;
    const message = `The content has ${given} bytes, but ${size} were announced`;
    throw new LocalError('EBADSIZE', message);
  }

  /** What is to be said where nobody answered but an address that was not asked. */
  #explained(error: TftpError): TftpError {
    const silent = error.code === 'ETIMEDOUT' || error.code === 'ECONNREFUSED';
    if (this.#elsewhere === undefined || this.#setup.lock.peer !== undefined || !silent)
      return error;
    const advice = `${this.#elsewhere} answered, which was not asked: if that is the same server, set anyAddress`;
    const message = `${error.message}; ${advice}`;
    return error instanceof TimeoutError
      ? new TimeoutError(message)
      : new LocalError(error.code, message);
  }

  #settle(error: TftpError | undefined, finalAck = false): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#failed = error !== undefined;
    this.#setup.signal?.removeEventListener('abort', this.#cancel);
    this.#setup.socket.unref();
    this.#timer?.handle.unref();
    void this.#finish(error, finalAck);
  }

  /** Frees the file before the world hears of the end. */
  async #finish(reason: TftpError | undefined, finalAck: boolean): Promise<void> {
    const { cargo } = this.#setup;
    if ('source' in cargo) await cargo.source.close();
    else if (reason !== undefined) await this.#writer!.discard();

    if (reason !== undefined) {
      const error = this.#explained(reason);
      error.peer ??= peerName(this.#peer);
      error.filename ??= this.#setup.filename;
      return this.#resolveEnded({ record: this.#reporter.failed(error), error });
    }
    this.#resolveEnded({ record: this.#reporter.complete(finalAck) });
  }

  #free(): void {
    this.#freed = true;
    this.#timer?.handle.cancel();
    this.#timer = undefined;
    this.#setup.socket.close();
    this.#resolveClosed();
  }

  /** Keeps one timer. It is not moved when the deadline moves away, which it does at every packet: it looks again when it fires. */
  #arm(now: number): void {
    const deadline = this.#nextDeadline;
    if (deadline === undefined) return;
    if (this.#timer !== undefined && this.#timer.at <= deadline) return;
    this.#timer?.handle.cancel();
    const wait = Math.max(0, deadline - now);
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
      this.#step((now) => this.#machine.handleTimeout(now));
    });
  }
}

/** What a storage throws is a `TftpError`; anything else is a fault whose text the peer must not see. */
export function asTftpError(error: unknown): TftpError {
  if (isTftpError(error)) return error;
  return new LocalError('EIO', 'An internal error occurred', { cause: error });
}
