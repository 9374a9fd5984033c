// The dialog of the server node: its lists, what its fields may hold, whether its port is free, and
// the trial of a name.
(function () {
  'use strict';

  const { text, current, validator, isNetwork } = tftpForm;

  const OPTIONS = ['blksize', 'blksize2', 'timeout', 'utimeout', 'tsize', 'windowsize', 'rollover'];

  // --- What the fields may hold. Node-RED shows a reason only if a validator has two parameters.

  const root = validator((node, value) => {
    const isUsed = ['reads', 'writes'].some((name) =>
      ['folder', 'both'].includes(current(node, name)),
    );
    return isUsed && value === '' ? text(node, 'tftp-server.errors.root') : undefined;
  });

  const portRange = validator((node, value) => {
    if (current(node, 'transferPorts') !== 'range') return undefined;
    const [, first, last] = /^(\d{1,5})\s*-\s*(\d{1,5})$/.exec(value) ?? [];
    const fits = Number(first) >= 1 && Number(last) <= 65535 && Number(first) <= Number(last);
    return fits ? undefined : text(node, 'tftp-server.errors.portRange');
  });

  function entriesOf(value) {
    return value
      .split(/[,\n]/)
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
  }

  /** What stands in brackets comes first: there, the next bracket is a character as any other. */
  function isPattern(pattern) {
    const glob = pattern.replace(/^!/, '').replace(/^\//, '');
    return glob !== '' && !glob.replace(/\[[!^]?\]?[^\]]*\]/g, '').includes('[');
  }

  function patterns(name) {
    return validator((node, value) => {
      const wrong = entriesOf(value).find((pattern) => !isPattern(pattern));
      if (wrong === undefined) return undefined;
      const label = text(node, `tftp-server.label.${name}`);
      return text(node, 'tftp-server.errors.pattern', { label, pattern: wrong });
    });
  }

  function networkReason(node, networks) {
    const wrong = (networks ?? []).find((network) => !isNetwork(network));
    return wrong && text(node, 'tftp-server.errors.network', { network: wrong });
  }

  function allow(networks, _options) {
    if (current(this, 'access') !== 'list') return true;
    if ((networks ?? []).length === 0) return text(this, 'tftp-server.errors.allowEmpty');
    return networkReason(this, networks) ?? true;
  }

  function deny(networks, _options) {
    return networkReason(this, networks) ?? true;
  }

  function refusedReason(node, refuse) {
    if (refuse === 'all-but-tsize') return undefined;
    const wrong = refuse.find((name) => !OPTIONS.includes(name.toLowerCase()));
    if (refuse.length > 0 && wrong === undefined) return undefined;
    return text(node, 'tftp-server.errors.option', { options: OPTIONS.join(', ') });
  }

  function refusalReason(node, { clients, refuse }) {
    if (clients.length === 0) return text(node, 'tftp-server.errors.refuseClients');
    return networkReason(node, clients) ?? refusedReason(node, refuse);
  }

  function refuseOptions(refusals, _options) {
    for (const refusal of refusals ?? []) {
      const reason = refusalReason(this, refusal);
      if (reason !== undefined) return reason;
    }
    return true;
  }

  // --- The lists

  function container(name) {
    return $(`#node-input-${name}-container`);
  }

  function listOf(node, name, addItem) {
    const list = container(name);
    list.editableList({ height: 'auto', sortable: true, removable: true, addItem });
    list.editableList('addItems', node[name] ?? []);
  }

  /** Marks a field while `reason` finds something wrong with what it holds. */
  function checked(field, reason) {
    const check = () => {
      const wrong = reason(field.val().trim());
      field.toggleClass('input-error', wrong !== undefined).attr('title', wrong ?? null);
    };
    field.on('input', check);
    check();
    return field;
  }

  function textField(label, placeholder, value) {
    return $('<input type="text">').attr({ 'aria-label': label, placeholder }).val(value);
  }

  function prepareNetworks(node, name) {
    const label = text(node, `tftp-server.label.${name}`);
    listOf(node, name, (row, _index, network) => {
      const value = typeof network === 'string' ? network : '';
      const field = textField(label, '192.0.2.0/24', value).css('width', '100%').appendTo(row);
      checked(field, (given) => (given === '' ? undefined : networkReason(node, [given])));
    });
  }

  function networksIn(name) {
    const fields = container(name).find('input').get();
    return fields.map((field) => field.value.trim()).filter((network) => network !== '');
  }

  function prepareRefusals(node) {
    listOf(node, 'refuseOptions', (row, _index, { clients = [], refuse = 'all-but-tsize' }) => {
      const line = $('<div class="tftp-refusal">').appendTo(row);
      const label = text(node, 'tftp-server.refuse.clients');
      const networks = textField(label, '192.0.2.0/24', clients.join(', '));
      checked(networks.appendTo(line), (given) => networkReason(node, entriesOf(given)));
      const choice = $('<select>')
        .attr('aria-label', text(node, 'tftp-server.refuse.which'))
        .append(option('all-but-tsize', text(node, 'tftp-server.refuse.allButTsize')))
        .append(option('list', text(node, 'tftp-server.refuse.list')))
        .appendTo(line);
      const isList = Array.isArray(refuse);
      const options = text(node, 'tftp-server.refuse.options');
      const names = textField(options, 'blksize, windowsize', isList ? refuse.join(', ') : '');
      checked(names.appendTo(line), (given) => refusedReason(node, entriesOf(given)));
      choice
        .val(isList ? 'list' : refuse)
        .on('change', () => names.toggle(choice.val() === 'list'));
      choice.trigger('change');
    });
  }

  function option(value, label) {
    return $('<option>').val(value).text(label);
  }

  function refusalsIn() {
    const lines = container('refuseOptions').find('.tftp-refusal').get();
    const refusals = lines.map((line) => {
      const [clients, options] = $(line)
        .find('input')
        .get()
        .map((field) => entriesOf(field.value));
      const isList = $(line).find('select').val() === 'list';
      return { clients, refuse: isList ? options : 'all-but-tsize' };
    });
    return refusals.filter(({ clients }) => clients.length > 0);
  }

  function expectedBoxes() {
    return container('expectedSets').find('input');
  }

  // --- The port

  /** Milliseconds without a change after which the runtime is asked. */
  const PAUSE = 300;

  /** The place that a node has or wants; undefined if it is none of this computer's own. */
  function placeOf(node) {
    if (node.d || RED.nodes.workspace(node.z)?.disabled) return undefined;
    if (node.type === 'tftp-server') return place({ ...node, port: node.port ?? '69' });
    if (node.type !== 'udp in') return undefined;
    return place({ ...node, address: '', family: node.ipv === 'udp6' ? 'ipv6' : 'ipv4' });
  }

  function place({ port, address, family }) {
    const given = (value) => String(value ?? '').trim();
    return { port: given(port), address: given(address), family: given(family) || 'both' };
  }

  function familiesOf({ address, family }) {
    if (address !== '') return [address.includes(':') ? 'ipv6' : 'ipv4'];
    return family === 'both' ? ['ipv4', 'ipv6'] : [family];
  }

  function overlap(one, other) {
    if (one.port !== other.port) return false;
    if (!isEverywhere(one) && !isEverywhere(other)) return one.address === other.address;
    return familiesOf(one).some((family) => familiesOf(other).includes(family));
  }

  function isEverywhere({ address }) {
    return ['', '0.0.0.0', '::'].includes(address);
  }

  /** Another node of the flows, deployed or not, with which this one could not listen. */
  function neighbour(node, wanted) {
    let found;
    RED.nodes.eachNode((other) => {
      if (found !== undefined || other.id === node.id) return;
      const taken = placeOf(other);
      if (taken !== undefined && overlap(taken, wanted)) found = other;
    });
    return found;
  }

  /** Follows the fields that say where the server listens: names what is there already. */
  function watchPort(node) {
    const taken = $('#tftp-port-taken');
    const tip = $('.tftp-port-tip');
    let asked;
    let timer;
    const show = (wanted, { state, node: other }) => {
      const reason = portReason(node, state, { ...wanted, name: other?.name || other?.id });
      taken.text(reason ?? '').prop('hidden', reason === undefined);
      tip.toggle(state === 'permission');
    };
    const ask = (wanted) => {
      // Without an answer, what is true of most computers.
      const usual = { state: wanted.port < 1024 ? 'permission' : 'free' };
      $.getJSON('tftp/port', { ...wanted, node: node.id })
        .done((answer) => wanted === asked && show(wanted, answer))
        .fail(() => wanted === asked && show(wanted, usual));
    };
    const look = () => {
      const wanted = place({
        port: current(node, 'port'),
        address: current(node, 'address'),
        family: current(node, 'family'),
      });
      asked = wanted;
      clearTimeout(timer);
      const other = neighbour(node, wanted);
      if (other !== undefined) return show(wanted, { state: 'node', node: nameOf(other) });
      if (!isPlace(wanted)) return show(wanted, { state: 'free' });
      timer = setTimeout(() => ask(wanted), PAUSE);
    };
    $('#node-input-port, #node-input-address').on('input', look);
    $('#node-input-family').on('change', look);
    tip.hide();
    look();
  }

  function nameOf(node) {
    return { id: node.id, name: RED.utils.getNodeLabel(node, node.id) };
  }

  /** What the runtime can be asked for: no variable, nothing half typed in. */
  function isPlace({ port, address }) {
    return (
      /^\d+$/.test(port) && port >= 1 && port <= 65535 && (address === '' || isNetwork(address))
    );
  }

  function portReason(node, state, values) {
    switch (state) {
      case 'node':
        return text(node, 'tftp-server.port.node', values);
      case 'program':
        return text(node, 'tftp-server.port.program', values);
      case 'address':
        return text(node, 'tftp-server.port.address', values);
      default:
        return undefined;
    }
  }

  // --- The trial of a name

  /** Shows what the rules in the dialog, deployed or not, make of a name. */
  function tryName(node) {
    const question = {
      rules: $('#node-input-mapRules').val(),
      name: $('#tftp-try-name').val(),
      client: $('#tftp-try-client').val().trim(),
      write: $('#tftp-try-operation').val() === 'write',
    };
    const result = $('#tftp-try-result');
    $.ajax({
      url: 'tftp/try-name',
      type: 'POST',
      contentType: 'application/json',
      data: JSON.stringify(question),
    })
      .done((answer) => result.text(answerText(node, answer)))
      .fail((request) => result.text(failureText(node, request)));
  }

  function answerText(node, { steps, moreSteps, name, refused }) {
    const lines = steps.map((step) => text(node, 'tftp-server.try.step', step));
    if (moreSteps) lines.push(text(node, 'tftp-server.try.more', { count: moreSteps }));
    const outcome =
      refused === undefined
        ? text(node, 'tftp-server.try.accepted', { name })
        : text(node, 'tftp-server.try.refused', { reason: refused });
    return [...lines, outcome].join('\n');
  }

  function failureText(node, { responseJSON, status }) {
    return (
      responseJSON?.message?.replace(/[:;] (?=line \d)/g, '\n') ??
      text(node, 'tftp-server.try.failed', { status })
    );
  }

  // --- The dialog

  function prepare(node) {
    tftpForm.fillIn(node);
    for (const name of ['allow', 'deny']) prepareNetworks(node, name);
    prepareRefusals(node);
    expectedBoxes().each(function () {
      this.checked = (node.expectedSets ?? []).includes(this.value);
    });
    $('#tftp-control').prop('checked', node.inputs > 0);
    $('#tftp-try-button').on('click', () => tryName(node));
    watchPort(node);
    $('#node-input-reads, #node-input-writes').on('change', () =>
      $('#node-input-root').trigger('change'),
    );
    $('#node-input-transferPorts').on('change', () => $('#node-input-portRange').trigger('change'));
    tftpForm.prepare(node);
  }

  /** What the editor does not save by itself. */
  function save(node) {
    $('#node-input-inputs').val($('#tftp-control').prop('checked') ? 1 : 0);
    node.allow = networksIn('allow');
    node.deny = networksIn('deny');
    node.refuseOptions = refusalsIn();
    node.expectedSets = expectedBoxes()
      .filter(':checked')
      .get()
      .map((box) => box.value);
  }

  window.tftpServerForm = {
    root,
    portRange,
    patterns,
    allow,
    deny,
    refuseOptions,
    prepare,
    save,
  };
})();
