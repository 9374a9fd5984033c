// The list of transfers: a tree grid of which only the rows that can be seen are in the page.
(function () {
  'use strict';

  /** Heights in pixels: those of sidebar.css. */
  const HEADING = 26;
  const ROW = { narrow: 62, medium: 46, wide: 30 };

  /** Rows beyond the edges, so that scrolling does not show gaps. */
  const MARGIN = 120;

  /**
   * Builds the list. `openDetails(id)` makes the element that unfolds below a row; `cancel(id)`
   * cancels a transfer.
   */
  function create({ openDetails, cancel }) {
    const { dom, words } = tftpSidebar;
    const element = dom.make('div', 'tftp-sidebar-list', undefined, { id: 'tftp-sidebar-list' });
    const grid = dom.add(element, 'div', 'tftp-sidebar-grid', undefined, {
      role: 'treegrid',
      'aria-label': words.text('list.label'),
    });
    buildColumns(grid);
    const canvas = dom.add(grid, 'div', 'tftp-sidebar-canvas', undefined, { role: 'rowgroup' });
    const shown = new Map();
    let layout = { items: [], tops: [], height: 0 };
    let size = 'medium';
    let context = { now: 0, canCancel: false };
    let focusKey;
    const drawSoon = dom.oncePerFrame(draw);

    const question = tftpSidebar.question.create((id, isYes) => {
      focusRow(id);
      if (isYes) cancel(id);
    });

    element.addEventListener('scroll', drawSoon, { passive: true });
    canvas.addEventListener('click', onClick);
    canvas.addEventListener('keydown', onKey);
    canvas.addEventListener('focusin', ({ target }) => {
      const row = target.closest('.tftp-sidebar-row');
      if (row) focusKey = row.dataset.id;
    });
    const unfolding = tftpSidebar.unfolding.create({
      openDetails,
      onResize: () => {
        update(layout.items, context);
        if (unfolding.isNew()) showDetails();
      },
    });

    /** Shows these items. `facts`: the runtime's time `now`, and `canCancel`. */
    function update(items, facts) {
      context = facts;
      const listed = unfolding.insertInto(items.filter(({ kind }) => kind !== 'details'));
      const hadFocus = canvas.contains(document.activeElement);
      const lost = layout.items.findIndex(({ key }) => key === focusKey);
      const next = { items: listed, ...tftpSidebar.list.layOut(listed, heightOf) };
      const from = element.scrollTop;
      const shift = from > 0 ? tftpSidebar.list.shift(layout, next, from) : 0;
      layout = next;
      canvas.style.height = `${layout.height}px`;
      if (shift !== 0) element.scrollTop = from + shift;
      if (placeOf(focusKey) < 0) focusKey = neighbour(lost);
      draw();
      if (hadFocus && !canvas.contains(document.activeElement)) focusRow(focusKey);
    }

    function heightOf({ kind }) {
      if (kind === 'heading') return HEADING;
      if (kind === 'row') return ROW[size];
      return unfolding.height();
    }

    /** Puts what can be seen into the page, and takes out what cannot. */
    function draw() {
      const from = element.scrollTop - MARGIN;
      const to = element.scrollTop + element.clientHeight + MARGIN;
      const { first, end } = tftpSidebar.list.between(layout.tops, from, to);
      // The row with the focus and the details stay, however far they are scrolled away.
      const kept = [placeOf(focusKey), placeOf(unfolding.key())];
      const others = kept.filter((index) => index >= 0 && (index < first || index >= end));
      const seen = Array.from({ length: end - first }, (_, index) => first + index);
      const indexes = [...seen, ...others].sort((a, b) => a - b);
      const wanted = indexes.map((index) => ({ item: layout.items[index], index }));
      const keys = new Set(wanted.map(({ item }) => item.key));
      for (const [key, part] of shown) {
        if (keys.has(key)) continue;
        part.element.remove();
        shown.delete(key);
      }
      wanted.forEach(({ item, index }) => drawItem(item, layout.tops[index]));
      order(wanted.map(({ item }) => shown.get(item.key).element));
    }

    function drawItem(item, top) {
      if (!shown.has(item.key)) shown.set(item.key, build(item));
      const part = shown.get(item.key);
      if (part.top !== top) part.element.style.transform = `translateY(${top}px)`;
      part.top = top;
      if (item.kind === 'details') return;
      const outcome = item.row && tftpSidebar.state.outcomeOf(item.row);
      part.update({
        ...item,
        ...context,
        outcome,
        isWide: size === 'wide',
        isOpen: unfolding.id() === item.key,
        isTabStop: item.key === focusKey,
      });
      if (question.askedId() === item.key && outcome !== 'running') question.stop();
    }

    function build({ kind, key }) {
      if (kind === 'heading') return tftpSidebar.row.createHeading();
      return kind === 'row' ? tftpSidebar.row.createRow(key) : { element: unfolding.element() };
    }

    /** Puts the elements in the order in which they are read. What moves keeps the focus. */
    function order(elements) {
      let place = canvas.firstChild;
      for (const part of elements) {
        if (part === place) {
          place = place.nextSibling;
          continue;
        }
        const focused = part.contains(document.activeElement) ? document.activeElement : undefined;
        canvas.insertBefore(part, place);
        focused?.focus({ preventScroll: true });
      }
    }

    function placeOf(key) {
      return key === undefined ? -1 : layout.items.findIndex((item) => item.key === key);
    }

    /** The row that is nearest to an index: the tab key enters the list there. */
    function neighbour(index) {
      const rows = layout.items.filter(({ kind }) => kind === 'row');
      if (rows.length === 0) return undefined;
      const behind = layout.items.slice(Math.max(0, index)).find(({ kind }) => kind === 'row');
      return (behind ?? rows.at(-1)).key;
    }

    function onClick(event) {
      const row = event.target.closest('.tftp-sidebar-row');
      if (row === null || event.target.closest('.tftp-sidebar-question')) return;
      if (event.target.closest('.tftp-sidebar-cancel')) ask(row.dataset.id);
      else toggle(row.dataset.id);
    }

    function onKey(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === 'Escape' && leave()) {
        event.preventDefault();
        event.stopPropagation();
        return;
      }
      if (!event.target.classList.contains('tftp-sidebar-row')) return;
      const action = KEYS[event.key];
      if (action === undefined) return;
      event.preventDefault();
      // Users can give these keys to the whole editor: then they would do two things at once.
      event.stopPropagation();
      action(event.target.dataset.id);
    }

    const KEYS = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      PageDown: () => move(Math.max(1, Math.floor(element.clientHeight / ROW[size]) - 1)),
      PageUp: () => move(-Math.max(1, Math.floor(element.clientHeight / ROW[size]) - 1)),
      Home: () => move(-Infinity),
      End: () => move(Infinity),
      Enter: (id) => toggle(id),
      ' ': (id) => toggle(id),
      ArrowRight: (id) => unfolding.id() !== id && toggle(id),
      ArrowLeft: (id) => unfolding.id() === id && toggle(id),
      Delete: (id) => ask(id),
    };

    function move(steps) {
      const rows = layout.items.filter(({ kind }) => kind === 'row');
      const now = rows.findIndex(({ key }) => key === focusKey);
      const next = rows[Math.min(rows.length - 1, Math.max(0, now + steps))];
      if (next) focusRow(next.key);
    }

    function focusRow(key) {
      const index = placeOf(key);
      if (index < 0) return;
      focusKey = key;
      const top = layout.tops[index];
      const bottom = top + ROW[size] + grid.firstChild.offsetHeight;
      if (top < element.scrollTop) element.scrollTop = Math.max(0, index === 1 ? 0 : top);
      else if (bottom > element.scrollTop + element.clientHeight)
        element.scrollTop = bottom - element.clientHeight;
      draw();
      shown.get(key).element.focus({ preventScroll: true });
    }

    function toggle(id) {
      focusKey = id;
      if (unfolding.id() === id) unfolding.fold();
      else unfolding.unfold(id);
      update(layout.items, context);
      focusRow(id);
    }

    /** Scrolls to what was unfolded: as much of it as there is room for, but not past its row. */
    function showDetails() {
      const top = layout.tops[placeOf(unfolding.id())];
      const room = element.clientHeight - grid.firstChild.offsetHeight;
      const bottom = top + ROW[size] + unfolding.height();
      if (bottom > element.scrollTop + room) element.scrollTop = Math.min(top, bottom - room);
    }

    /** Escape: closes the question, else the details. Tells whether there was something to close. */
    function leave() {
      const asked = question.askedId();
      const id = asked ?? unfolding.id();
      if (id === undefined) return false;
      if (asked === undefined) toggle(id);
      question.stop();
      focusRow(id);
      return true;
    }

    /** Asks in the row whether its transfer shall be cancelled. */
    function ask(id) {
      const item = layout.items[placeOf(id)];
      const isRunning = item && tftpSidebar.state.outcomeOf(item.row) === 'running';
      if (isRunning && context.canCancel) question.ask(id, shown.get(id).element);
    }

    /** `narrow`, `medium` or `wide`: how many lines a row has. */
    function resize(name) {
      size = name;
      update(layout.items, context);
    }

    return { element, update, resize };
  }

  function buildColumns(grid) {
    const { dom, words } = tftpSidebar;
    const columns = dom.add(grid, 'div', 'tftp-sidebar-columns', undefined, { role: 'row' });
    for (const name of tftpSidebar.row.CELLS) {
      const title = words.text(`column.${name}`);
      const column = dom.add(columns, 'span', `tftp-sidebar-${name}`, undefined, {
        ...{ role: 'columnheader', title },
      });
      const isPicture = name === 'icon' || name === 'action';
      dom.add(column, 'span', isPicture ? 'tftp-sidebar-reader' : '', title);
    }
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.table = { create };
})();
