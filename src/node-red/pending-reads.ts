/** Read requests that wait for the flow to answer them. */

import { randomUUID } from 'node:crypto';
import { systemClock } from '../net/clock';
import { LocalError } from '../protocol/errors';
import { RecentMap } from '../server/recent-map';
import { toTftpError } from './messages';
import type { Clock } from '../net/clock';
import type { TftpError } from '../protocol/errors';
import type { DataSource } from '../storage/storage';

/** So many ended requests are remembered, to tell whoever answers them why that comes to nothing. */
const MEMORY = 1000;

/** Opens a file of the server that asks, by the name that a client would use. */
export type OpenByName = (name: string) => Promise<DataSource>;

/** What a server asks of the flow. */
export interface Question {
  /** How long the flow may think, in milliseconds. */
  readonly timeout: number;
  /** Aborted, with a `TftpError`, when nobody waits for the answer any more. */
  readonly signal: AbortSignal | undefined;
  readonly openByName: OpenByName;
}

interface PendingRead {
  readonly openByName: OpenByName;
  readonly resolve: (source: DataSource) => void;
  readonly reject: (error: TftpError) => void;
  /** Stops waiting for the deadline and for the client. */
  readonly release: () => void;
  /** True once an answer has come, which may still have to be opened. */
  answered: boolean;
}

/** The requests that wait, by id. Each is answered once, whatever happens first. */
export class PendingReads {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, PendingRead>();
  readonly #ended = new RecentMap<string, LocalError>(MEMORY);

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** How many requests wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /**
   * Asks the flow, and waits for what it answers.
   *
   * @param tell is called at once, with the id by which the flow answers.
   * @throws {LocalError} ENOANSWER if the flow does not answer in time.
   * @throws {TftpError} the flow's refusal, why its answer cannot be opened, or the signal's reason.
   */
  ask({ timeout, signal, openByName }: Question, tell: (id: string) => void): Promise<DataSource> {
    const id = randomUUID();
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(timeout, () => this.#expire(id, timeout));
      const abort = (): void => this.#abandon(id, toTftpError(signal?.reason));
      const release = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', abort);
      };
      this.#waiting.set(id, { openByName, resolve, reject, release, answered: false });
      signal?.addEventListener('abort', abort);
      if (signal?.aborted) abort();
      else tell(id);
    });
  }

  /**
   * Answers a request with what `open` gives. The client is told if that cannot be opened.
   *
   * @throws {TftpError} if it cannot be opened, or if the request does not wait for an answer: it is
   * not known, was answered already, or has ended. What was opened in vain is closed.
   */
  async answer(id: string, open: (openByName: OpenByName) => Promise<DataSource>): Promise<void> {
    const read = this.#claim(id);
    try {
      const source = await open(read.openByName);
      if (this.#end(id, alreadyAnswered())) return read.resolve(source);
      await source.close();
    } catch (thrown) {
      const error = toTftpError(thrown);
      if (this.#end(id, alreadyAnswered())) read.reject(error);
      throw error;
    }
    throw this.#endOf(id);
  }

  /**
   * Refuses a request: the client gets the error's code and text.
   *
   * @throws {LocalError} if the request does not wait for an answer.
   */
  refuse(id: string, error: TftpError): void {
    const read = this.#claim(id);
    this.#end(id, alreadyAnswered());
    read.reject(error);
  }

  #claim(id: string): PendingRead {
    const read = this.#waiting.get(id);
    if (read === undefined) throw this.#endOf(id);
    if (read.answered) throw alreadyAnswered();
    read.answered = true;
    return read;
  }

  #expire(id: string, timeout: number): void {
    const read = this.#waiting.get(id);
    const late = `The answer is too late: the tftp server waited for ${timeout / 1000} seconds. Answer sooner, or increase "Wait"`;
    if (this.#end(id, new LocalError('ENOANSWER', late))) {
      read?.reject(new LocalError('ENOANSWER', 'The flow did not answer in time'));
    }
  }

  #abandon(id: string, reason: TftpError): void {
    const read = this.#waiting.get(id);
    const gone = `The client is no longer waiting: ${reason.message}`;
    if (this.#end(id, new LocalError('ECANCELED', gone))) read?.reject(reason);
  }

  /** False if the request has ended before. */
  #end(id: string, reason: LocalError): boolean {
    const read = this.#waiting.get(id);
    if (read === undefined) return false;
    read.release();
    this.#waiting.delete(id);
    this.#ended.set(id, reason);
    return true;
  }

  #endOf(id: string): LocalError {
    return this.#ended.get(id) ?? unknownRequest();
  }
}

function alreadyAnswered(): LocalError {
  return new LocalError(
    'EINVAL',
    'This request was already answered: answer each request only once',
  );
}

function unknownRequest(): LocalError {
  const message = 'No pending request matches this answer: pass msg._session through unchanged';
  return new LocalError('EINVAL', message);
}

/** The requests of all servers in this Node-RED. */
export const pendingReads = new PendingReads();
