/** Node-RED's editor in a browser, used as a person does: with the mouse and the keyboard. */

import { Dialog } from './dialog';
import type { Locator, Page } from 'playwright-core';

/** What the functions below use of the editor, inside the page. */
declare const RED: {
  readonly nodes: {
    filterNodes(filter: object): readonly { id: string }[];
    dirty(): boolean;
    getNodeHelp(type: string): string;
  };
};

/** Who logs in. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export type Theme = 'light' | 'dark';

/** What themes for Node-RED 4 set, which has no dark one of its own: `--red-ui-` stands before each. */
const DARK = {
  'primary-background': '#1e1e1e',
  'secondary-background': '#252526',
  'tertiary-background': '#2d2d2d',
  'secondary-background-hover': '#2f2f33',
  'secondary-background-selected': '#37373d',
  'list-item-background-hover': '#2f2f33',
  'text-editor-background': '#1a1a1a',
  'form-background': '#252526',
  'form-input-background': '#1e1e1e',
  'form-tips-background': '#2d2d2d',
  'form-button-background': '#2d2d2d',
  'workspace-button-background': '#252526',
  'primary-text-color': '#d4d4d4',
  'secondary-text-color': '#b0b0b0',
  'tertiary-text-color': '#999999',
  'text-editor-color': '#d4d4d4',
  'form-text-color': '#d4d4d4',
  'form-placeholder-color': '#999999',
  'workspace-button-color': '#d4d4d4',
  'text-color-error': '#ff8088',
  'text-color-success': '#4cc38a',
  'text-color-code': '#ffa07a',
  'text-color-link': '#6cb6ff',
  'primary-border-color': '#3a3a3a',
  'secondary-border-color': '#3a3a3a',
  'form-input-border-color': '#444444',
};

/** The editor in a page of its own. */
export class EditorPage {
  private constructor(readonly page: Page) {}

  /** Opens the editor; resolves when its nodes can be used. */
  static async open(page: Page, url: string, credentials?: Credentials): Promise<EditorPage> {
    await page.goto(url);
    if (credentials !== undefined) await logIn(page, credentials);
    const editor = new EditorPage(page);
    await editor.#ready();
    return editor;
  }

  /** Has the editor speak another language. */
  async speak(language: string): Promise<void> {
    await this.page.evaluate((name) => localStorage.setItem('editor-language', name), language);
    await this.page.reload();
    await this.#ready();
  }

  /** Shows the editor in light or dark colours. */
  async wear(theme: Theme): Promise<void> {
    await this.page.evaluate(
      ([dark, colours]) => {
        const { classList, style } = document.documentElement;
        const background = (): string =>
          getComputedStyle(document.documentElement).getPropertyValue(
            '--red-ui-primary-background',
          );
        const before = background();
        classList.toggle('nr-theme-dark', dark);
        const needsColours = dark && background() === before;
        for (const [name, colour] of Object.entries(colours)) {
          style.setProperty(`--red-ui-${name}`, needsColours ? colour : null);
        }
      },
      [theme === 'dark', DARK] as const,
    );
  }

  get paletteArea(): Locator {
    return this.page.locator('#red-ui-palette');
  }

  /** A node type in the palette. */
  palette(type: string): Locator {
    return this.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
  }

  /** A node in the workspace. */
  node(id: string): Locator {
    return this.page.locator(`[id="${id}"]`);
  }

  /** Resolves once the text below a node says this, among others. */
  async status(id: string, text: string): Promise<void> {
    await this.node(id).locator('.red-ui-flow-node-status-label', { hasText: text }).waitFor();
  }

  /** What the editor says beside the mouse. */
  async tooltip(): Promise<string> {
    return (await this.page.locator('.red-ui-flow-port-tooltip').textContent()) ?? '';
  }

  /** The triangle that tells of a wrong setting. */
  triangle(id: string): Locator {
    return this.node(id).locator('.red-ui-flow-node-error');
  }

  /** Drags a node out of the palette; resolves with its id. */
  async drag(type: string, x: number, y: number): Promise<string> {
    const before = await this.nodeIds();
    const entry = this.palette(type);
    await entry.scrollIntoViewIfNeeded();
    await this.#drag(await centre(entry), await this.#inWorkspace(x, y));
    const added = (await this.nodeIds()).filter((id) => !before.includes(id));
    if (added.length !== 1) throw new Error(`Dragging ${type} added ${added.length} nodes`);
    return added[0]!;
  }

  /** Draws a wire from an output to the input of another node. */
  async wire(from: string, to: string, output = 0): Promise<void> {
    const start = this.node(from).locator('.red-ui-flow-port-output .red-ui-flow-port').nth(output);
    const end = this.node(to).locator('.red-ui-flow-port-input .red-ui-flow-port');
    await this.#drag(await centre(start), await centre(end));
  }

  /** Opens the dialog of a node by a double click. */
  async openDialog(id: string): Promise<Dialog> {
    const box = this.node(id).locator('.red-ui-flow-node').first();
    const { x, y } = await centre(box);
    await this.page.mouse.dblclick(x, y);
    return Dialog.opened(this.page);
  }

  /** Presses the button of an inject node. */
  async press(id: string): Promise<void> {
    await this.node(id).locator('.red-ui-flow-node-button-button').click();
  }

  /** Deploys; resolves when the runtime has taken the flow. */
  async deploy(): Promise<void> {
    await this.page.locator('#red-ui-header-button-deploy').click();
    await this.page.waitForFunction(() => !RED.nodes.dirty());
  }

  /** Resolves once the editor says this, among others, at the top of the page. */
  async notification(text: string): Promise<void> {
    await this.page.locator('.red-ui-notification', { hasText: text }).waitFor();
  }

  /** What the help sidebar shows of a node type, as HTML. */
  async help(type: string): Promise<string> {
    return this.page.evaluate((name) => RED.nodes.getNodeHelp(name), type);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  async nodeIds(): Promise<string[]> {
    return this.page.evaluate(() => RED.nodes.filterNodes({}).map(({ id }) => id));
  }

  async #ready(): Promise<void> {
    await this.palette('tftp-server').waitFor({ state: 'attached' });
    await this.page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    await this.page.locator('#red-ui-workspace-chart').waitFor();
  }

  async #inWorkspace(x: number, y: number): Promise<Point> {
    const chart = await this.page.locator('#red-ui-workspace-chart').boundingBox();
    if (chart === null) throw new Error('There is no workspace');
    return { x: chart.x + x, y: chart.y + y };
  }

  async #drag(from: Point, to: Point): Promise<void> {
    const { mouse } = this.page;
    await mouse.move(from.x, from.y);
    await mouse.down();
    await mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 4 });
    await mouse.move(to.x, to.y, { steps: 4 });
    await mouse.up();
  }
}

interface Point {
  readonly x: number;
  readonly y: number;
}

async function centre(element: Locator): Promise<Point> {
  const box = await element.boundingBox();
  if (box === null) throw new Error(`${String(element)} cannot be seen`);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

async function logIn(page: Page, { username, password }: Credentials): Promise<void> {
  await page.locator('#node-dialog-login-username').fill(username);
  await page.locator('#node-dialog-login-password').fill(password);
  await page.locator('#node-dialog-login-submit').click();
}
