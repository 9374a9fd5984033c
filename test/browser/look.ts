/**
 * What can be wrong with a part of a page, in words. These functions run inside the page, each on its
 * own: they use nothing of this file but its types.
 */

type Area = HTMLElement | SVGElement;

/** Keys of a catalogue where a text should be, and values that were not put in. */
export function rawKeys(root: Area): string[] {
  const isRaw = (text: string): boolean =>
    /^\s*(?:node-red-contrib-tftp\/[\w-]+:)?tftp(?:-\w+)?(?:\.\w+)+\s*$/.test(text) ||
    /__\w+__/.test(text);
  const found: string[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text !== null; text = walker.nextNode()) {
    const holder = text.parentElement?.closest('code, style, script') ?? null;
    if (holder === null) found.push(text.nodeValue ?? '');
  }
  for (const element of root.querySelectorAll('*')) {
    for (const name of ['placeholder', 'title', 'aria-label']) {
      found.push(element.getAttribute(name) ?? '');
    }
  }
  return found.filter(isRaw).map((text) => `raw: ${text.trim()}`);
}

/** Labels, choices and placeholders that do not fit. */
export function cutOff(root: Area): string[] {
  const context = document.createElement('canvas').getContext('2d')!;
  const flaws: string[] = [];
  for (const element of root.querySelectorAll<HTMLElement>('label, summary, button, .form-tips')) {
    if (!element.checkVisibility() || element.scrollWidth <= element.clientWidth + 1) continue;
    if (element.clientWidth > 0) flaws.push(`cut off: ${element.textContent.trim()}`);
  }
  for (const select of root.querySelectorAll('select')) {
    if (!select.checkVisibility()) continue;
    for (const option of select.options) {
      const free = document.createElement('select');
      free.append(option.cloneNode(true));
      free.style.cssText = 'position: absolute; width: auto !important; min-width: 0 !important';
      select.parentElement!.append(free);
      const excess = free.offsetWidth - select.offsetWidth;
      free.remove();
      if (excess > 1) flaws.push(`choice cut off by ${excess} px: ${option.text}`);
    }
  }
  for (const field of root.querySelectorAll('input')) {
    if (!field.checkVisibility() || !field.placeholder) continue;
    const style = getComputedStyle(field);
    context.font = style.font;
    const room =
      field.clientWidth -
      Number.parseFloat(style.paddingLeft) -
      Number.parseFloat(style.paddingRight);
    const excess = context.measureText(field.placeholder).width - room;
    if (excess > 0) {
      flaws.push(`placeholder cut off by ${Math.ceil(excess)} px: ${field.placeholder}`);
    }
  }
  return flaws;
}

