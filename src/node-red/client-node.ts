/** What tftp get and tftp put share: from a message to transfers, their events, results and ends. */

import { describeError } from '../net/transfer-record';
import { LocalError } from '../protocol/errors';
import { peerName } from '../transfer/peer-lock';
import { knownPlace } from './client-request';
import { EventPace } from './event-pace';
import { FlowNews } from './flow-news';
import {
  catchError,
  failedMessage,
  failureRecords,
  sendEvent,
  toTftpError,
  withoutPayload,
} from './messages';
import { StatusLine, busyStatus, endStatus, statusTexts } from './status';
import { describeNode, transferMonitor } from './transfer-monitor';
import { TransferQueue } from './transfer-queue';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { ClientOptions } from '../client/client-options';
import type { TransferRecord } from '../net/transfer-record';
import type { TftpError } from '../protocol/errors';
import type { ClientRequest } from './client-request';
import type { FailurePayload, Send } from './messages';
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

/** How a message failed: why, and the record of the transfer in which it did. */
interface Failure {
  readonly error: TftpError;
  readonly payload: FailurePayload;
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
  readonly #news: FlowNews;
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
    this.#news = new FlowNews(node, config.events);
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
    const trigger: Trigger = { properties: withoutPayload(msg), send: this.#resultsOf(send) };
    const work = this.#transferAll(msg, trigger)
      .then((failure) => this.#finish(msg, trigger, done, failure))
      .catch((error: unknown) => this.#node.error(error, msg))
      .finally(() => this.#running.delete(work));
    this.#running.add(work);
  }

  /** Tells what the same node could not tell before a deploy. To be called once the whole flow stands. */
  catchUp(): void {
    this.#news.catchUp();
  }

  /**
   * Ends every transfer: the peers get an ERROR packet, partial files are discarded. Resolves when
   * that is done. The flow hears of it now if the node was removed, else when it starts again.
   */
  async close(removed: boolean): Promise<void> {
    this.#closed = true;
    this.#news.hold(removed);
    this.#status.close();
    this.#cancel(true);
    await Promise.all(this.#running);
    this.#work.close();
    this.#news.logCut();
    this.#monitored.close();
  }

  /** A result that the flow cannot take now is kept. */
  #resultsOf(send: Send): Send {
    return (messages) => {
      const [result] = messages;
      if (this.#news.holds && result) this.#news.tell({ result });
      else send(messages);
    };
  }

  #finish(
    msg: NodeMessage,
    { properties }: Trigger,
    done: (error?: Error) => void,
    failure: Failure | undefined,
  ): void {
    if (failure === undefined) {
      if (!this.#news.holds) done();
      return;
    }
    const error = catchError(failure.error);
    if (this.#news.holds) {
      const message = failedMessage({ ...this.#copy(properties) }, failure.payload);
      this.#news.tell({ failure: error, message });
    } else {
      failedMessage(msg, failure.payload);
      done(error);
    }
  }

  async #transferAll(msg: NodeMessage, trigger: Trigger): Promise<Failure | undefined> {
    const tasks = await this.#tasks(trigger, msg);
    if (!Array.isArray(tasks)) return tasks;
    const ends = await Promise.all(tasks.map((task) => this.#transfer(trigger, task)));
    const failures = ends.filter((end) => end !== undefined);
    const [first] = failures;
    return first && { ...first, error: summary(first.error, failures.length, tasks.length) };
  }

  async #tasks(trigger: Trigger, msg: NodeMessage): Promise<ClientTask[] | Failure> {
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
      return { error, payload: records[1] };
    }
  }

  async #transfer(trigger: Trigger, task: ClientTask): Promise<Failure | undefined> {
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
      return undefined;
    } catch (thrown) {
      const error = toTftpError(thrown);
      if (transfer.record === undefined) failureRecords(task.request, error).forEach(onEvent);
      return { error, payload: { ...transfer.record, error: describeError(error) } };
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
    if (this.#news.holds && record.event === 'progress') return;
    try {
      const copy = this.#copy(properties);
      if (this.#news.holds) this.#news.tell({ record, properties: copy });
      else sendEvent(send, this.#config.events, copy, record);
    } catch (error) {
      this.#node.error(error, { ...properties });
    }
  }

  /**
   * The properties that the message came with, for an event. A deep copy, as Node-RED makes where a
   * wire forks, so that what the flow does to an event does not reach the result. `req` and `res`
   * stay the living objects that they are.
   */
  #copy(properties: NodeMessage): NodeMessage {
    return this.#RED.util.cloneMessage(properties);
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

/** What `msg.reset` may call a transfer: its id, or the server as `host:port` or `[IPv6]:port`. */
function namesOf({ record, request }: Transfer): (string | undefined)[] {
  const places = record === undefined ? [request] : [request, record];
  return [record?.id, ...places.map(({ host, port }) => peerName({ address: host, port }))];
}

/** One failure of many says how many there were. */
function summary(first: TftpError, failed: number, all: number): TftpError {
  if (all === 1) return first;
  const message = `${failed} of ${all} files failed, the first with: ${first.message}`;
  return new LocalError(first.code, message, { tftpCode: first.tftpCode, cause: first });
}
