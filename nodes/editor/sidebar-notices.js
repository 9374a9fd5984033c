// What the sidebar says where there is no list to show, and what it says to screen readers.
(function () {
  'use strict';

  const NODE_TYPES = ['tftp-server', 'tftp-get', 'tftp-put'];

  /** Failures are read out at most so often. */
  const QUIET = 5000;

  /** The notice in place of the list. `actions`: `retry`, `clear`, `examples`. */
  function create(actions) {
    const { dom } = tftpSidebar;
    const element = dom.make('div', 'tftp-sidebar-notice', undefined, {
      ...{ id: 'tftp-sidebar-notice', role: 'status' },
    });
    let shown;

    /** Shows the notice of this name; none if it is undefined. */
    function show(name) {
      if (name === shown) return;
      shown = name;
      element.hidden = name === undefined;
      element.replaceChildren(...(name === undefined ? [] : partsOf(name, actions)));
    }

    element.hidden = true;
    return { element, show };
  }

  const NOTICES = {
    loading: { icon: 'refresh' },
    lost: { icon: 'chain-broken', action: 'retry' },
    forbidden: { icon: 'lock', action: 'retry' },
    missing: { icon: 'question-circle-o', action: 'retry' },
    noNodes: { icon: 'exchange', action: 'examples' },
    nothing: { icon: 'exchange' },
    filtered: { icon: 'filter', action: 'clear' },
  };

  function partsOf(name, actions) {
    const { dom, words } = tftpSidebar;
    const { icon, action } = NOTICES[name];
    const picture = dom.make('div', 'tftp-sidebar-notice-icon');
    dom.icon(picture, icon);
    const title = dom.make('p', 'tftp-sidebar-notice-title', words.text(`notice.${name}.title`));
    const parts = [picture, title];
    if (name !== 'loading') parts.push(dom.make('p', '', words.text(`notice.${name}.text`)));
    if (action) {
      const bar = dom.make('p', '');
      dom.button(bar, '', '', words.text(`notice.${action}`), actions[action]);
      parts.push(bar);
    }
    return parts;
  }

  /** Which notice stands in place of the list, if any. */
  function choose({ state, problem, items, countNodes }) {
    if (problem !== undefined) return problem;
    if (state.sequence === undefined) return 'loading';
    if (items.length > 0) return undefined;
    if (state.live.size + state.finished.length > 0) return 'filtered';
    return countNodes() === 0 ? 'noNodes' : 'nothing';
  }

  /** Reads failures out, the first at once and what follows soon in one sentence. */
  function createAnnouncer(setTimer) {
    const { dom, words } = tftpSidebar;
    const element = dom.make('div', 'tftp-sidebar-reader', undefined, {
      ...{ role: 'log', 'aria-live': 'polite' },
    });
    let failures = [];
    let isQuiet = false;

    function announce(rows) {
      const failed = rows.filter((row) => tftpSidebar.state.outcomeOf(row) === 'failed');
      failures = [...failed, ...failures];
      if (!isQuiet) speak();
    }

    function speak() {
      isQuiet = failures.length > 0;
      if (!isQuiet) return;
      const [{ filename, host, error }] = failures;
      const values = { filename, host, reason: words.reason(error) };
      const count = words.number(failures.length);
      const key = failures.length === 1 ? 'announce.one' : 'announce.several';
      element.textContent = words.text(key, { ...values, count });
      failures = [];
      setTimer(speak, QUIET);
    }

    return { element, announce };
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.notices = { NODE_TYPES, create, choose, createAnnouncer };
})();