/** Rows that lie upon one another, labels on their fields, and what sticks out to the right. */
export function overlaps(root: Area): string[] {
  const flaws: string[] = [];
  const seen = (selector: string, within: Element = root): Element[] =>
    [...within.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  const edge = root.getBoundingClientRect().right + 1;
  let last = { bottom: -Infinity, text: '' };
  for (const row of seen('.form-row, .form-tips, summary')) {
    const { top, bottom } = row.getBoundingClientRect();
    const text = row.textContent.trim().slice(0, 40);
    if (top < last.bottom - 1) flaws.push(`overlap: ${last.text} / ${text}`);
    last = { bottom, text };
    const [label, field] = seen(':scope > label, :scope > :not(label)', row);
    if (label?.tagName !== 'LABEL' || field === undefined) continue;
    const [one, other] = [label.getBoundingClientRect(), field.getBoundingClientRect()];
    const apart = one.right <= other.left + 1 || one.bottom <= other.top + 1;
    if (!apart) flaws.push(`label on its field: ${text}`);
  }
  for (const element of seen('*')) {
    const { right } = element.getBoundingClientRect();
    const holder = element.closest('textarea, select, datalist, code, pre');
    if (right > edge && holder === null) {
      flaws.push(`sticks out by ${Math.ceil(right - edge)} px: ${element.tagName} ${element.id}`);
    }
  }
  return flaws;
}

/** Fields and buttons whose purpose a screen reader cannot tell. */
export function namelessFields(root: Area): string[] {
  const flaws: string[] = [];
  type Field = HTMLInputElement;
  for (const field of root.querySelectorAll<Field>('input, select, textarea, button')) {
    if (!field.checkVisibility()) continue;
    const ids = (field.getAttribute('aria-labelledby') ?? '').split(/\s+/);
    const names = [
      field.getAttribute('aria-label') ?? '',
      field.getAttribute('title') ?? '',
      ...ids.map((id) => document.getElementById(id)?.textContent ?? ''),
      ...[...(field.labels ?? [])].map((label) => label.textContent),
      field.tagName === 'BUTTON' ? field.textContent : '',
    ];
    if (names.every((name) => name.trim() === '')) {
      flaws.push(`no name: ${field.tagName} ${field.id || field.className}`);
    }
  }
  return flaws;
}

/** Numbers the fields and buttons that can be seen, and returns what they are called. */
export function markFields(root: Area): string[] {
  const marks: string[] = [];
  const selector = 'input, select, textarea, button, summary, [tabindex="0"]';
  for (const field of root.querySelectorAll<HTMLInputElement>(selector)) {
    if (!field.checkVisibility() || field.disabled || field.getAttribute('tabindex') === '-1') {
      continue;
    }
    const mark = `${marks.length} ${field.tagName} ${field.id || field.className}`;
    field.setAttribute('data-mark', mark);
    marks.push(mark);
  }
  return marks;
}

/** What {@link markFields} called the field that has the focus; undefined outside of `root`. */
export function focusedMark(root: Area): string | undefined {
  const field = document.activeElement;
  if (field === null || !root.contains(field)) return undefined;
  return field.getAttribute('data-mark') ?? `unmarked ${field.tagName} ${field.className}`;
}

/**
 * Texts that are hard to read on what is behind them: contrast below 4.5 to 1 (WCAG 2.2, 1.4.3). Links
 * and buttons look as everywhere in Node-RED, whose own colours for them have less.
 */
export function faintTexts(root: Area): string[] {
  type Colour = readonly [red: number, green: number, blue: number, alpha: number];
  const parse = (text: string): Colour => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
    // What is mixed comes as `color(srgb 0.4 0.4 0.4)`, all else as `rgb(102, 102, 102)`.
    const scale = text.startsWith('color(srgb ') ? 255 : 1;
    return [red * scale, green * scale, blue * scale, alpha];
  };
  const mix = (front: Colour, back: Colour): Colour => {
    const part = (index: 0 | 1 | 2): number =>
      front[index] * front[3] + back[index] * (1 - front[3]);
    return [part(0), part(1), part(2), 1];
  };
  const behind = (element: Element | null): Colour => {
    if (element === null) return [255, 255, 255, 1];
    const own = parse(getComputedStyle(element).backgroundColor);
    return own[3] === 1 ? own : mix(own, behind(element.parentElement));
  };
  const luminance = ([red, green, blue]: Colour): number => {
    const linear = [red, green, blue].map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
  };
  const contrast = (front: Colour, back: Colour): number => {
    const [dark, light] = [luminance(front), luminance(back)].toSorted((a, b) => a - b);
    return (light! + 0.05) / (dark! + 0.05);
  };
  const theirs = 'script, style, option, .red-ui-button, .red-ui-button *, .tftp-sidebar-node';
  const flaws: string[] = [];
  for (const element of root.querySelectorAll('*')) {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === Node.TEXT_NODE)
      .map((node) => node.nodeValue?.trim())
      .join('');
    if (text === '' || !element.checkVisibility() || element.matches(theirs)) {
      continue;
    }
    const back = behind(element);
    const ratio = contrast(mix(parse(getComputedStyle(element).color), back), back);
    if (ratio < 4.5) flaws.push(`faint (${ratio.toFixed(2)}): ${text.slice(0, 40)}`);
  }
  return flaws;
}
