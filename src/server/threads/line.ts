/** A line between two threads: calls that want an answer, and calls that want none. */

import { receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort, TransferListItem } from 'node:worker_threads';
import { LocalError } from '../../protocol/errors';
import { packError, unpackError } from './packed-error';
import type { PackedError } from './packed-error';

/** A result some of whose memory or files move to the other side. */
export class Moving<T> {
  constructor(
    readonly value: T,
    readonly parts: readonly TransferListItem[],
  ) {}
}

type Call = (...args: readonly unknown[]) => unknown;
type ArgumentsOf<F> = F extends (...args: infer A) => unknown ? A : never;
type Unmoved<T> = T extends Moving<infer V> ? V : T;
type AnswerOf<F> = F extends (...args: never[]) => infer R ? Unmoved<Awaited<R>> : never;

type Message =
  | { readonly call: string; readonly args: readonly unknown[]; readonly id?: number }
  | { readonly answer: number; readonly value?: unknown; readonly error?: PackedError };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One end of a line. `Theirs` is what the other end can be called for. */
export class Line<Theirs extends object> {
  readonly #port: MessagePort;
  readonly #handlers: object;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #closed = false;

  /**
   * @param handlers what this end can be called for. Only those that reject may fail.
   * @param onClose is told when either end is closed.
   */
  constructor(port: MessagePort, handlers: object, onClose: () => void = () => undefined) {
    this.#port = port;
    this.#handlers = handlers;
    port.on('message', (message: Message) => this.#handle(message));
    port.once('close', () => {
      this.#closed = true;
      this.#giveUp();
      onClose();
    });
  }

  /** Calls the other end, and waits for nothing. */
  tell<K extends keyof Theirs & string>(
    call: K,
    args: ArgumentsOf<Theirs[K]>,
    parts: readonly TransferListItem[] = [],
  ): void {
    this.#post({ call, args }, parts);
  }

  /**
   * Calls the other end.
   *
   * @throws what the other end throws, or `LocalError` EIO if the line is closed.
   */
  ask<K extends keyof Theirs & string>(
    call: K,
    args: ArgumentsOf<Theirs[K]>,
    parts: readonly TransferListItem[] = [],
  ): Promise<AnswerOf<Theirs[K]>> {
    const id = (this.#count += 1);
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.#closed) return reject(lineClosed());
      this.#waiting.set(id, { resolve, reject });
      this.#post({ call, args, id }, parts);
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends have one interface
    return answer as Promise<AnswerOf<Theirs[K]>>;
  }

  /** Handles what has come, without waiting for the event loop. */
  drain(): void {
    // A port that is closed must not be asked: that ends the process.
    while (!this.#closed) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      const message: Message = received.message;
      this.#handle(message);
    }
  }

  /** Calls that wait for an answer are rejected. Extra calls do nothing. */
  close(): void {
    this.#closed = true;
    this.#port.close();
    this.#giveUp();
  }

  #handle(message: Message): void {
    if (this.#closed) return;
    if ('answer' in message) return this.#answered(message);
    const { call, args, id } = message;
    if (id === undefined) return void this.#run(call, args);
    void this.#reply(id, call, args);
  }

  async #reply(id: number, call: string, args: readonly unknown[]): Promise<void> {
    try {
      const result = await this.#run(call, args);
      if (result instanceof Moving) this.#post({ answer: id, value: result.value }, result.parts);
      else this.#post({ answer: id, value: result }, []);
    } catch (error) {
      this.#post({ answer: id, error: packError(error) }, []);
    }
  }

  #run(call: string, args: readonly unknown[]): unknown {
    const handler: Call = Reflect.get(this.#handlers, call);
    return handler(...args);
  }

  #answered({ answer, value, error }: Extract<Message, { answer: number }>): void {
    const waiting = this.#waiting.get(answer);
    this.#waiting.delete(answer);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(unpackError(error));
  }

  #post(message: Message, parts: readonly TransferListItem[]): void {
    if (!this.#closed) this.#port.postMessage(message, parts);
  }

  #giveUp(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(lineClosed());
  }
}

function lineClosed(): LocalError {
  return new LocalError('EIO', 'A thread of the server has ended');
}
