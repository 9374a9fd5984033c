/** The open dialog of a node. */

import { cutOff, focusedMark, markFields, namelessFields, overlaps, rawKeys } from './look';
import type { Locator, Page } from 'playwright-core';

/** A dialog as a person sees it. */
export class Dialog {
  private constructor(
    readonly page: Page,
    readonly tray: Locator,
  ) {}

  /** The dialog on top, when it stands still. */
  static async opened(page: Page): Promise<Dialog> {
    const tray = page.locator('.red-ui-tray').last();
    await tray.locator('.tftp-form').waitFor();
    // Trying to click waits until it has come in.
    await page.locator('#node-dialog-ok').click({ trial: true });
    return new Dialog(page, tray);
  }

  get form(): Locator {
    return this.tray.locator('.tftp-form');
  }

  /** What the dialog of a server says if its port is taken. */
  get portTaken(): Locator {
    return this.form.locator('#tftp-port-taken');
  }

  async title(): Promise<string> {
    return this.tray.locator('.red-ui-tray-header').innerText();
  }

  /** The field of a property: where it is typed in or chosen. */
  field(name: string): Locator {
    return this.form.locator(
      `#node-input-${name}:visible, #node-input-${name} + .red-ui-typedInput-container input.red-ui-typedInput-input`,
    );
  }

  /** Types a text as a person does, and leaves the field. */
  async fill(name: string, value: string): Promise<void> {
    await this.field(name).fill(value);
    await this.field(name).blur();
  }

  async choose(name: string, value: string): Promise<void> {
    await this.field(name).selectOption(value);
  }

  /** Shows all that is in closed sections. */
  async openSections(): Promise<void> {
    await this.#setSections(true);
  }

  async closeSections(): Promise<void> {
    await this.#setSections(false);
  }

  /** Why the value of a field cannot be used, as the editor says it beside the mouse. */
  async reason(name: string): Promise<string> {
    await this.field(name).hover();
    const popover = this.page.locator('.red-ui-popover:visible');
    await popover.waitFor();
    return popover.innerText();
  }

  /** Resolves once a field has a red border, or has none any more. */
  async marked(name: string, wrong: boolean): Promise<void> {
    const field = this.form.locator(`#node-input-${name}.input-error`);
    await field.waitFor({ state: wrong ? 'attached' : 'detached' });
  }

  async save(): Promise<void> {
    await this.page.locator('#node-dialog-ok').click();
    await this.#gone();
  }

  async cancel(): Promise<void> {
    await this.page.locator('#node-dialog-cancel').click();
    await this.#gone();
  }

  /** Those of `visibleFields`, to be called before, in the order in which Tab goes through them. */
  async tabThrough(): Promise<string[]> {
    await this.form.locator('[data-mark^="0 "]').focus();
    const passed: string[] = [];
    for (;;) {
      const mark = await this.form.evaluate(focusedMark);
      if (mark === undefined) return passed;
      passed.push(mark);
      await this.page.keyboard.press('Tab');
    }
  }

  /** The fields and buttons of the form that can be seen. */
  async visibleFields(): Promise<string[]> {
    return this.form.evaluate(markFields);
  }

  /** All that is wrong with how the dialog looks, in words. */
  async flaws(): Promise<string[]> {
    const looks = [rawKeys, cutOff, overlaps, namelessFields];
    const flaws = await Promise.all(looks.map((look) => this.form.evaluate(look)));
    return flaws.flat();
  }

  async #setSections(open: boolean): Promise<void> {
    await this.form.locator('details').evaluateAll((sections, open) => {
      for (const section of sections) section.toggleAttribute('open', open);
    }, open);
  }

  async #gone(): Promise<void> {
    await this.tray.waitFor({ state: 'detached' });
  }
}
