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
 * each repeat. In simulated transfers over bad links 1 led to 185 false failures in 4,480, 4 to 2,
 * and 6 to none.
 */
const DALLY_TIMEOUTS = 6;
/** The longest dally, in milliseconds. */
const MAX_DALLY = 30_000;

/**
 * How long a repeated window is listened to before its ACK is repeated, in milliseconds: longer than
 * the time between two datagrams of a window, and short beside any timeout.
 */
const REPEAT_DELAY = 25;

/** Bytes handed out and not yet consumed at which ACKs wait: the disk is slower than the network. */
const MAX_OUTSTANDING = 1024 * 1024;

/** What is only known while blocks come in. Positions count from 1. */
interface Receiving {
  readonly options: NegotiatedOptions;
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
  /** When to repeat our ACK, because a window came again and nothing new has followed. */
  repeatAckAt: number | undefined;
  /** When the last ACK went out for the first time, until a block follows it: the round trip. */
  ackedAt: number | undefined;
}

/** Hands out what it receives. See `Transfer` for how to drive it. */
export class Receiver extends Machine {
  #receiving: Receiving | undefined;
  #dallyUntil: number | undefined;

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
      this.#ack(state, now, 'after a slow disk');
    }
  }

  /** The file is safe where it belongs, in answer to `end`: acknowledges the last block and ends. */
  committed(now: number): void {
    const state = this.#receiving;
    if (state === undefined || state.stage !== 'committing' || this.finished) return;
    state.stage = 'dallying';
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
    if (state?.repeatAckAt !== undefined && now >= state.repeatAckAt) {
      this.stats.stalls += 1;
      this.#ack(state, now, 'again');
    }
    super.handleTimeout(now);
  }

  override nextTimeout(): number | undefined {
    if (this.finished) return undefined;
    if (this.#dallyUntil !== undefined) return this.#dallyUntil;
    // That is so soon that the other timer can wait for it.
    return this.#receiving?.repeatAckAt ?? super.nextTimeout();
  }

  protected override begin(options: NegotiatedOptions): void {
    this.#receiving = {
      options,
      stage: 'receiving',
      last: 0,
      inWindow: 0,
      beyondGap: Infinity,
      repeated: Infinity,
      outstanding: 0,
      ackHeld: false,
      repeatAckAt: undefined,
      ackedAt: undefined,
    };
  }

  /** An OACK is acknowledged as block 0 (RFC 2347); a DATA 1 is already the file. */
  protected override handleFirst(packet: TransferPacket, now: number): void {
    if (packet.type === 'DATA') this.handleRunning(packet, now);
    else this.#ack(this.#receiving!, now, '');
  }

  protected override handleRunning(packet: TransferPacket, now: number): void {
    const state = this.#receiving!;
    if (packet.type === 'DATA') return this.#handleData(state, packet, now);
    if (packet.type === 'OACK' && state.last === 0) {
      this.stats.duplicates += 1;
      this.recorder.received(now, 'OACK', undefined, 0, 'repeated');
      return this.#ack(state, now, 'again');
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
    if (state.ackedAt !== undefined) this.timer.measure(now - state.ackedAt);
    state.ackedAt = undefined;
    state.last += count;
    state.inWindow += count;
    state.repeated = Infinity;
    state.beyondGap = Infinity;
    state.repeatAckAt = undefined;
    state.outstanding += payload.length;
    this.stats.bytes += payload.length;
    const size = Math.min(payload.length, blksize);
    this.recorder.received(now, 'DATA', first, size, '', toWire(state.last, rollover));
    this.timer.progress();
    if (payload.length > 0) this.outbox.emit({ type: 'data', payload });

    if (payload.length < count * blksize) {
      state.stage = 'committing';
      state.ackHeld = false;
      this.timer.disarm();
      return this.outbox.emit({ type: 'end' });
    }
    if (state.inWindow < state.options.windowsize) return this.timer.arm(now);
    if (state.outstanding <= MAX_OUTSTANDING) return this.#ack(state, now, '');
    state.ackHeld = true;
    this.timer.disarm();
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
   * A block that we have. In lock-step it means that our ACK was lost, and the ACK is repeated. In
   * windows it may as well be what is left of a window that was sent twice for another reason, with
   * new blocks behind it. An ACK would then have yet another window sent twice, and so on for ever: so
   * it waits until the window has passed and nothing new came. One ACK answers each repetition.
   */
  #handleRepeated(state: Receiving, packet: DataPacket, now: number): void {
    const position = state.last - distanceBack(state.last, packet.block, state.options.rollover);
    const begins = position <= state.repeated;
    state.repeated = position;
    this.recorder.received(now, 'DATA', packet.block, packet.payload.length, 'repeated');
    if (!begins || state.stage === 'committing' || state.ackHeld) return;
    if (state.stage === 'receiving' && state.options.windowsize > 1) {
      state.repeatAckAt ??= now + REPEAT_DELAY;
      return;
    }
    this.#ack(state, now, 'again');
    if (state.stage === 'dallying') this.#dally(now);
  }

  #ack(state: Receiving, now: number, note: string): void {
    const block = toWire(state.last, state.options.rollover);
    state.ackedAt = note === '' ? now : undefined;
    state.inWindow = 0;
    state.repeatAckAt = undefined;
    this.recorder.sent(now, 'ACK', block, 0, note);
    this.outbox.send(encode({ type: 'ACK', block }));
    if (state.stage === 'receiving') this.timer.arm(now);
  }

  #dally(now: number): void {
    this.#dallyUntil = now + Math.min(MAX_DALLY, DALLY_TIMEOUTS * this.policy.timeout);
  }
}
