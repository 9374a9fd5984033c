/** Where the nodes of a flow are in the editor. */

import type { SavedNode } from './examples';

/** A rectangle on a tab, in the editor's pixels. */
export interface Place {
  readonly id: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The editor's measures: nodes are as wide as a multiple of this, and not narrower or lower than these. */
const GRID = 20;
const LEAST_WIDTH = 100;
const LEAST_HEIGHT = 30;
/** The icon, the margins and an output each take so much. */
const ICON_AND_MARGINS = 50;
const OUTPUT_HEIGHT = 15;
/** The button of an inject or debug node sticks out by this. */
const BUTTON = 26;
/** A character of the editor's label, on the average. */
const CHARACTER = 7;

/** The rectangle that a node takes up, with its button; the width of its label is estimated. */
export function placeOf(node: SavedNode): Place {
  const { id, type, name, address = '', port = '', x = 0, y = 0, wires = [] } = node;
  const label = name || `tftp ${address}:${port}`;
  const text = label.length * CHARACTER + ICON_AND_MARGINS;
  const width = Math.max(LEAST_WIDTH, GRID * Math.floor(text / GRID));
  const height = Math.max(LEAST_HEIGHT, wires.length * OUTPUT_HEIGHT);
  const left = x - width / 2 - (type === 'inject' ? BUTTON : 0);
  const button = type === 'inject' || type === 'debug' ? BUTTON : 0;
  return { id, left, top: y - height / 2, width: width + button, height };
}

/** The frame of a group. */
export function placeOfGroup({ id, x = 0, y = 0, w, h }: SavedNode): Place {
  return { id, left: x, top: y, width: Number(w), height: Number(h) };
}

/** The pairs that cover each other, as text. */
export function overlaps(places: readonly Place[]): string[] {
  return places.flatMap((one, index) =>
    places
      .slice(index + 1)
      .filter((other) => covers(one, other))
      .map((other) => `${one.id} and ${other.id}`),
  );
}

function covers(one: Place, other: Place): boolean {
  return (
    one.left < other.left + other.width &&
    other.left < one.left + one.width &&
    one.top < other.top + other.height &&
    other.top < one.top + one.height
  );
}
