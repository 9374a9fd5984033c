// What unfolds below a row: what happened in words, the facts, and the flight recorder.
(function () {
  'use strict';

  /**
   * Makes the element and fills it when `getDetails()` has answered. `actions`: `reveal(node)`,
   * `copy(record, button)`.
   */
  function open(getDetails, actions) {
    const { dom, words } = tftpSidebar;
    const element = dom.make('div', 'tftp-sidebar-details');
    dom.add(
      element,
      'p',
      'tftp-sidebar-details-note tftp-sidebar-loading',
      words.text('details.loading'),
    );
    void fill(element, getDetails, actions);
    return element;
  }

  async function fill(element, getDetails, actions) {
    const { dom, words } = tftpSidebar;
    try {
      const answer = await getDetails();
      element.replaceChildren(...partsOf(answer, actions));
    } catch (answer) {
      const key = answer?.status === 404 ? 'details.forgotten' : 'details.lost';
      element.replaceChildren(dom.make('p', 'tftp-sidebar-details-note', words.text(key)));
    }
  }

  function partsOf({ record, node, diagnosis }, actions) {
    const parts = [storyOf(diagnosis, record), factsOf(record, node, actions)];
    if (record.trace?.length > 0) parts.push(recorderOf(record.trace));
    parts.push(buttonsOf(record, node, actions));
    return parts.filter((part) => part !== undefined);
  }

  /** The runtime's sentences. One that this page has no words for is left out. */
  function storyOf(diagnosis, record) {
    const { dom, words } = tftpSidebar;
    const sentences = diagnosis.map(words.sentence).filter((text) => text !== undefined);
    if (sentences.length === 0) return undefined;
    const outcome = tftpSidebar.state.outcomeOf(record);
    const story = dom.make('div', `tftp-sidebar-story tftp-sidebar-is-${outcome}`);
    sentences.forEach((text) => dom.add(story, 'p', '', text));
    return story;
  }

  function factsOf(record, node, { reveal }) {
    const { dom, words } = tftpSidebar;
    const facts = dom.make('dl', 'tftp-sidebar-facts');
    const add = (name, value) => {
      if (value === undefined || value === '') return undefined;
      dom.add(facts, 'dt', '', words.text(`fact.${name}`));
      const cell = dom.add(facts, 'dd', '', value);
      return cell;
    };
    if (node) nodeLink(add('node', ' '), node, reveal);
    add('direction', words.text(`direction.${record.role}.${record.operation}`));
    add('file', record.filename);
    add('servedAs', record.servedAs);
    add('peer', words.endpoint(record.host, record.port));
    add('mac', record.mac);
    add('local', record.localAddress && words.endpoint(record.localAddress, record.localPort));
    add('size', sizeText(record));
    add('options', optionsText(record));
    add('started', words.dateTime(record.started));
    add('duration', words.duration(record.elapsed));
    add('rate', words.rate(record.averageRate));
    add('again', againText(record));
    add('sha256', record.sha256);
    add('error', errorText(record.error));
    return facts;
  }

  function nodeLink(cell, node, reveal) {
    const { dom, words } = tftpSidebar;
    cell.textContent = '';
    const link = dom.add(cell, 'a', 'tftp-sidebar-node', words.nodeName(node), {
      ...{ href: '#', title: words.text('details.revealTip') },
    });
    link.addEventListener('click', (event) => {
      event.preventDefault();
      reveal(node);
    });
  }

  function sizeText({ bytes, size }) {
    const { text, number } = tftpSidebar.words;
    const values = { bytes: number(bytes), size: number(size ?? 0) };
    return text(size === null || size === bytes ? 'details.bytes' : 'details.bytesOf', values);
  }

  /** The options as they stand in the packets; RFC 2347 names them, no language does. */
  function optionsText({ mode, options }) {
    const { words } = tftpSidebar;
    const { blksize, windowsize, timeout, tsize, rollover } = options;
    const told = [mode, `blksize ${blksize}`, `windowsize ${windowsize}`];
    if (timeout !== undefined) told.push(`timeout ${words.duration(timeout)}`);
    if (tsize !== undefined) told.push(`tsize ${tsize}`);
    if (rollover !== undefined) told.push(`rollover ${rollover}`);
    return told.join(' · ');
  }

  function againText({ retransmits, duplicates }) {
    const { text, number } = tftpSidebar.words;
    const values = { sent: number(retransmits), received: number(duplicates) };
    return retransmits + duplicates > 0 ? text('details.again', values) : undefined;
  }

  /** What the network or the system said stays as it was said. */
  function errorText(error) {
    if (error === undefined) return undefined;
    return error.message ? `${error.code}: ${error.message}` : error.code;
  }

  function recorderOf(lines) {
    const { dom, words } = tftpSidebar;
    const box = dom.make('div', 'tftp-sidebar-recorder');
    dom.add(box, 'h5', '', words.text('recorder.title'));
    // A line may not end within the sign.
    const help = words.text('recorder.help').replaceAll('->', '-\u2060>');
    dom.add(box, 'p', 'tftp-sidebar-details-note', help);
    const block = dom.add(box, 'pre', 'tftp-sidebar-trace', undefined, {
      ...{ tabindex: '0', role: 'region', 'aria-label': words.text('recorder.title') },
    });
    for (const line of lines)
      dom.add(block, 'span', `tftp-sidebar-trace-${kindOf(line)}`, `${line}\n`);
    // The end of the story is at the end.
    requestAnimationFrame(() => (block.scrollTop = block.scrollHeight));
    return box;
  }

  function kindOf(line) {
    const [, sign] = /^\S+ ms (<-|->|--)/.exec(line) ?? [];
    return { '<-': 'in', '->': 'out' }[sign] ?? 'note';
  }

  function buttonsOf(record, node, { reveal, copy }) {
    const { dom, words } = tftpSidebar;
    const bar = dom.make('div', 'tftp-sidebar-buttons');
    const { text } = words;
    if (node)
      dom.button(bar, 'tftp-sidebar-reveal', 'crosshairs', text('details.reveal'), () =>
        reveal(node),
      );
    const copying = dom.button(bar, 'tftp-sidebar-copy', 'clipboard', text('details.copy'), () =>
      copy(record, copying),
    );
    copying.title = text('details.copyTip');
    return bar;
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.details = { open };
})();
