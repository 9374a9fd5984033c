/** What a person reads of a transfer: amounts, rates, one line that moves, and one that stays. */

import { cleanText } from './command-io';
import type { CommandIo } from './command-io';
import type { TransferRecord } from '../net/transfer-record';

const MIN_BAR = 10;
const MAX_BAR = 40;
const MIN_COLUMNS = 20;
const CLEAR_LINE = '\r\u001B[K';

/** The moving line on a terminal. It draws over itself, and over nothing else. */
export class ProgressBar {
  private shown = false;

  constructor(private readonly io: CommandIo) {}

  show(record: TransferRecord): void {
    this.shown = true;
    this.io.stderr.write(CLEAR_LINE + progressLine(record, this.io.columns));
  }

  /** Leaves an empty line for what is printed next. A second call does nothing. */
  clear(): void {
    if (this.shown) this.io.stderr.write(CLEAR_LINE);
    this.shown = false;
  }
}

/**
 * The moving line, shorter than `columns` so that the cursor stays on it. Where it gets narrow the
 * bar goes first, then the end of the line.
 */
export function progressLine(record: TransferRecord, columns: number): string {
  const width = Math.max(columns, MIN_COLUMNS) - 1;
  const name = baseName(cleanText(record.filename));
  const facts = factsOf(record);
  const room = width - name.length - facts.length - '  []  '.length;
  if (record.percent === null || room < MIN_BAR) return `${name}  ${facts}`.slice(0, width);
  return `${name}  [${bar(record.percent, Math.min(room, MAX_BAR))}]  ${facts}`;
}

/** `1.2 MB in 0.4 s, 3.1 MB/s`. */
export function summary(record: TransferRecord): string {
  const { bytes, elapsed, averageRate } = record;
  return `${formatBytes(bytes)} in ${formatDuration(elapsed)}, ${formatBytes(averageRate)}/s`;
}

/** In decimal units with one digit behind the point, as disks and networks count. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 'B';
  for (const larger of ['kB', 'MB', 'GB', 'TB']) {
    if (value < 999.95) break;
    value /= 1000;
    unit = larger;
  }
  return unit === 'B' ? `${Math.round(value)} B` : `${value.toFixed(1)} ${unit}`;
}

/** `0.4 s`, `1:05`, `1:00:05`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  if (seconds >= 3600) parts.unshift(Math.floor(seconds / 3600));
  return parts.map((part, i) => (i === 0 ? `${part}` : `${part}`.padStart(2, '0'))).join(':');
}

/** What stands behind the last `/` or `\`. */
export function baseName(filename: string): string {
  return filename.slice(Math.max(filename.lastIndexOf('/'), filename.lastIndexOf('\\')) + 1);
}

/** While the peer is silent, nothing else is worth telling. */
function factsOf({ bytes, percent, rate, eta, retry }: TransferRecord): string {
  if (retry !== undefined) return `no answer, retry ${retry.attempt} of ${retry.retries}`;
  const facts = [formatBytes(bytes), `${formatBytes(rate)}/s`];
  if (percent !== null) facts.unshift(`${Math.floor(percent)}%`.padStart(4));
  if (eta !== null) facts.push(`${formatDuration(eta)} left`);
  return facts.join('  ');
}

function bar(percent: number, width: number): string {
  return '='.repeat(Math.floor((percent / 100) * width)).padEnd(width);
}
