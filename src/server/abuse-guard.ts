/**
 * How much the server sends to addresses that may be forged. Whoever sends a request in somebody
 * else's name makes us send to that somebody. So answers that are larger than their request have a
 * budget for each host. Answers that are no larger need none: the forger could send as much himself.
 * They have none, because otherwise a forger could use up the budget and so lock a host out.
 */

import { OPENING_SENDS } from '../transfer/retry-policy';
import { RateLimiter } from './rate-limiter';

/** ERROR packets with their whole text, and told as events. No honest site comes near it. */
const ERRORS = { perSecond: 50, burst: 1000 };

/** The largest block without options, with its header (RFC 1350 section 5). */
const PLAIN_BLOCK = 516;
/** Bytes that a host which answers nothing gets each second, in the long run: 15 first blocks. */
const UNANSWERED_PER_SECOND = 8 * 1024;
/** So many transfers, at least, may begin for a host before the first answer. */
const UNANSWERED_TRANSFERS = 100;

/** An answer of so many bytes is never larger than its request in a way that matters: the headers of IPv4 and UDP have 28. */
const SMALL = 64;

/** The rate of requests is exceeded only by more than come in so many seconds. */
const BURST_SECONDS = 4;

/** Requests over the rate of one host that are looked at at the same time: a slow storage gets no more. */
const EXTRA_REQUESTS = 8;

/** The sizes of a request and of the first packet that answers it, in bytes. */
export interface AnswerSizes {
  readonly request: number;
  readonly answer: number;
}

export class AbuseGuard {
  readonly #requests: RateLimiter | undefined;
  readonly #errors = new RateLimiter(ERRORS);
  readonly #unanswered: RateLimiter;
  /** Requests over the rate whose file is being opened, by host. */
  readonly #extra = new Map<string, number>();

  /**
   * @param options.requestRate requests per second and host, 0 for no limit.
   * @param options.maxPerHost at least so many transfers may begin before the first answer.
   */
  constructor(options: { readonly requestRate: number; readonly maxPerHost: number }) {
    const { requestRate, maxPerHost } = options;
    if (requestRate > 0) {
      const burst = Math.max(1, BURST_SECONDS * requestRate);
      this.#requests = new RateLimiter({ perSecond: requestRate, burst });
    }
    const transfers = Math.max(UNANSWERED_TRANSFERS, maxPerHost);
    const burst = transfers * OPENING_SENDS * PLAIN_BLOCK;
    this.#unanswered = new RateLimiter({ perSecond: UNANSWERED_PER_SECOND, burst });
  }

  /** Counts a request. False if the host has sent too many: then it gets one small answer for each, see `beginExtra`. */
  isWithinRate(key: string, now: number): boolean {
    return this.#requests?.take(key, now) ?? true;
  }

  /** Whether one request over the rate may be looked at. If true, `endExtra` is called when that is done. */
  beginExtra(key: string): boolean {
    const running = this.#extra.get(key) ?? 0;
    if (running >= EXTRA_REQUESTS) return false;
    this.#extra.set(key, running + 1);
    return true;
  }

  endExtra(key: string): void {
    const running = (this.#extra.get(key) ?? 1) - 1;
    if (running > 0) this.#extra.set(key, running);
    else this.#extra.delete(key);
  }

  /** Whether an ERROR may have its whole text and be told as an event. Else it is cut to the size of its request. */
  mayExplain(key: string, now: number): boolean {
    return this.#errors.take(key, now);
  }

  /**
   * How often a first packet may be sent until the client answers: 3 times, once for each request, or
   * not at all.
   *
   * @param withinRate false for one of too many requests.
   */
  openingSends(
    key: string,
    { request, answer }: AnswerSizes,
    withinRate: boolean,
    now: number,
  ): number {
    const excess = Math.max(0, OPENING_SENDS * answer - request);
    if (withinRate && this.#unanswered.take(key, now, excess)) return OPENING_SENDS;
    if (answer <= Math.max(request, SMALL)) return 1;
    return this.#unanswered.take(key, now, answer) ? 1 : 0;
  }

  /** The host has answered: it is real, and gets what it asks for. */
  answered(key: string): void {
    this.#unanswered.refill(key);
    this.#errors.refill(key);
  }
}
