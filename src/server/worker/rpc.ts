/** Remote procedure calls over a `MessagePort`: calls with a result, and notifications. */

import { receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort, TransferListItem } from 'node:worker_threads';
import { LocalError } from '../../protocol/errors';
import { packError, unpackError } from './packed-error';
import type { PackedError } from './packed-error';

/** A result some of whose parts (memory, open files) are transferred to the other thread instead of copied. */
export class Transferred<T> {
  constructor(
    readonly value: T,
    readonly parts: readonly TransferListItem[],
  ) {}
}

type Call = (...args: readonly unknown[]) => unknown;
type ArgumentsOf<F> = F extends (...args: infer A) => unknown ? A : never;
type Plain<T> = T extends Transferred<infer V> ? V : T;
type ResultOf<F> = F extends (...args: never[]) => infer R ? Plain<Awaited<R>> : never;

type Message =
  | { readonly call: string; readonly args: readonly unknown[]; readonly id?: number }
  | { readonly result: number; readonly value?: unknown; readonly error?: PackedError };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One end of a connection between two threads. `Theirs` is the interface that the other end serves. */
export class Rpc<Theirs extends object> {
  readonly #port: MessagePort;
  readonly #handlers: object;
  readonly #waiting = new Map<number, Waiting>();
  #count = 0;
  #closed = false;

  /**
   * @param handlers the interface that this end serves. Handlers of notifications must not throw.
   * @param onClose is called when either end is closed.
   */
  constructor(port: MessagePort, handlers: object, onClose: () => void = () => undefined) {
    this.#port = port;
    this.#handlers = handlers;
    port.on('message', (message: Message) => this.#handle(message));
    port.once('close', () => {
      this.#closed = true;
      this.#rejectAll();
      onClose();
    });
  }

  /** Calls a procedure of the other end without waiting for a result. */
  notify<K extends keyof Theirs & string>(
    call: K,
    args: ArgumentsOf<Theirs[K]>,
    parts: readonly TransferListItem[] = [],
  ): void {
    this.#post({ call, args }, parts);
  }

  /**
   * Calls a procedure of the other end.
   *
   * @throws what the other end throws, or `LocalError` EIO if the connection is closed.
   */
  call<K extends keyof Theirs & string>(
    call: K,
    args: ArgumentsOf<Theirs[K]>,
    parts: readonly TransferListItem[] = [],
  ): Promise<ResultOf<Theirs[K]>> {
    const id = (this.#count += 1);
    const result = new Promise<unknown>((resolve, reject) => {
      if (this.#closed) return reject(connectionClosed());
      this.#waiting.set(id, { resolve, reject });
      this.#post({ call, args, id }, parts);
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends have one interface
    return result as Promise<ResultOf<Theirs[K]>>;
  }

  /** Handles the messages that have arrived, without waiting for the event loop. */
  drain(): void {
    // A port that is closed must not be asked: that ends the process.
    while (!this.#closed) {
      const received = receiveMessageOnPort(this.#port);
      if (received === undefined) return;
      const message: Message = received.message;
      this.#handle(message);
    }
  }

  /** Pending calls are rejected. Extra calls do nothing. */
  close(): void {
    this.#closed = true;
    this.#port.close();
    this.#rejectAll();
  }

  #handle(message: Message): void {
    if (this.#closed) return;
    if ('result' in message) return this.#answered(message);
    const { call, args, id } = message;
    if (id === undefined) return void this.#run(call, args);
    void this.#reply(id, call, args);
  }

  async #reply(id: number, call: string, args: readonly unknown[]): Promise<void> {
    try {
      const value = await this.#run(call, args);
      if (value instanceof Transferred) this.#post({ result: id, value: value.value }, value.parts);
      else this.#post({ result: id, value }, []);
    } catch (error) {
      this.#post({ result: id, error: packError(error) }, []);
    }
  }

  #run(call: string, args: readonly unknown[]): unknown {
    const handler: Call = Reflect.get(this.#handlers, call);
    return handler(...args);
  }

  #answered({ result, value, error }: Extract<Message, { result: number }>): void {
    const waiting = this.#waiting.get(result);
    this.#waiting.delete(result);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(unpackError(error));
  }

  #post(message: Message, parts: readonly TransferListItem[]): void {
    if (!this.#closed) this.#port.postMessage(message, parts);
  }

  #rejectAll(): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of waiting) reject(connectionClosed());
  }
}

function connectionClosed(): LocalError {
  return new LocalError('EIO', 'The worker of the server has ended');
}
