/** The sidebar's page, as it was built into dist/, run without a browser. */

import { readFileSync } from 'node:fs';
import * as path from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { readCatalogue } from './editor-page';
import type { TransferRow } from '../../src/node-red/transfer-rows';
import type { Catalogue } from './editor-page';

const NODES = path.resolve(__dirname, '../../nodes');
const NAMESPACE = 'node-red-contrib-tftp/tftp-sidebar:';

export interface SidebarNode {
  id: string;
  reveal: string;
  type: string;
  name: string;
}

export interface Throughput {
  interval: number;
  end: string;
  down: number[];
  up: number[];
}

export interface SidebarState {
  sequence: number | undefined;
  clockOffset: number;
  nodes: Map<string, SidebarNode>;
  live: Map<string, TransferRow>;
  liveCount: number;
  finished: TransferRow[];
  totals: object | undefined;
  throughput: Throughput;
}

export interface Filter {
  text: string;
  node: string;
  outcome: string;
}

/** An item of the list, or what a test makes of one. */
export interface Item {
  kind: string;
  key: string;
  group?: string;
  row?: TransferRow;
  place?: number;
  count?: number;
  unlisted?: number;
}

/** Where items stand. */
export interface Layout {
  items: Item[];
  tops: number[];
  height: number;
}

/** What the feed is told of the editor. */
export interface World {
  ajax(request: { url: string; method?: string }): Promise<unknown>;
  comms: {
    subscribe(topic: string, callback: (topic: string, delta: object) => void): void;
    unsubscribe(topic: string, callback: (topic: string, delta: object) => void): void;
  };
  now(): number;
  setTimeout(action: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
  onChange(state: SidebarState, finished: TransferRow[]): void;
  onProblem(problem: string | undefined): void;
}

export interface Feed {
  show(): void;
  hide(): void;
  load(): void;
  details(id: string): Promise<unknown>;
  cancel(id: string): Promise<unknown>;
}

/** The parts of the sidebar that need no page. */
export interface Sidebar {
  state: {
    empty(): SidebarState;
    fromSnapshot(snapshot: object, receivedAt: number): SidebarState;
    apply(state: SidebarState, delta: object): boolean;
    outcomeOf(row: Partial<TransferRow>): string;
  };
  filter: {
    CHOICES: string[];
    everything(): Filter;
    isEverything(filter: Filter): boolean;
    itemsOf(state: SidebarState, filter: Filter): Item[];
    remembered(): Filter;
    remember(filter: Filter): void;
  };
  words: {
    percent(value: number): string;
    bytes(value: number): string;
    rate(value: number): string;
    duration(ms: number): string;
    clock(iso: string): string;
    reason(error: { code: string; by?: 'flow' }): string;
    sentence(diagnosis: { key: string; values: object }): string | undefined;
    nodeName(node: SidebarNode | undefined): string;
  };
  feed: { create(world: World): Feed };
  chart: {
    niceCeiling(value: number): number;
    draw(
      throughput: Throughput,
      width: number,
      height: number,
    ): { top: number; paths: Record<'down' | 'up', { line: string; area: string }> };
  };
  list: {
    layOut(items: Item[], heightOf: (item: Item) => number): { tops: number[]; height: number };
    between(tops: number[], from: number, to: number): { first: number; end: number };
    shift(before: Layout, after: Layout, from: number): number;
  };
  notices: {
    choose(facts: {
      state: SidebarState;
      problem: string | undefined;
      items: Item[];
      countNodes: () => number;
    }): string | undefined;
  };
}

export interface SidebarPage {
  readonly sidebar: Sidebar;
  /** The text of all scripts, and of the style sheets. */
  readonly scripts: string;
  readonly styles: string;
  readonly catalogue: Catalogue;
}

/** Loads the page in an editor of this language, with an empty memory. */
export function loadSidebarPage(language = 'en-US'): SidebarPage {
  const html = readFileSync(path.join(NODES, 'tftp-sidebar.html'), 'utf8');
  const catalogue = readCatalogue('locales/en-US/tftp-sidebar.json');
  const text = (key: string, values: Record<string, unknown> = {}): string =>
    (catalogue.get(key.replace(NAMESPACE, '')) ?? key).replace(/__(\w+)__/g, (_, name: string) =>
      String(values[name]),
    );
  const memory = new Map<string, string>();
  const page: Record<string, unknown> = {
    RED: { _: text, i18n: { lang: () => language }, plugins: { registerPlugin() {} } },
    sessionStorage: {
      getItem: (key: string) => memory.get(key) ?? null,
      setItem: (key: string, value: string) => memory.set(key, value),
    },
  };
  page.window = page;
  createContext(page);
  const scripts = partsOf(html, 'script');
  runInContext(scripts, page);
  return {
    sidebar: page.tftpSidebar as Sidebar,
    scripts,
    styles: partsOf(html, 'style'),
    catalogue,
  };
}

/** What comes out of the page has the prototypes of its own world, which `deepEqual` minds. */
export function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function partsOf(html: string, tag: string): string {
  const pattern = new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, 'g');
  return [...html.matchAll(pattern)].map(([, text]) => text).join('\n');
}
