// The tab "TFTP" in the editor's sidebar: joins its parts, and knows when it is seen.
(function () {
  'use strict';

  const TAB = 'tftp';
  const ACTION = 'tftp:show-sidebar';

  /** Ages grow while nothing is told. */
  const TICK = 1000;

  /** From so many pixels on a row has two lines, and one. */
  const WIDTHS = { medium: 240, wide: 500 };

  /** Below so many pixels the head gives room to the list: Node-RED 5 puts two tabs above each other. */
  const LOW = 420;

  /** Puts the tab into the sidebar. */
  function add() {
    const { text } = tftpSidebar.words;
    RED.actions.add(ACTION, () => RED.sidebar.show(TAB), { label: text('action') });
    RED.sidebar.addTab({
      id: TAB,
      label: text('label'),
      name: text('name'),
      iconClass: 'fa fa-exchange',
      pinned: true,
      content: build(),
      action: ACTION,
      enableOnEdit: true,
    });
  }

  function build() {
    const { dom } = tftpSidebar;
    const root = dom.make('div', 'tftp-sidebar tftp-sidebar-medium', undefined, {
      id: 'tftp-sidebar',
    });
    let state = tftpSidebar.state.empty();
    let filter = tftpSidebar.filter.remembered();
    let problem;
    const drawSoon = dom.oncePerFrame(draw);
    let tick;

    const feed = tftpSidebar.feed.create({
      ajax: (request) => $.ajax(request),
      comms: RED.comms,
      now: Date.now,
      setTimeout: window.setTimeout.bind(window),
      clearTimeout: window.clearTimeout.bind(window),
      onChange,
      onProblem,
    });
    const head = tftpSidebar.head.create(filter, (chosen) => {
      filter = chosen;
      tftpSidebar.filter.remember(filter);
      drawSoon();
    });
    const table = tftpSidebar.table.create({
      openDetails: (id) => tftpSidebar.details.open(() => feed.details(id), { reveal, copy }),
      cancel: (id) => cancel(feed, id),
    });
    const notice = tftpSidebar.notices.create({
      retry: () => feed.load(),
      clear: () => head.clear(),
      examples: () => RED.actions.invoke('core:show-examples-import-dialog'),
    });
    const announcer = tftpSidebar.notices.createAnnouncer(window.setTimeout.bind(window));
    root.append(head.element, notice.element, table.element, announcer.element);
    watchSize(root, table.resize);
    RED.events.on('login', feed.load);
    watchVisibility(root, show, hide);

    function onChange(now, finished) {
      state = now;
      announcer.announce(finished);
      drawSoon();
    }

    function onProblem(found) {
      problem = found;
      drawSoon();
    }

    function show() {
      feed.show();
      tick = window.setInterval(() => drawSoon(), TICK);
      drawSoon();
    }

    function hide() {
      feed.hide();
      window.clearInterval(tick);
    }

    function draw() {
      const items = tftpSidebar.filter.itemsOf(state, filter);
      const shown = tftpSidebar.notices.choose({ state, problem, items, countNodes });
      notice.show(shown);
      root.classList.toggle('tftp-sidebar-stale', problem !== undefined);
      head.element.hidden = state.totals === undefined || isNew(state);
      table.element.hidden = items.length === 0 || problem === 'forbidden';
      head.update(state);
      table.update(items, {
        now: Date.now() + state.clockOffset,
        canCancel: problem === undefined,
      });
    }

    return root;
  }

  /** Nothing has ever been transferred: there is nothing to count, to draw or to filter. */
  function isNew({ totals, live, finished }) {
    const { completed, failed, expected, probes, cancelled } = totals;
    return completed + failed + expected + probes + cancelled + live.size + finished.length === 0;
  }

  function countNodes() {
    return tftpSidebar.notices.NODE_TYPES.reduce(
      (sum, type) => sum + RED.nodes.filterNodes({ type }).length,
      0,
    );
  }

  function reveal(node) {
    RED.view.reveal(node.reveal);
  }

  function copy(record, button) {
    const json = JSON.stringify(record, null, 2);
    RED.clipboard.copyText(json, $(button), tftpSidebar.words.text('details.copied'));
  }

  async function cancel(feed, id) {
    try {
      await feed.cancel(id);
    } catch (answer) {
      const reason = refusalOf(answer);
      const type = reason === 'forbidden' ? 'error' : 'warning';
      RED.notify(tftpSidebar.words.text(`cancel.${reason}`), type);
    }
  }

  function refusalOf({ status }) {
    if (status === 401 || status === 403) return 'forbidden';
    return status === 404 ? 'over' : 'lost';
  }

  /** Rows have one, two or three lines, by the width of the sidebar. */
  function watchSize(root, onSize) {
    let shown = 'medium';
    new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width === 0) return;
      const size = sizeOf(contentRect.width);
      root.classList.toggle('tftp-sidebar-short', contentRect.height < LOW);
      root.classList.replace(`tftp-sidebar-${shown}`, `tftp-sidebar-${size}`);
      shown = size;
      onSize(size);
    }).observe(root);
  }

  function sizeOf(width) {
    if (width >= WIDTHS.wide) return 'wide';
    return width >= WIDTHS.medium ? 'medium' : 'narrow';
  }

  /** Seen means: the tab is the open one, the sidebar is not folded, and the window is in front. */
  function watchVisibility(root, onShow, onHide) {
    let isOnPage = false;
    let isSeen = false;
    const look = () => {
      const now = isOnPage && !document.hidden;
      if (now === isSeen) return;
      isSeen = now;
      if (isSeen) onShow();
      else onHide();
    };
    new IntersectionObserver((entries) => {
      isOnPage = entries.at(-1).isIntersecting;
      look();
    }).observe(root);
    document.addEventListener('visibilitychange', look);
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.add = add;
})();
