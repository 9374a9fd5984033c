// What stands above the list: the rates and the chart, the counters, and the filter.
(function () {
  'use strict';

  const COUNTERS = [
    { outcome: 'running', icon: 'play', count: (state) => state.liveCount },
    { outcome: 'completed', icon: 'check', count: ({ totals }) => totals.completed },
    { outcome: 'failed', icon: 'exclamation-triangle', count: ({ totals }) => totals.failed },
    {
      outcome: 'quiet',
      icon: 'bell-slash-o',
      count: ({ totals }) => totals.probes + totals.expected,
    },
    { outcome: 'cancelled', icon: 'ban', count: ({ totals }) => totals.cancelled },
  ];

  /** Builds the head. `onFilter` is called with each new filter. */
  function create(filter, onFilter) {
    const { dom, words } = tftpSidebar;
    const element = dom.make('div', 'tftp-sidebar-head', undefined, { id: 'tftp-sidebar-head' });
    const rates = buildRates(element);
    const chart = tftpSidebar.chart.create();
    element.appendChild(chart.element);
    const counters = buildCounters(element, (outcome) => {
      change({ outcome: filter.outcome === outcome ? 'all' : outcome });
    });
    const fields = buildFilter(element, filter, change);

    function change(part) {
      filter = { ...filter, ...part };
      onFilter(filter);
      showFilter();
    }

    function showFilter() {
      fields.show(filter);
      for (const [outcome, { button }] of counters) {
        dom.setAttribute(button, 'aria-pressed', String(filter.outcome === outcome));
      }
    }

    function update(state) {
      if (state.totals === undefined) return;
      rates(state.totals);
      chart.update(state.throughput);
      for (const { outcome, count } of COUNTERS) {
        const { button, number } = counters.get(outcome);
        dom.setText(number, words.number(count(state)));
        button.classList.toggle('tftp-sidebar-none', count(state) === 0);
      }
      fields.listNodes([...state.nodes.values()]);
      showFilter();
    }

    return { element, update, clear: () => change(tftpSidebar.filter.everything()) };
  }

  function buildRates(parent) {
    const { dom, words } = tftpSidebar;
    const line = dom.add(parent, 'div', 'tftp-sidebar-rates');
    const [down, up] = ['down', 'up'].map((way) => {
      const title = words.text(`head.${way}`);
      const box = dom.add(line, 'span', `tftp-sidebar-now tftp-sidebar-${way}`, undefined, {
        title,
      });
      dom.icon(box, `arrow-${way}`);
      dom.add(box, 'span', 'tftp-sidebar-reader', title);
      return dom.add(box, 'span', 'tftp-sidebar-number');
    });
    const since = dom.add(line, 'span', 'tftp-sidebar-since');
    return (totals) => {
      dom.setText(down, words.rate(totals.rateDown));
      dom.setText(up, words.rate(totals.rateUp));
      dom.setText(since, words.text('head.since', { time: words.clock(totals.since) }));
      const sums = { down: words.bytes(totals.bytesDown), up: words.bytes(totals.bytesUp) };
      const started = { since: words.dateTime(totals.since) };
      dom.setAttribute(since, 'title', words.text('head.sums', { ...sums, ...started }));
    };
  }

  function buildCounters(parent, onChoose) {
    const { dom, words } = tftpSidebar;
    const label = words.text('head.counters');
    const line = dom.add(parent, 'div', 'tftp-sidebar-counters', undefined, {
      role: 'group',
      'aria-label': label,
    });
    return new Map(
      COUNTERS.map(({ outcome, icon }) => {
        const button = dom.add(line, 'button', 'tftp-sidebar-counter', undefined, {
          type: 'button',
          title: words.text(`filter.${outcome}`),
          'aria-pressed': 'false',
          'data-outcome': outcome,
        });
        button.addEventListener('click', () => onChoose(outcome));
        dom.icon(button, icon);
        const number = dom.add(button, 'b', '', '0');
        button.append(' ');
        dom.add(button, 'span', 'tftp-sidebar-counter-word', words.text(`counter.${outcome}`));
        return [outcome, { button, number }];
      }),
    );
  }

  function buildFilter(parent, filter, onChange) {
    const { dom, words } = tftpSidebar;
    const form = dom.add(parent, 'div', 'tftp-sidebar-filter', undefined, { role: 'search' });
    const search = dom.add(form, 'input', 'tftp-sidebar-field', undefined, {
      ...{
        type: 'search',
        id: 'tftp-sidebar-filter-text',
        autocomplete: 'off',
        spellcheck: 'false',
      },
      ...{ placeholder: words.text('filter.text'), 'aria-label': words.text('filter.text') },
      title: words.text('filter.textTip'),
    });
    search.value = filter.text;
    search.addEventListener('input', () => onChange({ text: search.value }));
    const node = select(form, 'node', (value) => onChange({ node: value }));
    const outcome = select(form, 'outcome', (value) => onChange({ outcome: value }));
    for (const choice of tftpSidebar.filter.CHOICES)
      dom.add(outcome, 'option', '', words.text(`filter.${choice}`), { value: choice });
    let listed;

    function listNodes(nodes) {
      const names = nodes.map((item) => [item.id, words.nodeName(item)]);
      const known = JSON.stringify(names);
      if (known === listed) return;
      listed = known;
      // While its list is open, a select must stay as it is.
      const chosen = node.value || filter.node;
      node.replaceChildren(dom.make('option', '', words.text('filter.anyNode'), { value: '' }));
      names.sort((a, b) => a[1].localeCompare(b[1]));
      for (const [value, name] of names) dom.add(node, 'option', '', name, { value });
      node.value = chosen;
    }

    function show(shown) {
      filter = shown;
      if (search.value !== shown.text) search.value = shown.text;
      if (outcome.value !== shown.outcome) outcome.value = shown.outcome;
      if (node.value !== shown.node) node.value = shown.node;
    }

    return { listNodes, show };
  }

  function select(form, name, onChange) {
    const { dom, words } = tftpSidebar;
    const made = dom.add(form, 'select', 'tftp-sidebar-field', undefined, {
      id: `tftp-sidebar-filter-${name}`,
      'aria-label': words.text(`filter.by.${name}`),
      title: words.text(`filter.by.${name}`),
    });
    made.addEventListener('change', () => onChange(made.value));
    return made;
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.head = { create };
})();
