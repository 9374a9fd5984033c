/** Real Node-RED with this package and some flow, and a browser that looks at its editor. */

import { missing } from '../helpers/requirements';
import { UserDirectory } from '../helpers/user-directory';
import { NodeRedRuntime, nodeFor } from '../package/node-red-runtime';
import { findChromium, launchChromium } from './chromium';
import { EditorPage } from './editor-page';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import type { NodeRedRelease } from '../package/node-red-runtime';
import type { Credentials } from './editor-page';

/** Milliseconds that something on a page may take to come about. */
const PATIENCE = 15_000;

/** What runs, and how. */
export interface Furnishing {
  readonly release: NodeRedRelease;
  /** Its flow, which may tell of files in the user directory. */
  readonly flow: (directory: UserDirectory) => readonly object[];
  /** Settings of Node-RED besides the usual ones. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Where the editor is looked at, and how. */
export interface Visit {
  readonly credentials?: Credentials;
  readonly browser?: BrowserContextOptions;
  /** Below the address of Node-RED. */
  readonly path?: string;
}

/** It is there between `open` and `close`. */
export class Workplace {
  private constructor(
    readonly directory: UserDirectory,
    readonly runtime: NodeRedRuntime,
    private readonly browser: Browser,
  ) {}

  static async open(
    { release, flow, settings }: Furnishing,
    { node, chromium }: { readonly node: string; readonly chromium: string },
  ): Promise<Workplace> {
    const directory = new UserDirectory();
    directory.write('flows.json', JSON.stringify(flow(directory)));
    // It would look for other people's nodes in the Internet.
    const offline = { externalModules: { palette: { allowInstall: false } } };
    const browser = await launchChromium(chromium);
    try {
      const all = { ...offline, ...settings };
      const runtime = await NodeRedRuntime.start(release, node, directory.path, all);
      return new Workplace(directory, runtime, browser);
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  /** Opens the editor, as somebody who was never there. */
  async visit({ browser, path = '/', credentials }: Visit = {}): Promise<EditorPage> {
    const context = await this.browser.newContext({
      viewport: { width: 1400, height: 1000 },
      reducedMotion: 'reduce',
      ...browser,
    });
    context.setDefaultTimeout(PATIENCE);
    const url = new URL(path, this.runtime.base).href;
    return EditorPage.open(await context.newPage(), url, credentials);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.runtime.stop();
    this.directory.remove();
  }
}

/**
 * Gives the surrounding `describe` a workplace. Without a browser, or a Node.js for the release, its
 * tests are skipped, or fail where CI is set.
 */
export function useWorkplace(furnishing: Furnishing): () => Workplace {
  let workplace: Workplace | undefined;
  before(async function () {
    const { title } = furnishing.release;
    const chromium =
      findChromium() ?? missing(this, 'There is no chromium: name one in TFTP_CHROMIUM');
    const node =
      nodeFor(furnishing.release) ??
      missing(this, `${title} needs a newer Node.js: name one in TFTP_NODE_24`);
    workplace = await Workplace.open(furnishing, { node, chromium });
  });
  after(() => workplace?.close());
  return () => workplace!;
}
