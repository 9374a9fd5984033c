/** What `Sender` and `Receiver` have in common: the opening, the timeouts, the ERROR packets, the end. */

import { encode } from '../protocol/encode';
import { PeerError, TimeoutError, errorText } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { NegotiatedOptions } from '../protocol/options';
import type { ErrorPacket, TransferPacket } from '../protocol/packet';
import type { FlightRecorder } from './flight-recorder';
import type { Opening } from './opening';
import { Outbox } from './outbox';
import { RetryTimer } from './retry-policy';
import type { RetryPolicy } from './retry-policy';
import type { Transfer, TransferEvent, TransferStats, Transmit } from './transfer';

/** `running` is what a subclass fills with states of its own. */
type Phase =
  | { readonly name: 'opening'; readonly opening: Opening }
  | { readonly name: 'running' }
  | { readonly name: 'finished' };

/** The ERROR codes with which servers answer options that they do not know. Others are about the file. */
const REFUSES_OPTIONS: readonly number[] = [0, 2, 4, 8];

/** How a request ended that nobody answered. */
const NO_ANSWER = 'no answer';

/** A transfer's outer life: opening, running, finished. */
export abstract class Machine implements Transfer {
  readonly stats: TransferStats = { bytes: 0, retransmits: 0, duplicates: 0, stalls: 0 };
  protected readonly policy: RetryPolicy;
  protected readonly opening: Opening;
  protected readonly recorder: FlightRecorder;
  protected readonly outbox = new Outbox();
  protected readonly timer: RetryTimer;
  #phase: Phase;
  /** True once the peer has answered us: from then on it is no forged address. */
  #answered = false;
  /** How often the first packet was sent to a peer that has not answered. */
  #firstSends = 0;
  /** How the first request ended, if there was a second one, which had no options. */
  #firstRequest: string | undefined;

  constructor(opening: Opening, policy: RetryPolicy, recorder: FlightRecorder) {
    this.policy = policy;
    this.opening = opening;
    this.recorder = recorder;
    this.timer = new RetryTimer(policy);
    this.timer.halfOpen = !opening.persistent;
    this.timer.negotiate(opening.options);
    this.#phase = { name: 'opening', opening };
  }

  get finished(): boolean {
    return this.#phase.name === 'finished';
  }

  /** True once the peer has answered us: it is no forged address. */
  get answered(): boolean {
    return this.#answered;
  }

  /** How often something was repeated since the peer last told anything new; undefined if nothing was. */
  get silence(): { readonly attempt: number; readonly retries: number } | undefined {
    const { attempt } = this.timer;
    return attempt === 0 || this.finished ? undefined : { attempt, retries: this.timer.retries };
  }

