// Which of the transfers are shown, and in which order. Pure, but for the browser's memory.
(function () {
  'use strict';

  const MEMORY = 'tftp-sidebar-filter';

  /** Which outcomes each choice shows; a choice that is not here shows all of them. */
  const OUTCOMES = {
    running: ['running'],
    completed: ['completed'],
    failed: ['failed'],
    quiet: ['probe', 'expected'],
    cancelled: ['cancelled'],
  };
  const CHOICES = ['all', ...Object.keys(OUTCOMES)];

  /** Shows everything. */
  function everything() {
    return { text: '', node: '', outcome: 'all' };
  }

  function isEverything({ text, node, outcome }) {
    return text.trim() === '' && node === '' && outcome === 'all';
  }

  /**
   * What the list shows, from top to bottom: what is running, the oldest first, and below it what is
   * over, the newest first, each group under a heading.
   */
  function itemsOf(state, filter) {
    const live = [...state.live.values()].filter((row) => isShown(row, filter, state.nodes));
    const finished = state.finished.filter((row) => isShown(row, filter, state.nodes));
    const unlisted = isEverything(filter) ? state.liveCount - state.live.size : 0;
    return [...group('running', live, Math.max(0, unlisted)), ...group('finished', finished, 0)];
  }

  function group(name, rows, unlisted) {
    if (rows.length === 0) return [];
    const heading = { kind: 'heading', key: `heading-${name}`, group: name, count: rows.length };
    return [
      { ...heading, unlisted },
      ...rows.map((row, index) => ({
        kind: 'row',
        key: row.id,
        group: name,
        row,
        place: index + 1,
        count: rows.length,
      })),
    ];
  }

  function isShown(row, { text, node, outcome }, nodes) {
    if (node !== '' && row.node !== node) return false;
    if (OUTCOMES[outcome] && !OUTCOMES[outcome].includes(tftpSidebar.state.outcomeOf(row)))
      return false;
    const wanted = text.trim().toLowerCase();
    return wanted === '' || wordsOf(row, nodes.get(row.node)).includes(wanted);
  }

  function wordsOf({ filename, servedAs, host, mac }, node) {
    return [filename, servedAs, host, mac, node?.name].join('\n').toLowerCase();
  }

  /** The filter that was used last in this tab of the browser. */
  function remembered() {
    try {
      const { text, node, outcome } = JSON.parse(sessionStorage.getItem(MEMORY)) ?? {};
      return {
        text: String(text ?? ''),
        node: String(node ?? ''),
        outcome: CHOICES.includes(outcome) ? outcome : 'all',
      };
    } catch {
      return everything();
    }
  }

  /** Browsers may be told to store nothing: then the filter is forgotten, and nothing else happens. */
  function remember(filter) {
    try {
      sessionStorage.setItem(MEMORY, JSON.stringify(filter));
    } catch {
      return;
    }
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.filter = {
    CHOICES,
    everything,
    isEverything,
    itemsOf,
    remembered,
    remember,
  };
})();
