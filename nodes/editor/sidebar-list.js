// Where each item of a long list stands, and which of them can be seen. Pure.
(function () {
  'use strict';

  /** The tops of all items, and the height of all together. `heightOf` tells the height of one. */
  function layOut(items, heightOf) {
    let height = 0;
    const tops = items.map((item) => {
      const top = height;
      height += heightOf(item);
      return top;
    });
    return { tops, height };
  }

  /** The items between two heights: the index of the first, and the index after the last one. */
  function between(tops, from, to) {
    const first = Math.max(0, firstFrom(tops, from + 1) - 1);
    return { first, end: Math.max(first, firstFrom(tops, to)) };
  }

  /** The first item whose top is `height` or lower down; the number of items if there is none. */
  function firstFrom(tops, height) {
    let low = 0;
    let high = tops.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (tops[middle] < height) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * How far an item that is seen, and stays in its group, moves by a change: so far the list has to
   * be scrolled to keep still below the reader's eyes. 0 if all that was seen has gone.
   */
  function shift(before, after, from) {
    const places = new Map(after.items.map((item, index) => [item.key, index]));
    for (let index = between(before.tops, from, from).first; index < before.items.length; index++) {
      const place = places.get(before.items[index].key);
      if (place === undefined || after.items[place].group !== before.items[index].group) continue;
      return after.tops[place] - before.tops[index];
    }
    return 0;
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.list = { layOut, between, shift };
})();