  start(now: number): void {
    const phase = this.#phase;
    if (phase.name !== 'opening' || this.#firstSends > 0) return;
    if (phase.opening.first === undefined) this.#begin(phase.opening.options, now);
    else this.#sendOpening(phase.opening, now);
  }

  /** True if this packet would answer the opening: whoever sent it is the peer from then on (RFC 1350 section 4). */
  isAnswer(packet: TransferPacket): boolean {
    return this.#phase.name === 'opening' && this.#phase.opening.answer(packet).type !== 'ignore';
  }

  handlePacket(packet: TransferPacket, now: number): void {
    const phase = this.#phase;
    if (phase.name === 'finished') return;
    if (packet.type === 'ERROR') return this.#handleError(packet, now);
    if (phase.name === 'running') return this.handleRunning(packet, now);

    const answer = phase.opening.answer(packet);
    if (answer.type === 'ignore') return this.ignore(packet, now, 'no answer to the opening');
    this.peerAnswered();
    if (packet.type !== 'DATA') this.recorder.received(now, packet.type, blockOf(packet), 0, '');
    if (answer.type === 'fail') {
      if (answer.options) this.outbox.emit({ type: 'negotiated', options: answer.options });
      return this.abort(answer.error, now);
    }
    this.timer.progress();
    this.timer.disarm();
    this.#begin(answer.options, now);
    this.handleFirst(packet, now);
  }

  handleTimeout(now: number): void {
    if (this.finished || !this.timer.expired(now)) return;
    if (this.timer.exhausted(now)) return this.handleSilence(now);
    if (this.#onlyListens) return this.timer.listen();
    this.outbox.emit({ type: 'retry', ...this.silence! });
    if (this.timer.attempt > this.timer.retries / 2) this.#dropOptions(NO_ANSWER, now);
    this.#sendAgain(now);
  }

  repeatLast(now: number): void {
    if (this.finished || this.#answered) return;
    if (this.#firstSends < this.policy.openingSends) this.#sendAgain(now);
  }

  abort(error: TftpError, now: number): void {
    if (this.finished) return;
    const datagram = encode({ type: 'ERROR', code: error.tftpCode, message: error.peerMessage });
    this.recorder.sent(now, `ERROR ${error.tftpCode}`, undefined, datagram.length, error.message);
    this.outbox.send(datagram);
    this.fail(error);
  }

  handleUnreachable(error: TftpError, now: number): void {
    if (this.finished) return;
    this.recorder.note(now, 'port unreachable');
    this.fail(error);
  }

  nextTimeout(): number | undefined {
    return this.timer.deadline;
  }

  pollTransmit(): Transmit | undefined {
    return this.outbox.pollTransmit();
  }

  pollEvent(): TransferEvent | undefined {
    return this.outbox.pollEvent();
  }

  /** The options are settled: set up what comes next. */
  protected abstract begin(options: NegotiatedOptions, now: number): void;
  /** Takes the packet that answered the opening, after `begin`. */
  protected abstract handleFirst(packet: TransferPacket, now: number): void;
  /** Takes a packet, no ERROR, after the opening. */
  protected abstract handleRunning(packet: TransferPacket, now: number): void;
  /** Repeats what the peer may not have got, after the opening. */
  protected abstract sendAgain(now: number): void;
  /** What is to be said of a peer that fell silent. */
  protected get silenceText(): string {
    return `The peer fell silent after ${this.stats.bytes} bytes`;
  }

  /** The patience is used up. */
  protected handleSilence(now: number): void {
    this.recorder.note(now, `gave up after ${this.timer.attempt} timeouts`);
    if (this.#answered) this.abort(new TimeoutError(this.silenceText), now);
    else this.fail(new TimeoutError(`The peer did not answer${this.#secondRequest}`));
  }

  /** Something valid came from the peer, so it exists and wants this transfer. */
  protected peerAnswered(): void {
    this.#answered = true;
    this.timer.halfOpen = false;
  }

  /** To be called for each first packet, the opening or DATA 1, until the peer has answered. */
  protected countFirstSend(): void {
    if (!this.#answered) this.#firstSends += 1;
  }

  protected ignore(packet: TransferPacket, now: number, why: string): void {
    this.stats.duplicates += 1;
    this.recorder.received(now, packet.type, blockOf(packet), 0, `${why}, ignored`);
  }

  protected fail(error: TftpError): void {
    this.outbox.emit({ type: 'failed', error });
    this.finish();
  }

  protected finish(): void {
    this.timer.disarm();
    this.#phase = { name: 'finished' };
  }

  /** A peer that never answered gets the first packet `openingSends` times in all; our own request is ours to repeat. */
  get #onlyListens(): boolean {
    if (this.#answered || this.opening.persistent) return false;
    return this.#firstSends >= this.policy.openingSends;
  }

  #begin(options: NegotiatedOptions, now: number): void {
    this.#phase = { name: 'running' };
    this.timer.negotiate(options);
    this.outbox.emit({ type: 'negotiated', options });
    this.begin(options, now);
  }

  /** ERROR ends a transfer at once and is never answered (RFC 1350 section 7), but for the one retry without options. */
  #handleError({ code, message }: ErrorPacket, now: number): void {
    this.recorder.received(now, `ERROR ${code}`, undefined, 0, message);
    const text = message || errorText(code);
    const answer = `ERROR ${code} "${text}"`;
    if (REFUSES_OPTIONS.includes(code) && this.#dropOptions(answer, now)) {
      this.timer.progress();
      return this.#sendAgain(now);
    }
    // The same answer twice has nothing to do with the options.
    const isOther = this.#phase.name === 'opening' && answer !== this.#firstRequest;
    this.peerAnswered();
    this.fail(new PeerError(code, isOther ? `${text}${this.#secondRequest}` : text));
  }

  /** What a failure says of the second request. */
  get #secondRequest(): string {
    const first = this.#firstRequest;
    if (first === NO_ANSWER && !this.#answered) return ', with options or without';
    return first === undefined ? '' : ` (asked again without options after ${first})`;
  }

  /** Some servers know no options, and refuse a request that has some, or ignore it. True if there were any to drop. */
  #dropOptions(why: string, now: number): boolean {
    const plain = this.#phase.name === 'opening' && this.#phase.opening.withoutOptions();
    if (!plain) return false;
    this.#phase = { name: 'opening', opening: plain };
    this.#firstRequest = why;
    this.recorder.note(now, `asks again without options after ${why}`);
    return true;
  }

  #sendAgain(now: number): void {
    if (this.#phase.name === 'opening') this.#sendOpening(this.#phase.opening, now);
    else this.sendAgain(now);
  }

  #sendOpening(opening: Opening, now: number): void {
    const { type, datagram } = opening.first!;
    const again = this.#firstSends > 0;
    if (again) this.stats.retransmits += 1;
    this.countFirstSend();
    this.recorder.sent(now, type, undefined, datagram.length, again ? 'again' : '');
    this.outbox.send(datagram);
    this.timer.arm(now);
  }
}

function blockOf(packet: TransferPacket): number | undefined {
  return 'block' in packet ? packet.block : undefined;
}
