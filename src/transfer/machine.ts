/** What `Sender` and `Receiver` have in common: the opening, the timeouts, the ERROR packets, the end. */

import { encode } from '../protocol/encode';
import { PeerError, TimeoutError } from '../protocol/errors';
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

/** A transfer's outer life: opening, running, finished. */
export abstract class Machine implements Transfer {
  readonly stats: TransferStats = { bytes: 0, retransmits: 0, duplicates: 0, stalls: 0 };
  protected readonly policy: RetryPolicy;
  protected readonly recorder: FlightRecorder;
  protected readonly outbox = new Outbox();
  protected readonly timer: RetryTimer;
  #phase: Phase;
  /** True once the peer has answered us: from then on it is no forged address. */
  #answered = false;
  /** How often the first packet was sent to a peer that has not answered. */
  #firstSends = 0;

  constructor(opening: Opening, policy: RetryPolicy, recorder: FlightRecorder) {
    this.policy = policy;
    this.recorder = recorder;
    this.timer = new RetryTimer(policy);
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
    return attempt === 0 || this.finished ? undefined : { attempt, retries: this.policy.retries };
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
    if (this.#exhausted) return this.handleSilence(now);
    this.outbox.emit({ type: 'retry', ...this.silence! });
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
  /** All retries are used up. */
  protected handleSilence(now: number): void {
    const after = this.#answered ? ` after ${this.stats.bytes} bytes` : '';
    const message = this.#answered ? `The peer fell silent${after}` : 'The peer did not answer';
    this.recorder.note(now, `gave up after ${this.timer.attempt} timeouts`);
    const error = new TimeoutError(message);
    if (this.#answered) this.abort(error, now);
    else this.fail(error);
  }

  /** Something valid came from the peer, so it exists and wants this transfer. */
  protected peerAnswered(): void {
    this.#answered = true;
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
  get #exhausted(): boolean {
    const forgeable = this.#phase.name !== 'opening' || !this.#phase.opening.persistent;
    if (!this.#answered && forgeable) return this.#firstSends >= this.policy.openingSends;
    return this.timer.attempt > this.policy.retries;
  }

  #begin(options: NegotiatedOptions, now: number): void {
    this.#phase = { name: 'running' };
    this.timer.negotiate(options.timeout);
    this.outbox.emit({ type: 'negotiated', options });
    this.begin(options, now);
  }

  /** ERROR ends a transfer at once and is never answered (RFC 1350 section 7), but for the one retry without options. */
  #handleError(packet: ErrorPacket, now: number): void {
    this.recorder.received(now, `ERROR ${packet.code}`, undefined, 0, packet.message);
    const phase = this.#phase;
    const retry = phase.name === 'opening' && packet.code === 8 && phase.opening.withoutOptions();
    if (!retry) {
      this.peerAnswered();
      return this.fail(new PeerError(packet.code, packet.message));
    }
    this.#phase = { name: 'opening', opening: retry };
    this.timer.progress();
    this.#sendOpening(retry, now);
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
