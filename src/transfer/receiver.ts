/** The machine that receives a file in windows (RFC 1350, RFC 7440). */

import { distance, distanceBack, toWire } from '../protocol/block-number';
import { DATA_HEADER } from '../protocol/constants';
import { countRun, joinPayloads } from '../protocol/data-run';
import { encode } from '../protocol/encode';
import { ProtocolError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { NegotiatedOptions } from '../protocol/options';
import type { DataPacket, TransferPacket } from '../protocol/packet';
import type { FlightRecorder } from './flight-recorder';
import { Machine } from './machine';
import type { Opening } from './opening';
import type { RetryPolicy } from './retry-policy';

/**
 * How long the last ACK is repeated for a sender that has not got it, in first timeouts, re-armed by
 * each repeat. In 4,200 simulated transfers over links that lost up to 30 %, 4 left 52 senders without
 * their last ACK, 6 left 36, and 8 left 22.
 */
const DALLY_TIMEOUTS = 8;
/** The longest dally, in milliseconds, with all that repeats add to it. */
const MAX_DALLY = 30_000;

/**
 * How long new blocks are waited for before an ACK is repeated for a repeated block, in milliseconds:
 * longer than the time between two datagrams of a window, and short beside any timeout.
 */
const REPEAT_DELAY = 25;
/**
 * An ACK whose answer can still be on its way is not repeated: that takes twice the shortest time, in
 * milliseconds, in which an ACK was answered, and no more than twice this.
 */
const MAX_TURNAROUND = 500;

/** Bytes handed out and not yet consumed at which ACKs wait: the disk is slower than the network. */
const MAX_OUTSTANDING = 1024 * 1024;

/** What is only known while blocks come in. Positions count from 1. */
interface Receiving {
  readonly options: NegotiatedOptions;
  /** How many bytes the file has to have; undefined if that was not agreed upon. */
  readonly size: number | undefined;
  stage: 'receiving' | 'committing' | 'dallying';
  /** The last block received in order. */
  last: number;
  /** Blocks received in order since our last ACK. */
  inWindow: number;
  /** The previous block behind a gap, counted from `last`: for reporting a gap once in each repetition. */
  beyondGap: number;
  /** The previous repeated block, for telling a new repetition from the rest of an old one. */
  repeated: number;
  /** Bytes handed out and not yet consumed. */
  outstanding: number;
  /** True if an ACK waits for `consumed`. */
  ackHeld: boolean;
  /** When to repeat our ACK, because blocks came again and nothing new has followed. */
  repeatAckAt: number | undefined;
  /** When the last ACK went out for the first time; undefined before there was one. */
  ackedAt: number | undefined;
  /** True until that ACK was repeated or answered: the next block measures the round trip (Karn's rule). */
  measures: boolean;
  /** The shortest time in which an ACK was answered by a new block; 0 before there was one. */
  turnaround: number;
}

/** Hands out what it receives. See `Transfer` for how to drive it. */
export class Receiver extends Machine {
  #receiving: Receiving | undefined;
  #dallyUntil: number | undefined;
  #dallyEnd = 0;

  /** A receiver waits at least the first timeout: the sender knows sooner what is missing, so it goes first. */
  constructor(opening: Opening, policy: RetryPolicy, recorder: FlightRecorder) {
    super(opening, { ...policy, minTimeout: policy.timeout }, recorder);
  }

  /**
   * Takes DATA packets that lie end to end, of `segmentSize` bytes each but the last: the fast twin of
   * `handlePacket`, for blocks that all come in order and in this window.
   *
   * @returns false if they do not, and nothing was done: then take them one by one.
   */
  handleRun(run: Uint8Array, segmentSize: number, now: number): boolean {
    const state = this.#receiving;
    if (state?.stage !== 'receiving' || this.finished) return false;
    const { blksize, windowsize, rollover } = state.options;
    if (segmentSize !== blksize + DATA_HEADER) return false;
    const count = countRun(run, segmentSize, state.last + 1, rollover);
    if (count === 0 || state.inWindow + count > windowsize) return false;
    this.#handleNext(state, count, joinPayloads(run, segmentSize), now);
    return true;
  }

  /** `bytes` of the payloads handed out have left memory. */
  consumed(bytes: number, now: number): void {
    const state = this.#receiving;
    if (state === undefined || this.finished) return;
    state.outstanding -= bytes;
    if (state.ackHeld && state.outstanding <= MAX_OUTSTANDING) {
      state.ackHeld = false;
      this.#acknowledge(state, now, 'after a slow disk');
    }
  }

  /** The file is safe where it belongs, in answer to `end`: acknowledges the last block and ends. */
  committed(now: number): void {
    const state = this.#receiving;
    if (state === undefined || state.stage !== 'committing' || this.finished) return;
    state.stage = 'dallying';
    this.#dallyEnd = now + MAX_DALLY;
    this.#ack(state, now, 'complete');
    this.#dally(now);
    this.outbox.emit({ type: 'done', finalAck: true });
  }

  /** A committed file is no longer to be failed: while dallying this only ends the wait. */
  override abort(error: TftpError, now: number): void {
    if (this.#dallyUntil === undefined) super.abort(error, now);
    else this.finish();
  }

  override handleTimeout(now: number): void {
    if (this.#dallyUntil !== undefined) {
      if (now >= this.#dallyUntil) this.finish();
      return;
    }
    const state = this.#receiving;
    const { deadline = Infinity } = this.timer;
    if (state?.repeatAckAt === undefined || now < state.repeatAckAt || now >= deadline) {
      return super.handleTimeout(now);
    }
    this.stats.stalls += 1;
    this.#ack(state, now, 'again');
  }

  override nextTimeout(): number | undefined {
    if (this.finished) return undefined;
    if (this.#dallyUntil !== undefined) return this.#dallyUntil;
    const repeatAckAt = this.#receiving?.repeatAckAt;
    const timeout = super.nextTimeout();
    // The timer runs as long as blocks are awaited.
    return repeatAckAt === undefined ? timeout : Math.min(repeatAckAt, timeout!);
  }

  protected override begin(options: NegotiatedOptions): void {
    const size = this.opening.exact ? options.tsize : undefined;
    this.#receiving = {
      options,
      // 0 stands for a size that is not known: curl sends it so.
      size: size || undefined,
      stage: 'receiving',
      last: 0,
      inWindow: 0,
      beyondGap: Infinity,
      repeated: Infinity,
      outstanding: 0,
      ackHeld: false,
      repeatAckAt: undefined,
      ackedAt: undefined,
      measures: false,
      turnaround: 0,
    };
  }

  /** An OACK is acknowledged as block 0 (RFC 2347); a DATA 1 is already the file. */
  protected override handleFirst(packet: TransferPacket, now: number): void {
    if (packet.type === 'DATA') this.handleRunning(packet, now);
    else this.#acknowledge(this.#receiving!, now, '');
  }

  protected override handleRunning(packet: TransferPacket, now: number): void {
    const state = this.#receiving!;
    if (packet.type === 'DATA') return this.#handleData(state, packet, now);
    if (packet.type === 'OACK' && state.last === 0) {
      this.stats.duplicates += 1;
      this.recorder.received(now, 'OACK', undefined, 0, 'repeated');
      return this.#repeatAckSoon(state, now);
    }
    this.ignore(packet, now, 'unexpected');
  }

  /** A sender that missed the last ACK may end with an ERROR; `done` has been told, and stays true. */
  protected override fail(error: TftpError): void {
    if (this.#dallyUntil === undefined) super.fail(error);
    else this.finish();
  }

  /**
   * Acknowledges the last block received *in order*, never what was acknowledged last: otherwise the
   * windows of the two sides drift apart, and some transfers never end.
   */
  protected override sendAgain(now: number): void {
    this.stats.retransmits += 1;
    this.stats.stalls += 1;
    this.#ack(this.#receiving!, now, 'again');
  }

  #handleData(state: Receiving, packet: DataPacket, now: number): void {
    const { rollover, windowsize, blksize } = state.options;
    const ahead = distance(state.last + 1, packet.block, rollover);
    if (ahead === 0 && state.stage === 'receiving') {
      if (packet.payload.length <= blksize) return this.#handleNext(state, 1, packet.payload, now);
      const message = `A block of ${packet.payload.length} bytes came where ${blksize} were agreed`;
      return this.abort(new ProtocolError('EBADOP', message, { block: state.last + 1 }), now);
    }
    this.stats.duplicates += 1;
    if (ahead !== undefined && ahead < windowsize && state.stage === 'receiving') {
      return this.#handleGap(state, packet, ahead, now);
    }
    this.#handleRepeated(state, packet, now);
  }

  /** The blocks that come next, with their payloads end to end. */
  #handleNext(state: Receiving, count: number, payload: Uint8Array, now: number): void {
    const { blksize, rollover } = state.options;
    const first = toWire(state.last + 1, rollover);
    const last = toWire(state.last + count, rollover);
    this.recorder.received(now, 'DATA', first, Math.min(payload.length, blksize), '', last);
    const isLast = payload.length < count * blksize;
    const wrongSize = this.#wrongSize(state, payload.length, isLast);
    if (wrongSize) return this.abort(wrongSize, now);
    this.#countNext(state, count, payload.length, now);
    if (payload.length > 0) this.outbox.emit({ type: 'data', payload });

    if (isLast) {
      state.stage = 'committing';
      state.ackHeld = false;
      this.timer.disarm();
      return this.outbox.emit({ type: 'end' });
    }
    if (state.inWindow < state.options.windowsize) return this.timer.arm(now);
    if (state.outstanding <= MAX_OUTSTANDING) return this.#acknowledge(state, now, '');
    state.ackHeld = true;
    this.timer.disarm();
  }

  /** A file that ends short of the size that was agreed upon, or goes beyond it, is not the file (RFC 2349). */
  #wrongSize({ size }: Receiving, more: number, isLast: boolean): ProtocolError | undefined {
    const bytes = this.stats.bytes + more;
    if (size === undefined || bytes === size || (bytes < size && !isLast)) return undefined;
    const came = isLast ? `The file ended after ${bytes} bytes` : `${bytes} bytes came`;
    return new ProtocolError('EBADSIZE', `${came}, but ${size} were announced`);
  }

  /** Keeps the books of blocks in order: they are the only progress. */
  #countNext(state: Receiving, count: number, bytes: number, now: number): void {
    if (state.ackedAt !== undefined) {
      const turnaround = now - state.ackedAt;
      if (state.measures) this.timer.measure(turnaround);
      state.measures = false;
      state.turnaround = Math.min(state.turnaround || MAX_TURNAROUND, turnaround);
    }
    state.last += count;
    state.inWindow += count;
    state.repeated = Infinity;
    state.beyondGap = Infinity;
    state.repeatAckAt = undefined;
    state.outstanding += bytes;
    this.stats.bytes += bytes;
    this.timer.progress();
  }

  /** A block is missing: tells the sender where to go on, once in each repetition of the window (RFC 7440 section 4). */
  #handleGap(state: Receiving, packet: DataPacket, ahead: number, now: number): void {
    const report = ahead <= state.beyondGap && !state.ackHeld;
    state.beyondGap = ahead;
    const note = report ? 'after a gap' : 'after a gap, ignored';
    this.recorder.received(now, 'DATA', packet.block, packet.payload.length, note);
    if (report) this.#ack(state, now, 'reports the gap');
  }

  /**
   * A block that we have: our ACK was lost, or the block came twice for another reason, with new ones
   * behind it. An ACK would then make some senders send all twice again, and so on for ever (RFC 1123
   * section 4.2.3.1): so it waits whether something new comes. One ACK answers each repetition.
   */
  #handleRepeated(state: Receiving, packet: DataPacket, now: number): void {
    const position = state.last - distanceBack(state.last, packet.block, state.options.rollover);
    const begins = position <= state.repeated;
    state.repeated = position;
    this.recorder.received(now, 'DATA', packet.block, packet.payload.length, 'repeated');
    if (!begins || state.stage === 'committing' || state.ackHeld) return;
    if (state.stage === 'receiving') return this.#repeatAckSoon(state, now);
    this.#ack(state, now, 'again');
    this.#dally(now);
  }

  /** Repeats our ACK unless something new comes. What the peer repeats is no progress, and ends no silence. */
  #repeatAckSoon(state: Receiving, now: number): void {
    const answered = (state.ackedAt ?? now) + 2 * state.turnaround;
    state.repeatAckAt ??= Math.max(now + REPEAT_DELAY, answered);
  }

  /** Acknowledges what is new. */
  #acknowledge(state: Receiving, now: number, note: string): void {
    this.#ack(state, now, note);
    state.ackedAt = now;
    state.measures = note === '';
  }

  #ack(state: Receiving, now: number, note: string): void {
    const block = toWire(state.last, state.options.rollover);
    state.measures = false;
    state.inWindow = 0;
    state.repeatAckAt = undefined;
    this.recorder.sent(now, 'ACK', block, 0, note);
    this.outbox.send(encode({ type: 'ACK', block }));
    if (state.stage === 'receiving') this.timer.arm(now);
  }

  #dally(now: number): void {
    const { timeout = this.policy.timeout } = this.#receiving!.options;
    this.#dallyUntil = Math.min(now + DALLY_TIMEOUTS * timeout, this.#dallyEnd);
  }
}
