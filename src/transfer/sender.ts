/** The machine that sends a file in windows (RFC 1350, RFC 7440). */

import { distance } from '../protocol/block-number';
import { DATA_HEADER } from '../protocol/constants';
import { LocalError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { NegotiatedOptions } from '../protocol/options';
import type { TransferPacket } from '../protocol/packet';
import { Machine } from './machine';
import { SendWindow } from './send-window';
import type { BlockRun } from './send-window';

/**
 * How many bytes are asked for at first, and at most, unless two windows are more. A transfer that
 * has just begun holds little memory, as hundreds may begin at once and some never go on; one that
 * goes on asks for twice as much each time.
 */
const FIRST_PIECE = 2 * 1024;
const LARGEST_PIECE = 128 * 1024;

/**
 * How long an ACK that may be one for each block is looked at before it counts as the report of a gap,
 * in milliseconds.
 */
const GAP_DELAY = 10;
/** If so many ACKs more follow in that time, the receiver acknowledges each block. */
const ENOUGH_ACKS = 3;
/** So many ACKs in a row that are equally far apart, and less than a window, come from no gaps either. */
const EVEN_STEPS = 6;

/** What is said where nobody knows whether the last blocks of a put have arrived. It goes on the wire too. */
const UNCONFIRMED = 'the last block was not acknowledged';
const UNCERTAIN = 'The last block was not acknowledged: the file may or may not be on the server';

/** What is only known while blocks are being sent. Positions count from 1. */
interface Sending {
  readonly options: NegotiatedOptions;
  readonly window: SendWindow;
  /** The first block that is not acknowledged. */
  base: number;
  /** The block to send next. */
  next: number;
  /** The first block that must wait for an ACK. */
  windowEnd: number;
  /** The last block that was ever sent. */
  highest: number;
  /** The base at which a duplicate ACK has already led to a rewind. */
  rewoundAt: number;
  /** When the last ACK counts as the report of a gap, unless another one comes before. */
  rewindAt: number | undefined;
  /** How many ACKs have come since one may have been such a report. */
  followers: number;
  /** What the receiver acknowledges: windows, or blocks inside of them as well. */
  acknowledges: 'unknown' | 'windows' | 'blocks';
  /** How many blocks the last ACK inside of a window was ahead of the one before, and how often so in a row. */
  step: number;
  evenSteps: number;
  /** The block whose first sending, at a time, lets its ACK measure the round trip; 0 for none. */
  timed: number;
  timedAt: number;
  /** True between `need-data` and its answer. */
  asked: boolean;
  /** How many bytes are asked for. */
  piece: number;
}

/** Sends what is pushed into it. See `Transfer` for how to drive it. */
export class Sender extends Machine {
  #sending: Sending | undefined;

  /** Takes the next bytes of the file, in answer to `need-data`. They are copied. */
  push(chunk: Uint8Array, now: number): void {
    const state = this.#sending;
    if (state === undefined || this.finished) return;
    state.asked = false;
    if (chunk.length >= state.piece)
      state.piece = Math.max(state.piece, Math.min(2 * state.piece, LARGEST_PIECE));
    state.window.push(chunk);
    this.#fill(state, now, '');
  }

  /** The file has no more bytes: the other answer to `need-data`. */
  end(now: number): void {
    const state = this.#sending;
    if (state === undefined || this.finished || state.window.last !== undefined) return;
    state.window.end();
    this.#fill(state, now, '');
  }

  /** True if all has been sent and only the ACK of the last block is missing. */
  get awaitsLastAck(): boolean {
    const state = this.#sending;
    return (
      !this.finished && this.answered && state !== undefined && state.base === state.window.last
    );
  }

  protected override begin(options: NegotiatedOptions, now: number): void {
    this.#sending = {
      options,
      window: new SendWindow(options.blksize, options.rollover),
      base: 1,
      next: 1,
      windowEnd: 1 + options.windowsize,
      highest: 0,
      rewoundAt: 0,
      rewindAt: undefined,
      followers: 0,
      acknowledges: 'unknown',
      step: 0,
      evenSteps: 0,
      timed: 0,
      timedAt: 0,
      asked: false,
      piece: Math.max(FIRST_PIECE, 2 * options.windowsize * options.blksize),
    };
    this.#fill(this.#sending, now, '');
  }

  protected override handleFirst(): void {
    // The OACK or ACK 0 that answered the opening has said all: the window is open.
  }

  protected override handleRunning(packet: TransferPacket, now: number): void {
    if (packet.type === 'ACK') this.#handleAck(this.#sending!, packet.block, now);
    else this.ignore(packet, now, packet.type === 'OACK' ? 'repeated' : 'unexpected');
  }

  /**
   * Repeats the window. Until a block has been acknowledged only one block is repeated, so that a
   * forged request with a forged ACK 0 draws one window and no more.
   */
  protected override sendAgain(now: number): void {
    const state = this.#sending!;
    this.stats.stalls += 1;
    state.rewindAt = undefined;
    state.followers = 0;
    if (state.acknowledges === 'blocks') state.acknowledges = 'unknown';
    state.evenSteps = 0;
    state.next = state.base;
    state.windowEnd = state.base + (state.base === 1 ? 1 : state.options.windowsize);
    state.timed = 0;
    this.#fill(state, now, 'again');
  }

  override handleTimeout(now: number): void {
    const state = this.#sending;
    const { deadline = Infinity } = this.timer;
    if (state?.rewindAt === undefined || now < state.rewindAt || now >= deadline) {
      return super.handleTimeout(now);
    }
    this.#restartWindow(state, now, 'again');
  }

  override nextTimeout(): number | undefined {
    const rewindAt = this.#sending?.rewindAt;
    const timeout = super.nextTimeout();
    // The timer runs as long as blocks are in flight.
    return rewindAt === undefined || timeout === undefined ? timeout : Math.min(rewindAt, timeout);
  }

  override handleUnreachable(error: TftpError, now: number): void {
    if (this.#endsWithoutLastAck(now)) return;
    if (this.finished || !this.#unconfirmed) return super.handleUnreachable(error, now);
    this.recorder.note(now, UNCONFIRMED);
    const message = `${error.message}. ${UNCERTAIN}`;
    super.handleUnreachable(new LocalError(error.code, message, { cause: error }), now);
  }

  protected override handleSilence(now: number): void {
    if (this.#endsWithoutLastAck(now)) return;
    if (this.#unconfirmed) this.recorder.note(now, UNCONFIRMED);
    super.handleSilence(now);
  }

  protected override get silenceText(): string {
    return this.#unconfirmed ? UNCERTAIN : super.silenceText;
  }

  /** True if all has been sent to a server, which may or may not have it. */
  get #unconfirmed(): boolean {
    const state = this.#sending;
    const isPut = !this.opening.lastAckOptional;
    return isPut && state !== undefined && state.highest === state.window.last;
  }

  /**
   * Many boot ROMs never acknowledge the last block: they have what they want, and close their port.
   * That is known of a client that has acknowledged what came before, and of no other.
   */
  #endsWithoutLastAck(now: number): boolean {
    const state = this.#sending;
    if (!this.opening.lastAckOptional || this.finished || state === undefined) return false;
    if (!this.answered || state.base !== state.window.last) return false;
    this.recorder.note(now, 'the last block was never acknowledged');
    this.stats.bytes = state.window.bytesUpTo(state.base);
    this.#done(false);
    return true;
  }

  /** RFC 1350 section 2 and RFC 7440 section 4: an ACK names the last block received in order. */
  #handleAck(state: Sending, wire: number, now: number): void {
    const ahead = distance(state.base - 1, wire, state.options.rollover);
    const position = ahead === undefined ? Infinity : state.base - 1 + ahead;
    if (position > state.highest) {
      this.stats.duplicates += 1;
      return this.recorder.received(now, 'ACK', wire, 0, 'stale, ignored');
    }
    this.peerAnswered();
    if (position < state.base) return this.#handleDuplicateAck(state, wire, now);

    const step = position - (state.base - 1);
    const note = position === state.highest ? '' : judgeAckInside(state, step);
    if (step > 1 && state.acknowledges === 'unknown') state.acknowledges = 'windows';
    this.recorder.received(now, 'ACK', wire, 0, note);
    if (state.timed > 0 && position >= state.timed) {
      this.timer.measure(now - state.timedAt);
      state.timed = 0;
    }
    this.timer.progress();
    this.timer.disarm();
    this.stats.bytes = state.window.bytesUpTo(position);
    state.window.release(position);
    if (position === state.window.last) return this.#done(true);
    state.base = position + 1;
    // After a timeout less than what was acknowledged now may have been sent again.
    state.next = Math.max(state.next, state.base);
    if (note === '' || note === 'rewinds') return this.#restartWindow(state, now, '');
    this.timer.arm(now);
    if (note === 'may rewind') state.rewindAt = now + GAP_DELAY;
    else this.#slideWindow(state, now);
  }

  /** The blocks in flight stay there, and as many follow as have been acknowledged. */
  #slideWindow(state: Sending, now: number): void {
    state.rewindAt = undefined;
    state.windowEnd = state.base + state.options.windowsize;
    this.#fill(state, now, '');
  }

  /**
   * A receiver that finds a gap repeats the ACK of the last block in order (RFC 7440 section 4). In
   * lock-step there are no gaps, and answering every repeated ACK would double all traffic from there
   * on: the Sorcerer's Apprentice (RFC 1123 section 4.2.3.1). One rewind for each base is enough.
   */
  #handleDuplicateAck(state: Sending, wire: number, now: number): void {
    this.stats.duplicates += 1;
    const rewinds = state.options.windowsize > 1 && state.rewoundAt !== state.base;
    this.recorder.received(now, 'ACK', wire, 0, rewinds ? 'repeated, rewinds' : 'repeated');
    if (!rewinds) return;
    state.rewoundAt = state.base;
    if (state.acknowledges === 'blocks') state.rewindAt = now + GAP_DELAY;
    else this.#restartWindow(state, now, 'again');
  }

  /** The receiver counts its window from its last ACK on, so a whole one follows from `base`. */
  #restartWindow(state: Sending, now: number, note: string): void {
    if (state.highest >= state.base) state.timed = 0;
    state.rewindAt = undefined;
    state.followers = 0;
    state.next = state.base;
    state.windowEnd = state.base + state.options.windowsize;
    this.#fill(state, now, note);
  }

  /** Sends what the window has room for, and asks for more data before it is needed. */
  #fill(state: Sending, now: number, note: string): void {
    const before = state.next;
    while (state.next < state.windowEnd) {
      const run = state.window.run(state.next, state.windowEnd - state.next);
      if (run === undefined) break;
      this.outbox.sendRun(run);
      this.#countRun(state, run, now, note);
    }
    if (state.next > before) this.timer.arm(now);

    if (!state.asked && this.#runsShort(state)) {
      state.asked = true;
      this.outbox.emit({ type: 'need-data', bytes: state.piece });
    }
  }

  /** True if the next window is not ready, or soon will not be: then there is time to fetch it. */
  #runsShort({ window, next, options, piece }: Sending): boolean {
    if (window.last !== undefined) return false;
    const ready = window.available - (next - 1);
    if (ready < options.windowsize) return true;
    return piece >= LARGEST_PIECE && ready * options.blksize < piece / 4;
  }

  /** Keeps the books of the blocks that go out at `next`. */
  #countRun(state: Sending, run: BlockRun, now: number, note: string): void {
    const first = state.next;
    const last = first + run.count - 1;
    this.countFirstSend();
    this.stats.retransmits += Math.max(0, Math.min(last, state.highest) - first + 1);
    if (last > state.highest) {
      state.highest = last;
      if (state.acknowledges !== 'blocks' || state.timed === 0) {
        state.timed = last;
        state.timedAt = now;
      }
    }
    state.next = last + 1;
    this.recorder.sent(now, 'DATA', first, run.segmentSize - DATA_HEADER, note, last);
  }

  #done(finalAck: boolean): void {
    this.outbox.emit({ type: 'done', finalAck });
    this.finish();
  }
}

/**
 * An ACK inside of the window reports a gap, and the blocks behind it have to be sent again (RFC 7440
 * section 4); or the receiver acknowledges each block, and nothing is missing. Only at first is that
 * not known: a gap is reported once, and is mostly not right behind the first block. So that ACK is
 * looked at for a moment: more that follow, before anything was sent again, tell that it was no gap.
 */
function judgeAckInside(state: Sending, step: number): 'rewinds' | 'may rewind' | 'no gap' {
  state.evenSteps = step === state.step ? state.evenSteps + 1 : 1;
  state.step = step;
  if (state.rewindAt !== undefined) state.followers += 1;
  if (state.followers === ENOUGH_ACKS || state.evenSteps === EVEN_STEPS) {
    state.acknowledges = 'blocks';
  }
  if (state.acknowledges === 'blocks') return 'no gap';
  if (state.rewindAt !== undefined) return 'may rewind';
  return step === 1 && state.acknowledges === 'unknown' ? 'may rewind' : 'rewinds';
}
