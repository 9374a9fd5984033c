// One row of the list: an element that is built once and told what to show.
(function () {
  'use strict';

  const ICONS = {
    completed: 'check',
    failed: 'exclamation-triangle',
    cancelled: 'ban',
    probe: 'search',
    expected: 'bell-slash-o',
  };

  /** So many characters at the end of a long name stay readable: they tell the version and the kind. */
  const TAIL = 9;

  /** In the order in which they are read. Those of META share a line where a row has several. */
  const CELLS = ['icon', 'file', 'resent', 'state', 'peer', 'rate', 'time', 'age', 'action'];
  const META = ['peer', 'rate', 'time', 'age'];

  /** The heading of a group. */
  function createHeading() {
    const { dom } = tftpSidebar;
    const element = dom.make('div', 'tftp-sidebar-heading', undefined, {
      role: 'row',
      'aria-level': '1',
    });
    const cell = dom.add(element, 'span', '', undefined, { role: 'gridcell' });
    const name = dom.add(cell, 'b', '');
    const count = dom.add(cell, 'span', 'tftp-sidebar-heading-count');
    const unlisted = dom.add(cell, 'span', 'tftp-sidebar-heading-more');
    function update(item) {
      const { text, number } = tftpSidebar.words;
      dom.setText(name, text(`heading.${item.group}`));
      dom.setText(count, number(item.count));
      const values = { count: number(item.unlisted) };
      dom.setText(unlisted, item.unlisted > 0 ? text('heading.unlisted', values) : '');
    }
    return { element, update };
  }

  /** The row of a transfer. */
  function createRow(id) {
    const { dom, words } = tftpSidebar;
    const element = dom.make('div', 'tftp-sidebar-row', undefined, {
      ...{ role: 'row', 'aria-level': '2', tabindex: '-1', 'data-id': id },
      'aria-expanded': 'false',
    });
    const cells = buildCells(element);
    const icon = dom.icon(cells.icon, 'arrow-down');
    const way = dom.add(cells.icon, 'span', 'tftp-sidebar-reader');
    const head = dom.add(cells.file, 'span', 'tftp-sidebar-file-head');
    const tail = dom.add(cells.file, 'span', 'tftp-sidebar-file-tail');
    const arrow = dom.icon(cells.peer, 'arrow-down');
    const peer = dom.add(cells.peer, 'span');
    const track = dom.add(cells.state, 'span', 'tftp-sidebar-track', undefined, {
      ...{ role: 'progressbar', 'aria-valuemin': '0', 'aria-valuemax': '100' },
      'aria-label': words.text('row.progress'),
    });
    const fill = dom.add(track, 'span', 'tftp-sidebar-fill');
    const state = dom.add(cells.state, 'span', 'tftp-sidebar-word');
    const cancel = dom.add(cells.action, 'button', 'tftp-sidebar-cancel', undefined, {
      ...{ type: 'button', tabindex: '-1', title: words.text('row.cancel') },
      'aria-label': words.text('row.cancel'),
    });
    dom.icon(cancel, 'times');
    const chevron = dom.icon(cells.action, 'angle-down');
    chevron.classList.add('tftp-sidebar-chevron');

    function update({ row, outcome, now, canCancel, isWide, place, count, isOpen, isTabStop }) {
      const isRunning = outcome === 'running';
      const direction = row.operation === 'read' ? 'down' : 'up';
      const silent = isRunning && row.retry !== undefined;
      setClass(element, [
        'tftp-sidebar-row',
        `tftp-sidebar-is-${outcome}`,
        `tftp-sidebar-${direction}`,
        ...(silent ? ['tftp-sidebar-silent'] : []),
        ...(isOpen ? ['tftp-sidebar-open'] : []),
        ...(isRunning && row.eta !== null && !silent ? ['tftp-sidebar-timed'] : []),
      ]);
      dom.setAttribute(element, 'aria-posinset', place);
      dom.setAttribute(element, 'aria-setsize', count);
      dom.setAttribute(element, 'aria-expanded', String(isOpen));
      dom.setAttribute(element, 'tabindex', isTabStop ? '0' : '-1');
      setClass(icon, ['fa', `fa-${isRunning ? `arrow-${direction}` : ICONS[outcome]}`]);
      setClass(arrow, ['fa', `fa-arrow-${direction}`]);
      dom.setText(way, words.text(`row.${direction}`));
      dom.setAttribute(cells.icon, 'title', words.text(`row.${direction}`));
      showFile(row);
      dom.setText(peer, row.host);
      dom.setAttribute(cells.peer, 'title', peerTitle(row));
      dom.setText(cells.resent, row.retransmits > 0 ? `↻ ${words.number(row.retransmits)}` : '');
      dom.setAttribute(cells.resent, 'title', words.text('row.resentTip'));
      if (isRunning) showRunning(row, now, silent, isWide);
      else showFinished(row, outcome);
      cancel.hidden = !isRunning || !canCancel;
      chevron.hidden = isRunning && canCancel;
    }

    function showFile({ filename, servedAs }) {
      const cut = filename.length > TAIL * 2 ? filename.length - TAIL : filename.length;
      dom.setText(head, filename.slice(0, cut));
      dom.setText(tail, filename.slice(cut));
      const other = servedAs ? words.text('row.servedAs', { filename, servedAs }) : filename;
      dom.setAttribute(cells.file, 'title', other);
    }

    function showRunning(row, now, silent, isWide) {
      const isKnown = row.percent !== null;
      const amount = isKnown ? words.percent(row.percent) : words.bytes(row.bytes);
      dom.setText(state, amount);
      dom.setAttribute(cells.state, 'title', undefined);
      track.hidden = false;
      track.classList.toggle('tftp-sidebar-endless', !isKnown);
      // Moved by a transform, the fill needs no layout.
      const share = isKnown ? row.percent / 100 : 0;
      fill.style.transform = isKnown ? `scaleX(${share.toFixed(3)})` : '';
      dom.setAttribute(track, 'aria-valuenow', isKnown ? Math.floor(row.percent) : undefined);
      const left = row.eta === null ? '' : words.duration(wholeSeconds(row.eta));
      dom.setText(cells.rate, silent ? retryText(row.retry) : words.rate(row.rate));
      dom.setAttribute(cells.rate, 'title', silent ? words.text('row.retryTip') : undefined);
      const timeLeft = isWide ? left : words.text('row.left', { time: left });
      dom.setText(cells.time, left && !silent ? timeLeft : '');
      dom.setAttribute(cells.time, 'title', words.text('row.leftTip'));
      dom.setText(cells.age, words.duration(wholeSeconds(now - Date.parse(row.started))));
      dom.setAttribute(
        cells.age,
        'title',
        words.text('row.ageTip', { time: words.dateTime(row.started) }),
      );
      dom.setAttribute(track, 'aria-valuetext', progressText(row, amount, silent));
    }

    function showFinished(row, outcome) {
      const word = words.text(`outcome.${outcome}`);
      const isGood = outcome === 'completed';
      const why = row.error && outcome !== 'cancelled' ? words.reason(row.error) : '';
      track.hidden = true;
      dom.setText(state, word);
      dom.setAttribute(cells.state, 'title', row.error?.message);
      dom.setText(cells.rate, isGood ? words.rate(row.averageRate) : why);
      dom.setAttribute(
        cells.rate,
        'title',
        isGood ? words.text('row.averageTip') : row.error?.message,
      );
      dom.setText(cells.time, words.duration(row.elapsed));
      dom.setAttribute(cells.time, 'title', words.text('row.tookTip'));
      dom.setText(cells.age, words.clock(row.finished ?? row.started));
      dom.setAttribute(cells.age, 'title', words.dateTime(row.finished ?? row.started));
    }

    return { element, update };
  }

  function buildCells(element) {
    const { dom } = tftpSidebar;
    const cells = {};
    let meta;
    for (const name of CELLS) {
      if (META.includes(name))
        meta ??= dom.add(element, 'span', 'tftp-sidebar-meta', undefined, { role: 'none' });
      const parent = META.includes(name) ? meta : element;
      cells[name] = dom.add(parent, 'span', `tftp-sidebar-${name}`, undefined, {
        role: 'gridcell',
      });
    }
    return cells;
  }

  function peerTitle({ host, port, mac }) {
    const address = tftpSidebar.words.endpoint(host, port);
    return mac ? `${address}\n${mac}` : address;
  }

  function retryText({ attempt, retries }) {
    const { text, number } = tftpSidebar.words;
    return text('row.retry', { count: `${number(attempt)}/${number(retries)}` });
  }

  function progressText({ rate, retry }, amount, silent) {
    return `${amount}, ${silent ? retryText(retry) : tftpSidebar.words.rate(rate)}`;
  }

  /** At least one: what is counted while somebody looks shall not flicker. */
  function wholeSeconds(ms) {
    return Math.max(1, Math.round(ms / 1000)) * 1000;
  }

  function setClass(element, names) {
    const joined = names.join(' ');
    if (element.className !== joined) element.className = joined;
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.row = { CELLS, createHeading, createRow };
})();
