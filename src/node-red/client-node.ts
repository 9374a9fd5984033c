/** What tftp get and tftp put share: from a message to transfers, their events, results and ends. */

import { LocalError } from '../protocol/errors';
import { knownPlace } from './client-request';
import { EventPace } from './event-pace';
import { failureRecords, sendEvent, toTftpError, withoutPayload } from './messages';
import { StatusLine, busyStatus, endStatus, statusTexts } from './status';
import { describeNode, transferMonitor } from './transfer-monitor';
import { TransferQueue } from './transfer-queue';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { ClientOptions } from '../client/client-options';
import type { TransferRecord } from '../net/transfer-record';
import type { TftpError } from '../protocol/errors';
import type { ClientRequest } from './client-request';
import type { Send } from './messages';
import type { ClientNodeConfig } from './node-config';
import type { StatusTexts } from './status';
import type { MonitoredSource } from './transfer-monitor';

/** What one of the two nodes does for a message. */
export interface ClientWork {
  readonly operation: ClientRequest['operation'];
  /** The transfers that a message asks for. Rejects with a `TftpError` that says what is missing. */
  tasks(msg: NodeMessage): Promise<ClientTask[]>;
  /** Ends what still dallies. */
  close(): void;
}

/** One transfer, and what becomes of it. */
export interface ClientTask {
  readonly request: ClientRequest;
  /** Transfers, and sends the result down output 1. Rejects if the transfer fails. */
  run(options: ClientOptions, send: Send): Promise<void>;
}

/** A message that came in. */
interface Trigger {
  /** The message as it came, without its payload: what events carry, whatever the flow does later. */
  readonly properties: NodeMessage;
  readonly send: Send;
}

/** A transfer that runs or waits. */
interface Transfer {
  readonly request: ClientRequest;
  readonly controller: AbortController;
  /** The last that the engine told of it. */
  record?: TransferRecord;
}

/** The behaviour of a tftp get or tftp put node. */
export class ClientNode {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #config: ClientNodeConfig;
  readonly #work: ClientWork;
  readonly #queue: TransferQueue;
  readonly #status: StatusLine;
  readonly #texts: StatusTexts;
  readonly #monitored: MonitoredSource;
  readonly #transfers = new Set<Transfer>();
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  constructor(RED: NodeAPI, node: Node, config: ClientNodeConfig, work: ClientWork) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
    this.#work = work;
    this.#queue = new TransferQueue(config.concurrency, config.queue);
    this.#status = new StatusLine((status) => node.status(status));
    this.#texts = statusTexts(RED);
    this.#monitored = transferMonitor.add({
      node: describeNode(node),
      cancel: (id) => this.#cancelOne(id),
    });
  }

  /** Takes a message: a `reset` cancels, any other asks for transfers. Calls `done` exactly once. */
  handleInput(msg: NodeMessage, send: Send, done: (error?: Error) => void): void {
    if (msg.reset) {
      this.#cancel(msg.reset);
      done();
      return;
    }
    const whileOpen = <T extends unknown[]>(action: (...values: T) => void) => {
      return (...values: T): void => {
        if (!this.#closed) action(...values);
      };
    };
    const finish = whileOpen(done);
    const work = this.#transferAll(msg, whileOpen(send))
      .then(() => finish(), finish)
      .catch((error: unknown) => this.#node.error(error, msg))
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  /**
   * Ends every transfer without a further word to the flow: the peers get an ERROR packet, partial
   * files are discarded. Resolves when that is done.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#monitored.close();
    this.#status.close();
    this.#cancel(true);
    await Promise.all(this.#running);
    this.#work.close();
  }

  async #transferAll(msg: NodeMessage, send: Send): Promise<void> {
    const trigger: Trigger = { properties: withoutPayload(msg), send };
    const tasks = await this.#tasks(trigger, msg);
    const ends = await Promise.allSettled(tasks.map((task) => this.#transfer(trigger, task)));
    const failures = ends.filter((end) => end.status === 'rejected');
    if (failures[0] !== undefined) {
      throw summary(toTftpError(failures[0].reason), failures.length, tasks.length);
    }
  }

  async #tasks(trigger: Trigger, msg: NodeMessage): Promise<ClientTask[]> {
    try {
      return await this.#work.tasks(msg);
    } catch (thrown) {
      const error = toTftpError(thrown);
      const request = { operation: this.#work.operation, ...knownPlace(this.#config, msg) };
      const records = failureRecords(request, error);
      for (const record of records) {
        this.#monitored.tell(record);
        this.#send(trigger, record);
      }
      this.#showEnd(records[1]);
      throw error;
    }
  }

  async #transfer(trigger: Trigger, task: ClientTask): Promise<void> {
    const controller = new AbortController();
    const transfer: Transfer = { request: task.request, controller };
    const { signal } = controller;
    // The node may have been closed while the message was being evaluated.
    if (this.#closed) controller.abort();
    const pace = new EventPace(task.request.options.progressInterval);
    const onEvent = (record: TransferRecord): void => {
      transfer.record = record;
      this.#monitored.tell(record);
      if (pace.passes(record)) this.#send(trigger, record);
      if (!hasEnded(record)) this.#showBusy(record);
    };
    this.#transfers.add(transfer);
    try {
      const progressInterval = pace.engineInterval;
      const options = { ...task.request.options, progressInterval, signal, onEvent };
      await this.#queue.run(() => task.run(options, trigger.send), signal);
    } catch (thrown) {
      const error = toTftpError(thrown);
      if (transfer.record === undefined) failureRecords(task.request, error).forEach(onEvent);
      throw error;
    } finally {
      this.#transfers.delete(transfer);
      if (transfer.record !== undefined) this.#showEnd(transfer.record);
    }
  }

  #cancel(which: unknown): void {
    for (const transfer of this.#transfers) {
      if (which === true || namesOf(transfer).includes(String(which))) transfer.controller.abort();
    }
  }

  #cancelOne(id: string): boolean {
    const found = [...this.#transfers].find(({ record }) => record?.id === id);
    found?.controller.abort();
    return found !== undefined;
  }

  /** The engine calls this: a message that cannot be copied must not end the transfer. */
  #send({ send, properties }: Trigger, record: TransferRecord): void {
    try {
      sendEvent(this.#RED, send, this.#config.events, properties, record);
    } catch (error) {
      this.#node.error(error, { ...properties });
    }
  }

  #showBusy(record: TransferRecord): void {
    if (!this.#closed) this.#status.show(busyStatus(this.#texts, this.#queue, record));
  }

  #showEnd(record: TransferRecord): void {
    if (this.#queue.active > 0) this.#showBusy(record);
    else if (!this.#closed) this.#status.show(endStatus(this.#texts, record));
  }
}

function hasEnded(record: TransferRecord | undefined): boolean {
  return record?.event === 'complete' || record?.event === 'error';
}

/** What `msg.reset` may call a transfer: its id, or the server as host:port. */
function namesOf({ record, request }: Transfer): (string | undefined)[] {
  const places = record === undefined ? [request] : [request, record];
  return [
    record?.id,
    ...places.flatMap(({ host, port }) => [`${host}:${port}`, `[${host}]:${port}`]),
  ];
}

/** One failure of many says how many there were. */
function summary(first: TftpError, failed: number, all: number): TftpError {
  if (all === 1) return first;
  const message = `${failed} of ${all} files failed, the first with: ${first.message}`;
  return new LocalError(first.code, message, { tftpCode: first.tftpCode, cause: first });
}
