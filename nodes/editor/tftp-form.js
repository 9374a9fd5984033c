// What the dialogs of the nodes share. Each node's page carries a copy, so that every node works
// where the others are disabled; the copies are equal, and it does not matter which one is kept.
(function () {
  'use strict';

  /** What the number fields may hold; `fraction`: parts of one as well. */
  const LIMITS = {
    port: { least: 1, most: 65535 },
    blksize: { least: 8, most: 65464 },
    blksizeMax: { least: 8, most: 65464 },
    windowsize: { least: 1, most: 65535 },
    windowsizeMax: { least: 1, most: 65535 },
    timeout: { least: 0.01, most: 255, fraction: true },
    retries: { least: 0, most: 100 },
    deadline: { least: 0, most: 2000000, fraction: true },
    progressInterval: { least: 0, most: 2147483647 },
    maxSize: { least: 0.001, most: 1048576, fraction: true },
    maxUploadSize: { least: 0.001, most: 1048576, fraction: true },
    uploadMemory: { least: 1, most: 1048576, fraction: true },
    maxTransfers: { least: 1, most: 100000 },
    maxPerHost: { least: 1, most: 100000 },
    concurrency: { least: 1, most: 1000 },
    queue: { least: 0, most: 1000000 },
    responseTimeout: { least: 0.1, most: 3600, fraction: true },
    quota: { least: 0.001, most: 1073741824, fraction: true },
    requestRate: { least: 0, most: 1000000, fraction: true },
    guessLimit: { least: 0, most: 10000 },
  };

  /** A text of the node's own catalogue. */
  function text(node, key, values) {
    return RED._(`node-red-contrib-tftp/${node.type}:${key}`, values);
  }

  /** What a field holds now: in the open dialog, else in the saved node. */
  function current(node, name) {
    return $(`#node-input-${name}`).val() ?? node[name];
  }

  // --- Validators: true, or a text that says what the field may hold. Node-RED shows a text only
  // --- if the function declares two parameters.

  function isEnvironmentVariable(value) {
    return typeof value === 'string' && /^\$\{[^}]+\}$/.test(value);
  }

  /** Makes a validator that lets blanks and `${NAME}` pass and leaves the others to `reason`. */
  function validator(reason) {
    return function (value, _options) {
      const given = String(value ?? '').trim();
      if (isEnvironmentVariable(given)) return true;
      return reason(this, given) ?? true;
    };
  }

  function numberReason(name, node, value) {
    const { least, most, fraction } = LIMITS[name];
    const given = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
    if (given >= least && given <= most && (fraction || Number.isInteger(given))) return undefined;
    const label = text(node, `tftp.label.${name}`);
    const key = fraction ? 'tftp.errors.number' : 'tftp.errors.wholeNumber';
    return text(node, key, { label, least, most });
  }

  /** What a flow does not say, because it was written by hand, is the default. */
  function number(name) {
    const check = validator((node, value) => numberReason(name, node, value));
    return function (value, options) {
      return value === undefined || check.call(this, value, options);
    };
  }

  function numberOrBlank(name) {
    return validator((node, value) => (value === '' ? undefined : numberReason(name, node, value)));
  }

  /** What a client asks for it may have to hold in memory. */
  function windowsizeReason(node, value) {
    if (value === '' || value === 'auto') return undefined;
    const isTooLarge = value * (current(node, 'blksize') || 512) > 64 * 1024 * 1024;
    if (numberReason('windowsize', node, value)) return text(node, 'tftp.errors.windowsize');
    return isTooLarge ? text(node, 'tftp.errors.window') : undefined;
  }

  /** A TypedInput: `reason` looks at what was typed in as it is, Node-RED checks the other types. */
  function typed(name, literalType, reason) {
    const asNodeRed = RED.validators.typedInput({ typeField: `${name}Type`, allowBlank: true });
    const asTyped = validator(reason);
    return function (value, options) {
      const isLiteral = current(this, `${name}Type`) === literalType;
      return (isLiteral ? asTyped : asNodeRed).call(this, value, options);
    };
  }

  /** As the nodes check it: what consists of digits and dots is an IPv4 address, what has a colon IPv6. */
  function hostReason(node, value) {
    const host = value.replace(/^\[(.*:.*)\]$/, '$1');
    const isName = !/[\s/\\?#@[\]%:]/.test(host) && !/^[\d.]+$/.test(host);
    const isHost = host === '' || isName || isAddress(host);
    return isHost ? undefined : text(node, 'tftp.errors.host');
  }

  function fileNameReason(node, value) {
    // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
    return /[\u0000-\u001f\u007f]/.test(value) ? text(node, 'tftp.errors.filename') : undefined;
  }

  function isAddress(value) {
    if (!value.includes(':')) {
      const bytes = value.split('.');
      return bytes.length === 4 && bytes.every((byte) => /^\d{1,3}$/.test(byte) && byte <= 255);
    }
    if (!/^[0-9a-f:.]+(%\w+)?$/i.test(value)) return false;
    try {
      return new URL(`http://[${value.replace(/%.*$/, '')}]/`).hostname !== '';
    } catch {
      return false;
    }
  }

  function isNetwork(value) {
    const [address, prefix, ...rest] = value.split('/');
    if (rest.length > 0 || !isAddress(address)) return false;
    if (prefix === undefined) return true;
    return /^\d{1,3}$/.test(prefix) && prefix <= (address.includes(':') ? 128 : 32);
  }

  const address = validator((node, value) =>
    value === '' || isAddress(value) ? undefined : text(node, 'tftp.errors.address'),
  );

  const localPorts = validator((node, value) => {
    if (value === '') return undefined;
    const [, first, last = first] = /^(\d+)(?:\s*-\s*(\d+))?$/.exec(value) ?? [];
    const fits = Number(first) >= 1 && Number(last) <= 65535 && Number(first) <= Number(last);
    return fits ? undefined : text(node, 'tftp.errors.localPorts');
  });

  // --- Ports and labels

  /** The outputs for events. A server has clients that only ask for the size: probes. */
  function eventOutputs(type, events) {
    if (events === 'none') return [];
    if (events !== 'separate') return ['events'];
    const names = ['start', 'progress', 'complete', 'error'];
    return type === 'tftp-server' ? [...names, 'probe'] : names;
  }

  /** The outputs after the first one. Requests that the flow answers leave by the last one. */
  function otherOutputs({ type, events, reads }) {
    const outputs = eventOutputs(type, events);
    return ['flow', 'both'].includes(reads) ? [...outputs, 'request'] : outputs;
  }

  function outputLabel(node, index, goods) {
    if (index === 0) return text(node, goods);
    const name = otherOutputs(node)[index - 1];
    return name === undefined ? undefined : text(node, `tftp.output.${name}`);
  }

  /** `host/filename` as far as they are typed in. */
  function remoteName(node) {
    const parts = ['host', 'filename'].map((name) => {
      if (node[`${name}Type`] === 'str') return node[name];
      return node[`${name}Type`] === 'env' ? `\${${node[name]}}` : '';
    });
    return parts.filter((part) => part).join('/');
  }

  // --- The dialog

  /** True if one of the groups (`a=1 b=2,3 | c=4`) of a row's `data-show-if` holds. */
  function holds(condition) {
    return condition.split('|').some((group) =>
      group
        .trim()
        .split(/\s+/)
        .every((test) => {
          const [name, values] = test.split('=');
          return values.split(',').includes($(`#node-input-${name}`).val());
        }),
    );
  }

  function showRows() {
    $('.tftp-form [data-show-if]').each(function () {
      $(this).toggle(holds($(this).attr('data-show-if')));
    });
    RED.tray.resize();
  }

  /** A closed section hides nothing that was changed. */
  function openChangedSections(node) {
    const { defaults } = RED.nodes.getType(node.type);
    $('.tftp-section').each(function () {
      const names = $(this)
        .find('[id^=node-input-]')
        .get()
        .map((field) => field.id.replace(/^node-input-(\w+)(?:-container)?$/, '$1'))
        .filter((name) => name in defaults);
      const isChanged = names.some(
        (name) => String(node[name] ?? defaults[name].value) !== String(defaults[name].value),
      );
      $(this)
        .prop('open', isChanged)
        .on('toggle', () => RED.tray.resize());
    });
  }

  /** Called by each `oneditprepare`, first: shows the default of what the flow does not say. */
  function fillIn(node) {
    const { defaults } = RED.nodes.getType(node.type);
    for (const [name, { value }] of Object.entries(defaults)) {
      if (node[name] !== undefined) continue;
      const field = $(`#node-input-${name}`);
      if (field.is('[type=checkbox]')) field.prop('checked', value);
      else field.val(value);
    }
  }

  /** Called by each `oneditprepare`, last: what all the dialogs do. */
  function prepare(node) {
    $('#node-input-events, #node-input-reads').on('change', () => {
      const [events, reads] = ['events', 'reads'].map((name) => current(node, name));
      $('#node-input-outputs').val(1 + otherOutputs({ type: node.type, events, reads }).length);
    });
    openChangedSections(node);
    $('.tftp-form select').on('change', showRows);
    showRows();
  }

  /** Makes a TypedInput. `placeholders`: for some of the types, what a blank field means. */
  function typedInput(name, types, placeholders) {
    const field = $(`#node-input-${name}`);
    field.css('width', '100%');
    field.typedInput({ default: types[0], types, typeField: `#node-input-${name}Type` });
    const visible = field.next('.red-ui-typedInput-container').find('.red-ui-typedInput-input');
    $(`label[for=node-input-${name}]`).attr('id', `tftp-label-${name}`);
    visible.attr('aria-labelledby', `tftp-label-${name}`);
    const follow = () => {
      visible.attr('placeholder', placeholders[field.typedInput('type')] ?? '');
    };
    field.on('change', follow);
    follow();
  }

  /** Host, port and file name of get and put. */
  function prepareConnection(node) {
    const types = ['msg', 'flow', 'global', 'env'];
    typedInput('host', ['str', ...types, 'jsonata'], { str: 'msg.host' });
    typedInput('port', ['num', ...types], { num: text(node, 'tftp.placeholder.port') });
    typedInput('filename', ['str', ...types, 'jsonata'], { str: 'msg.filename' });
  }

  window.tftpForm = {
    text,
    current,
    fillIn,
    prepare,
    prepareConnection,
    typedInput,
    outputLabel,
    remoteName,
    isNetwork,
    validator,
    number,
    numberOrBlank,
    typed,
    address,
    localPorts,
    windowsize: validator(windowsizeReason),
    host: typed('host', 'str', hostReason),
    remotePort: typed('port', 'num', (node, value) =>
      value === '' ? undefined : numberReason('port', node, value),
    ),
    filename: typed('filename', 'str', fileNameReason),
    localFilename: typed('localFilename', 'str', fileNameReason),
  };
})();
