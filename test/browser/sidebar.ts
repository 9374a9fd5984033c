/** The sidebar "TFTP". */

import type { Locator, Page } from 'playwright-core';

/** What the functions below use of the editor, inside the page. */
declare const RED: { readonly actions: { invoke(name: string): void } };

/** How a transfer stands in the list. */
export type Outcome = 'running' | 'completed' | 'failed' | 'cancelled';

export class Sidebar {
  private constructor(readonly page: Page) {}

  /** Opens it as its keyboard action does. */
  static async open(page: Page): Promise<Sidebar> {
    await page.evaluate(() => RED.actions.invoke('tftp:show-sidebar'));
    const sidebar = new Sidebar(page);
    await sidebar.area.waitFor();
    return sidebar;
  }

  get area(): Locator {
    return this.page.locator('#tftp-sidebar');
  }

  /** The rows of a file, or of one with an outcome. */
  row(filename: string, outcome?: Outcome): Locator {
    const kind = outcome === undefined ? '' : `.tftp-sidebar-is-${outcome}`;
    return this.area.locator(`.tftp-sidebar-row${kind}`, { hasText: filename }).first();
  }

  /** How far a transfer is, in percent. */
  async progress(filename: string): Promise<number> {
    const bar = this.row(filename, 'running').locator('[role=progressbar][aria-valuenow]');
    return Number(await bar.getAttribute('aria-valuenow'));
  }

  /** Resolves once a transfer is further than it was. */
  async moves(filename: string, from: number): Promise<void> {
    const bar = this.row(filename, 'running').locator('[role=progressbar]');
    const handle = await bar.elementHandle();
    await this.page.waitForFunction(
      ([element, percent]) => Number(element?.getAttribute('aria-valuenow')) > percent,
      [handle, from] as const,
    );
  }

  /** Shows only the transfers that have this text. */
  async filter(text: string): Promise<void> {
    await this.area.locator('#tftp-sidebar-filter-text').fill(text);
  }

  /** Cancels a transfer, and says that it is meant. */
  async cancel(filename: string): Promise<void> {
    await this.row(filename, 'running').locator('.tftp-sidebar-cancel').click();
    await this.area.locator('.tftp-sidebar-yes').click();
  }

  /** Unfolds what is known of a transfer. */
  async unfold(filename: string, outcome: Outcome): Promise<Locator> {
    await this.row(filename, outcome).click();
    const details = this.area.locator('.tftp-sidebar-details');
    await details.locator('.tftp-sidebar-facts').waitFor();
    return details;
  }

  /** Folds it again, also if others have come before it. */
  async fold(): Promise<void> {
    await this.area.locator('.tftp-sidebar-row[aria-expanded=true]').click();
    await this.area.locator('.tftp-sidebar-details').waitFor({ state: 'detached' });
  }
}
