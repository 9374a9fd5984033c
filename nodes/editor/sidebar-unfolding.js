// The row that is unfolded, one at a time, and the element below it.
(function () {
  'use strict';

  /** In pixels, before it is measured. */
  const HEIGHT = 200;

  /** `openDetails(id)` makes what is shown; `onResize` is called when its height is another one. */
  function create({ openDetails, onResize }) {
    const { dom } = tftpSidebar;
    const measure = new ResizeObserver(() => open && onResize());
    let open;

    function unfold(id) {
      fold();
      const element = dom.make('div', 'tftp-sidebar-details-row', undefined, {
        ...{ role: 'row', 'aria-level': '3' },
      });
      open = { id, key: `details-${id}`, element, isNew: true };
      measure.observe(element);
    }

    /** Harmless if nothing is unfolded. */
    function fold() {
      if (open === undefined) return;
      measure.unobserve(open.element);
      open.element.remove();
      open = undefined;
    }

    /** Items with the one of the details. They fold when their row is gone, or hidden by a filter. */
    function insertInto(items) {
      const index = open === undefined ? -1 : items.findIndex(({ key }) => key === open.id);
      if (index < 0) {
        fold();
        return items;
      }
      fill(tftpSidebar.state.outcomeOf(items[index].row));
      const item = { kind: 'details', key: open.key, group: items[index].group };
      return [...items.slice(0, index + 1), item, ...items.slice(index + 1)];
    }

    /** What there is to tell changes when the transfer ends. */
    function fill(outcome) {
      if (open.outcome === outcome) return;
      open.outcome = outcome;
      const details = openDetails(open.id);
      details.setAttribute('role', 'gridcell');
      open.element.replaceChildren(details);
    }

    /** True until the details are there: so long the list scrolls to them. */
    function isNew() {
      const wasNew = open.isNew;
      open.isNew = wasNew && open.element.querySelector('.tftp-sidebar-loading') !== null;
      return wasNew;
    }

    return {
      unfold,
      fold,
      insertInto,
      isNew,
      id: () => open?.id,
      key: () => open?.key,
      element: () => open.element,
      height: () => open.element.offsetHeight || HEIGHT,
    };
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.unfolding = { create };
})();
