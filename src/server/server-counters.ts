/** What a server counts. */

/** What a server has counted since it was made. */
export interface ServerCounters {
  /** RRQ and WRQ packets. */
  requests: number;
  /** Requests that were answered with an ERROR at once. */
  refused: number;
  /** Packets at the listening port that were neither, and got no answer. */
  ignored: number;
  /** Requests without an answer: no slot was free, or their address sent too many or never answers itself. */
  dropped: number;
  /** Transfers that ended well. */
  completed: number;
  /** Transfers and requests that failed, without those in `expected`. */
  failed: number;
  /** Failures that are normal: files that may be missing, and reads that such devices end early. */
  expected: number;
  /** How often an address guessed names. */
  alarms: number;
  /** Clients that asked for a size and hung up. */
  probes: number;
  /** Bytes of files that clients have got. */
  bytesSent: number;
  /** Bytes of files that clients have sent. */
  bytesReceived: number;
}

const NAMES = [
  ...(['requests', 'refused', 'ignored', 'dropped', 'completed', 'failed'] as const),
  ...(['expected', 'alarms', 'probes', 'bytesSent', 'bytesReceived'] as const),
] as const;

const NOTHING: ServerCounters = {
  requests: 0,
  refused: 0,
  ignored: 0,
  dropped: 0,
  completed: 0,
  failed: 0,
  expected: 0,
  alarms: 0,
  probes: 0,
  bytesSent: 0,
  bytesReceived: 0,
};

/** Counters in shared memory: the main thread reads what the worker counts. */
export class Counters {
  readonly memory: SharedArrayBuffer;
  readonly #counts: Float64Array;

  /** @param memory that of counters in the other thread, to have the same ones. */
  constructor(memory = new SharedArrayBuffer(NAMES.length * Float64Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#counts = new Float64Array(memory);
  }

  /** As they are now. */
  get values(): ServerCounters {
    const values = { ...NOTHING };
    for (const [index, name] of NAMES.entries()) values[name] = this.#counts[index]!;
    return values;
  }

  /** Only one thread may count. */
  add(name: keyof ServerCounters, count = 1): void {
    this.#counts[NAMES.indexOf(name)]! += count;
  }
}
