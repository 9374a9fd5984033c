/** What a user sees in the editor: the debug sidebar and the status below each node. */

import { EventEmitter, once } from 'node:events';
import WebSocket = require('ws');

/** A line of the debug sidebar. */
export interface DebugLine {
  /** The node that wrote it. */
  readonly id: string;
  /** The tab of the node. */
  readonly tab: string;
  /** What a Debug node shows; an object, if it shows one. */
  readonly value: unknown;
  /** True for an error or a warning that no Catch node took. */
  readonly uncaught: boolean;
}

/** The status of a node. */
export interface NodeStatus {
  readonly fill?: string;
  readonly shape?: string;
  readonly text?: string;
}

/** A packet from the runtime, as the editor gets it. */
interface News {
  readonly topic: string;
  readonly data: unknown;
}

interface DebugData {
  readonly id: string;
  readonly z?: string;
  readonly msg?: unknown;
  readonly format?: string;
  readonly level?: number;
}

/** The connection by which the editor hears of a running Node-RED. */
export class DebugSidebar {
  readonly #socket: WebSocket;
  readonly #news = new EventEmitter();
  readonly #lines: DebugLine[] = [];
  readonly #statuses = new Map<string, NodeStatus>();

  /** @param base the address of the editor. */
  constructor(base: string) {
    const address = new URL('/comms', base);
    address.protocol = 'ws:';
    this.#socket = new WebSocket(address);
    this.#socket.on('message', (data: Buffer) => this.#take(data.toString()));
  }

  /** Resolves when it has begun to listen. */
  async open(): Promise<void> {
    await once(this.#socket, 'open');
    for (const subscribe of ['debug', 'status/#']) this.#socket.send(JSON.stringify({ subscribe }));
  }

  close(): void {
    this.#socket.terminate();
  }

  /** All lines, the oldest first. */
  get lines(): readonly DebugLine[] {
    return this.#lines;
  }

  /** Waits for the first line of a node that fits; those that came before count. */
  shown(id: string, fits: (value: unknown) => boolean = () => true): Promise<unknown> {
    return this.#until(() => {
      const line = this.#lines.find((one) => one.id === id && !one.uncaught && fits(one.value));
      return line && { value: line.value };
    });
  }

  /** Waits until a node has a status that fits. */
  status(id: string, fits: (status: NodeStatus) => boolean): Promise<unknown> {
    return this.#until(() => {
      const status = this.#statuses.get(id);
      return status !== undefined && fits(status) ? { value: status } : undefined;
    });
  }

  async #until(find: () => { value: unknown } | undefined): Promise<unknown> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found.value;
      await once(this.#news, 'news');
    }
  }

  #take(text: string): void {
    const packets: News | News[] = JSON.parse(text);
    for (const { topic, data } of [packets].flat()) {
      if (topic === 'debug') this.#lines.push(lineOf(data as DebugData));
      else if (topic.startsWith('status/')) {
        this.#statuses.set(topic.slice('status/'.length), data as NodeStatus);
      }
    }
    this.#news.emit('news');
  }
}

function lineOf({ id, z = '', msg, format = '', level }: DebugData): DebugLine {
  const isText = typeof msg !== 'string' || /^(?:string|buffer)/.test(format);
  const value: unknown = isText ? msg : parsed(msg);
  return { id, tab: z, value, uncaught: level !== undefined };
}

/** Objects and numbers come as JSON; what cannot be JSON, such as `undefined`, as text. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
