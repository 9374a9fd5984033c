/** All transfers of all nodes of this process: who moves what now, what has ended lately, how much in all. */

import { callListener } from '../net/call-listener';
import { systemClock } from '../net/clock';
import { isLast } from '../net/transfer-record';
import { FinishedTransfers } from './finished-transfers';
import { textSetting } from './setting';
import { TransferTotals } from './transfer-totals';
import type { Node } from 'node-red';
import type { Clock } from '../net/clock';
import type { TransferRecord } from '../net/transfer-record';
import type { Throughput } from './throughput-history';
import type { MonitoredNode, MonitoredTransfer } from './monitored-transfer';
import type { Totals } from './transfer-totals';

/** So many live transfers are held; more are only counted. */
export const MAX_LIVE = 2000;
/** Characters of a text that are held. */
const MAX_TEXT = 512;

/** A node as the monitor needs it. */
export interface TransferSource {
  readonly node: MonitoredNode;
  /** Ends the transfer with this id. @returns false if it runs no such one. */
  readonly cancel: (id: string) => boolean;
}

/** What a node does with the monitor. Nothing of it throws. */
export interface MonitoredSource {
  /** Takes a record of one of the node's transfers: all of them, in their order. */
  tell(record: TransferRecord): void;
  /** The node is closed, and has told the endings of its transfers. What it tells afterwards is not heard. */
  close(): void;
}

interface Source extends TransferSource {
  /** Its live transfers, those that are only counted too. */
  running: number;
}

interface Live {
  readonly source: Source;
  readonly node: MonitoredNode;
  record: TransferRecord;
}

/** The registry. What a record costs does not depend on how many transfers there are, nor on who looks. */
export class TransferMonitor {
  readonly #totals: TransferTotals;
  readonly #sources = new Set<Source>();
  readonly #live = new Map<string, Live>();
  readonly #finished = new FinishedTransfers();
  #liveCount = 0;

  constructor(clock: Clock) {
    this.#totals = new TransferTotals(clock);
  }

  /** Watches a node from now on. */
  add({ node, cancel }: TransferSource): MonitoredSource {
    const source: Source = { node, cancel, running: 0 };
    this.#sources.add(source);
    return {
      tell: (record) => callListener(() => this.#tell(source, record)),
      close: () => this.#remove(source),
    };
  }

  /** The nodes that are open, and those whose transfers are still remembered; an open one comes first. */
  get nodes(): MonitoredNode[] {
    const nodes = new Map<string, MonitoredNode>();
    for (const { node } of [...this.#sources, ...this.finished()]) {
      if (!nodes.has(node.id)) nodes.set(node.id, node);
    }
    return [...nodes.values()];
  }

  /** The live transfers that are held, by their ids, the oldest first. */
  get live(): ReadonlyMap<string, MonitoredTransfer> {
    return this.#live;
  }

  /** All live transfers. */
  get liveCount(): number {
    return this.#liveCount;
  }

  /** How many have ended so far. */
  get finishedCount(): number {
    return this.#finished.count;
  }

  /** Those held that ended after so many had ended, newest first. */
  finished(after = 0): MonitoredTransfer[] {
    return this.#finished.after(after);
  }

  /** A transfer that is held; undefined if it is forgotten. */
  find(id: string): MonitoredTransfer | undefined {
    return this.#live.get(id) ?? this.finished().find(({ record }) => record.id === id);
  }

  /** Has a node end one of its transfers. @returns false if there is no such one, or it has ended. */
  cancel(id: string): boolean {
    return this.#live.get(id)?.source.cancel(id) ?? false;
  }

  get totals(): Totals {
    return this.#totals.figures;
  }

  /** The chart of the last ten minutes. */
  get throughput(): Throughput {
    return this.#totals.throughput;
  }

  #tell(source: Source, record: TransferRecord): void {
    if (!this.#sources.has(source)) return;
    const { id } = record;
    if (record.event === 'start') this.#countLive(source, 1);
    const live = this.#live.get(id);
    if (isLast(record)) return this.#end(source, live, record);
    if (live !== undefined) {
      this.#totals.countMoved(record, live.record);
      live.record = ownCopy(record);
    } else if (this.#live.size < MAX_LIVE) {
      this.#totals.countMoved(record);
      this.#live.set(id, { source, node: source.node, record: ownCopy(record) });
    }
  }

  #end(source: Source, live: Live | undefined, record: TransferRecord): void {
    this.#totals.countMoved(record, live?.record);
    this.#countLive(source, -1);
    this.#live.delete(record.id);
    this.#totals.countEnd(record);
    this.#finished.add({ node: source.node, record: ownCopy(record) });
  }

  #countLive(source: Source, more: number): void {
    source.running += more;
    this.#liveCount += more;
  }

  #remove(source: Source): void {
    if (!this.#sources.delete(source)) return;
    this.#countLive(source, -source.running);
    for (const [id, live] of this.#live) {
      if (live.source === source) this.#live.delete(id);
    }
  }
}

/** The monitor of this process, which all nodes tell. */
export const transferMonitor = new TransferMonitor(systemClock);

/** A node of Node-RED. One inside a subflow has an id of its own, and says whose copy it is. */
interface NamedNode extends Pick<Node, 'id' | 'type'> {
  /** What a flow says, or a variable that it names: not always text. */
  readonly name?: unknown;
  readonly _alias?: unknown;
}

/** A node, as the sidebar names it. */
export function describeNode({ id, type, name, _alias }: NamedNode): MonitoredNode {
  const reveal = typeof _alias === 'string' ? _alias : id;
  return { id, reveal, type, name: cutText(textSetting(name)) };
}

/** The record is also the payload of a message: a flow may do with it as it likes. Texts are cut. */
function ownCopy(record: TransferRecord): TransferRecord {
  const { filename, host, options, servedAs, retry, error, trace } = record;
  const copy = {
    ...record,
    filename: cutText(filename),
    host: cutText(host),
    options: { ...options },
  };
  if (servedAs !== undefined) copy.servedAs = cutText(servedAs);
  if (retry !== undefined) copy.retry = { ...retry };
  if (error !== undefined) copy.error = { ...error, message: cutText(error.message) };
  if (trace !== undefined) copy.trace = trace.map(cutText);
  return copy;
}

function cutText(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
