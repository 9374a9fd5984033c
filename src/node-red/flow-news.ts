/**
 * What a node tells its flow, and what it cannot tell because the flow is being stopped.
 *
 * Node-RED announces a stop (`flows:stopping`) and closes the nodes within one turn of the event loop,
 * but delivers messages in the next: whatever a node sends then finds the nodes behind it closed. So
 * what happens while a node is closing is kept, and told by the node with the same id once its flow
 * runs again.
 */

import { callListener } from '../net/call-listener';
import { isLast } from '../net/transfer-record';
import { sendEvent, toOutput } from './messages';
import type { Node, NodeMessage } from 'node-red';
import type { TransferRecord } from '../net/transfer-record';
import type { EventsChoice } from './node-config';

/** An event, with the other properties of its message. */
export interface EventNews {
  readonly record: TransferRecord;
  readonly properties: NodeMessage;
}

/** An error for Catch nodes. */
export interface FailureNews {
  readonly failure: Error;
  readonly message: NodeMessage;
}

/** A message for output 1. */
export interface ResultNews {
  readonly result: NodeMessage;
}

export type News = EventNews | FailureNews | ResultNews;

/** So much is kept for all nodes together. */
const MAX_KEPT = 5000;
/** Transfers that the log names. */
const MAX_EXAMPLES = 5;

/** What waits for nodes to start again, by their ids. */
export class UntoldNews {
  readonly #kept = new Map<string, News[]>();
  readonly #tellers = new Map<string, (news: News) => void>();
  #count = 0;

  /** Hands over what waits for a node, and what comes later, until the returned function is called. */
  attach(node: string, tell: (news: News) => void): () => void {
    const waiting = this.#kept.get(node) ?? [];
    this.#kept.delete(node);
    this.#count -= waiting.length;
    this.#tellers.set(node, tell);
    for (const news of waiting) tell(news);
    return () => {
      if (this.#tellers.get(node) === tell) this.#tellers.delete(node);
    };
  }

  /** @returns false if too much is kept already. */
  keep(node: string, news: News): boolean {
    const tell = this.#tellers.get(node);
    if (tell !== undefined) {
      tell(news);
      return true;
    }
    if (this.#count >= MAX_KEPT) return false;
    this.#count += 1;
    const waiting = this.#kept.get(node);
    if (waiting === undefined) this.#kept.set(node, [news]);
    else waiting.push(news);
    return true;
  }
}

/** Of all nodes of this Node-RED. */
export const untoldNews = new UntoldNews();

/** What it needs of the node. */
export type NewsOutlet = Pick<Node, 'id' | 'send' | 'error' | 'log' | 'warn'>;

/** Tells the flow of one node; each thing once. */
export class FlowNews {
  readonly #node: NewsOutlet;
  readonly #events: EventsChoice;
  readonly #untold: UntoldNews;
  #detach = (): void => undefined;
  #closing = false;
  #removed = false;
  /** How many transfers ended while the node was closing, and some of them. */
  #cut = 0;
  readonly #examples: string[] = [];
  #dropped = 0;

  constructor(node: NewsOutlet, events: EventsChoice, untold = untoldNews) {
    this.#node = node;
    this.#events = events;
    this.#untold = untold;
  }

  /** Tells what the node before this one, with the same id, could not; once the whole flow stands. */
  catchUp(): void {
    this.#detach = this.#untold.attach(this.#node.id, (news) => this.#deliver(news));
  }

  /** True if the flow cannot be told now: the node is closing, and will start again. */
  get holds(): boolean {
    return this.#closing && !this.#removed;
  }

  /** The node is closing. The flow around a node that was deleted or disabled still hears. */
  hold(removed: boolean): void {
    this.#detach();
    this.#closing = true;
    this.#removed = removed;
  }

  tell(news: News): void {
    if (this.#closing && 'record' in news && isLast(news.record)) this.#noteCut(news.record);
    if (!this.holds) this.#deliver(news);
    else if (!this.#untold.keep(this.#node.id, news)) this.#dropped += 1;
  }

  /** Says in the log which transfers the node has cut: if it does not start again, nobody else may. */
  logCut(): void {
    if (this.#cut === 0) return;
    const examples = this.#examples.join(', ') + (this.#cut > MAX_EXAMPLES ? ', …' : '');
    const lost = this.#dropped === 0 ? '' : `; messages that are lost: ${this.#dropped}`;
    const text = `Transfers that ended because the node was stopped: ${this.#cut} (${examples})${lost}`;
    if (this.#removed) this.#node.warn(text);
    else this.#node.log(text);
  }

  #noteCut({ filename, host }: TransferRecord): void {
    this.#cut += 1;
    if (this.#cut <= MAX_EXAMPLES) this.#examples.push(`"${filename}" with ${host}`);
  }

  #deliver(news: News): void {
    if ('failure' in news) this.#node.error(news.failure, news.message);
    else if ('result' in news) this.#node.send(toOutput(0, news.result));
    else this.#deliverEvent(news);
  }

  #deliverEvent({ record, properties }: EventNews): void {
    callListener(() =>
      sendEvent((messages) => this.#node.send(messages), this.#events, { ...properties }, record),
    );
  }
}
