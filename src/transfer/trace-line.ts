/** Reads what the flight recorder has written: `lines()` of `FlightRecorder` is the other direction. */

/** A line of a trace. */
export interface TraceLine {
  /** Milliseconds since the first entry. */
  readonly at: number;
  /** Came in, went out, or neither: then there is only the note. */
  readonly direction: 'in' | 'out' | 'note';
  /** RRQ, WRQ, DATA, ACK, OACK, ERROR, or junk; empty for a note. */
  readonly packet: string;
  /** The block's number, or that of the ERROR. */
  readonly number?: number;
  readonly note: string;
}

const DIRECTIONS = { '<-': 'in', '->': 'out', '--': 'note' } as const;

const LINE =
  /^\+(?<at>\d+(?:\.\d+)?) ms (?<arrow><-|->|--)(?: (?<packet>RRQ|WRQ|DATA|ACK|OACK|ERROR|junk)\b(?: (?<number>\d+))?(?:…\d+)?(?: \(\d+ B\))?)?(?: (?<note>.*))?$/s;

/** The entries of a trace, in their order. What is no entry is left out. */
export function readTrace(lines: readonly string[]): TraceLine[] {
  return lines.flatMap((line) => readLine(line) ?? []);
}

function readLine(line: string): TraceLine | undefined {
  const { at, arrow, packet = '', number, note = '' } = LINE.exec(line)?.groups ?? {};
  if (at === undefined || !isArrow(arrow)) return undefined;
  return {
    at: Number(at),
    direction: DIRECTIONS[arrow],
    packet,
    ...(number !== undefined && { number: Number(number) }),
    note,
  };
}

function isArrow(text: string | undefined): text is keyof typeof DIRECTIONS {
  return text !== undefined && text in DIRECTIONS;
}
