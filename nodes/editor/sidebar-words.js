// Numbers, durations and sentences of the sidebar, in the editor's language.
(function () {
  'use strict';

  const SECOND = 1000;
  const MINUTE = 60 * SECOND;
  const HOUR = 60 * MINUTE;
  const DAY = 24 * HOUR;
  const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

  /** Numbers that are names rather than amounts. */
  const NAMES = ['port', 'localPort', 'code', 'blksize', 'windowsize'];

  const formatters = new Map();

  /** A text of the sidebar's catalogue. */
  function text(key, values) {
    return RED._(`node-red-contrib-tftp/tftp-sidebar:tftp-sidebar.${key}`, values);
  }

  /** A sentence of the runtime's diagnosis; undefined if this catalogue does not have it. */
  function sentence({ key, values }) {
    const written = Object.entries(values).map(([name, value]) => [name, valueText(name, value)]);
    const found = text(`diagnosis.${key}`, Object.fromEntries(written));
    return typeof found === 'string' && !found.endsWith(`diagnosis.${key}`) ? found : undefined;
  }

  function valueText(name, value) {
    return typeof value === 'number' && !NAMES.includes(name) ? number(value, 1) : String(value);
  }

  function formatter(Kind, options) {
    const key = JSON.stringify(options);
    if (!formatters.has(key)) formatters.set(key, new Kind(language(), options));
    return formatters.get(key);
  }

  /** The editor's language, or the browser's where it is one that the browser does not know. */
  function language() {
    try {
      return Intl.getCanonicalLocales(RED.i18n.lang())[0];
    } catch {
      return undefined;
    }
  }

  /** A number, with `digits` decimals at most. */
  function number(value, digits = 0) {
    return formatter(Intl.NumberFormat, { maximumFractionDigits: digits }).format(value);
  }

  function percent(value) {
    const options = { style: 'percent', maximumFractionDigits: 0 };
    // 99.6 % is not yet all of it.
    return formatter(Intl.NumberFormat, options).format(Math.floor(value) / 100);
  }

  function unit(value, name, unitDisplay, digits) {
    const options = { style: 'unit', unit: name, unitDisplay, maximumFractionDigits: digits };
    return formatter(Intl.NumberFormat, options).format(value);
  }

  /** Bytes in the largest unit that leaves a number of at least 1: `1.2 MB`. */
  function bytes(value) {
    const [scaled, name] = scale(value, 0);
    return unit(scaled, name, name === 'byte' ? 'long' : 'short', decimals(scaled, name));
  }

  /** Bytes per second: `1.2 MB/s`. Below a thousand they are still told in kilobytes. */
  function rate(value) {
    const [scaled, name] = scale(value, 1);
    return unit(scaled, `${name}-per-second`, 'short', decimals(scaled, name));
  }

  function scale(value, least) {
    const power = Math.floor(Math.log10(value) / 3 + 1e-9);
    const index = Math.min(Math.max(power, least), BYTE_UNITS.length - 1);
    return [value / 1000 ** index, BYTE_UNITS[index]];
  }

  function decimals(scaled, name) {
    return name !== 'byte' && scaled < 10 ? 1 : 0;
  }

  /** A time span given in milliseconds, as short as it can be: `350ms`, `4.2s`, `3:05`, `1:00:00`, `2d 3h`. */
  function duration(ms) {
    if (ms < SECOND) return unit(Math.round(ms), 'millisecond', 'narrow', 0);
    if (ms < 10 * SECOND) return unit(ms / SECOND, 'second', 'narrow', 1);
    // The whole span is rounded first, so that no part of it comes out as 60.
    const whole = Math.round(ms / SECOND) * SECOND;
    if (whole < MINUTE) return unit(whole / SECOND, 'second', 'narrow', 0);
    if (whole < DAY) return timer(whole);
    const hours = unit(Math.floor((whole % DAY) / HOUR), 'hour', 'narrow', 0);
    return `${unit(Math.floor(whole / DAY), 'day', 'narrow', 0)} ${hours}`;
  }

  /** Minutes and seconds, with hours before them where there are any. */
  function timer(ms) {
    const [hours, minutes, seconds] = [ms / HOUR, (ms % HOUR) / MINUTE, (ms % MINUTE) / SECOND];
    const two = (value) => String(Math.floor(value)).padStart(2, '0');
    return hours < 1
      ? `${Math.floor(minutes)}:${two(seconds)}`
      : `${Math.floor(hours)}:${two(minutes)}:${two(seconds)}`;
  }

  /** The time of day of an ISO 8601 time, as short as it can be. */
  function clock(iso) {
    const options = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
    return formatter(Intl.DateTimeFormat, options).format(new Date(iso));
  }

  /** Day and time of an ISO 8601 time. */
  function dateTime(iso) {
    const options = { dateStyle: 'medium', timeStyle: 'medium' };
    return formatter(Intl.DateTimeFormat, options).format(new Date(iso));
  }

  /** Why a transfer failed, in two or three words. */
  function reason({ code, by }) {
    const key = (name) => `node-red-contrib-tftp/tftp-sidebar:tftp.reason.${name}`;
    const found = RED._(key(by ?? code));
    return found.endsWith(`tftp.reason.${by ?? code}`) ? RED._(key('EUNDEF')) : found;
  }

  /** A node's name, or what the palette calls its type. */
  function nodeName(node) {
    if (node === undefined) return '';
    return node.name || node.type.replace('-', ' ');
  }

  /** `192.0.2.1:69`, `[2001:db8::1]:69`. */
  function endpoint(host, port) {
    return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  }

  window.tftpSidebar = window.tftpSidebar ?? {};
  window.tftpSidebar.words = {
    text,
    sentence,
    number,
    percent,
    bytes,
    rate,
    duration,
    clock,
    dateTime,
    reason,
    nodeName,
    endpoint,
  };
})();
