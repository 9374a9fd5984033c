// What the demo shows: one readable line for each event, and what has to happen before it is over.

/** What the demo flow has to tell, as `place what`; a place is the name of a Debug node. */
const EXPECTED = [
  'put start',
  'put complete',
  'server start write firmware.bin',
  'server complete write firmware.bin',
  'received file',
  'get start',
  'get complete',
  'server complete read firmware.bin',
  'check same bytes',
  'phone start',
  'phone error ENOENT',
  'server error read phone-7.cfg',
  'ALERT',
];

export class Story {
  #missing = new Set(EXPECTED);
  #whole;
  #resolve;

  constructor() {
    this.#whole = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Takes what a Debug node received, and returns it as a line. */
  tell(place, { payload }) {
    for (const fact of factsOf(place, payload)) this.#missing.delete(fact);
    if (this.#missing.size === 0) this.#resolve();
    return `${place.padEnd(13)} ${typeof payload === 'string' ? payload : eventLine(payload)}`;
  }

  /** Resolves to what has not happened within the time. */
  async missing(milliseconds) {
    let timer;
    const patience = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
    await Promise.race([this.#whole, patience]);
    clearTimeout(timer);
    return [...this.#missing];
  }
}

function factsOf(place, payload) {
  if (typeof payload === 'string') return [place, `${place} ${payload}`];
  const { event, operation, filename, error } = payload;
  return [
    `${place} ${event}`,
    `${place} ${event} ${error?.code}`,
    `${place} ${event} ${operation} ${filename}`,
  ];
}

function eventLine({ event, operation, filename, host, port, bytes, percent, averageRate, error }) {
  const way = operation === 'read' ? 'read of' : 'write of';
  const head = `${event.padEnd(8)} ${way} ${filename}, ${host}:${port}`;
  if (error !== undefined) return `${head}: ${error.code} ${error.message}`;
  if (event === 'start') return head;
  const share = percent === null ? '' : ` (${Math.floor(percent)}%)`;
  return `${head}: ${bytes} bytes${share}, ${(averageRate / 1e6).toFixed(1)} MB/s`;
}
