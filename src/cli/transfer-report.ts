/** What get, put and stat say about their transfer, and where. */

import { cleanText, printLine } from './command-io';
import { failureText, stackText } from './failure';
import { ProgressBar, baseName, summary } from './progress';
import type { Writable } from 'node:stream';
import type { CommandIo } from './command-io';
import type { TransferRecord } from '../net/transfer-record';

/** Milliseconds between two pictures of the moving line, and between two records. */
const BAR_INTERVAL = 100;
const RECORD_INTERVAL = 1000;

export interface ReportSettings {
  /** Where records go, if they are wanted. Then there is no moving line. */
  readonly records: Writable | undefined;
  /** Leave out the records of what has not ended. */
  readonly endingsOnly?: boolean;
  /** Show the packets of a failed transfer. */
  readonly trace: boolean;
  /** Show the stack of an error. */
  readonly verbose: boolean;
}

/** Hears the events of one transfer, then its end. */
export class TransferReport {
  /** What the client should be asked for. */
  readonly progressInterval: number;
  private readonly bar: ProgressBar | undefined;
  private failure: TransferRecord | undefined;

  constructor(
    private readonly io: CommandIo,
    private readonly settings: ReportSettings,
  ) {
    const withBar = io.isTTY && settings.records === undefined;
    this.bar = withBar ? new ProgressBar(io) : undefined;
    this.progressInterval = withBar ? BAR_INTERVAL : settings.records ? RECORD_INTERVAL : 0;
  }

  readonly event = (record: TransferRecord): void => {
    const { records, endingsOnly = false } = this.settings;
    if (record.event === 'error') this.failure = record;
    if (record.event === 'progress') this.bar?.show(record);
    if (records === undefined) return;
    if (endingsOnly && (record.event === 'start' || record.event === 'progress')) return;
    printLine(records, JSON.stringify(record));
  };

  /** One line on a terminal; otherwise silence is the good news. */
  succeeded(record: TransferRecord): void {
    if (!this.io.isTTY) return;
    this.bar?.clear();
    const name = cleanText(baseName(record.filename));
    printLine(this.io.stderr, `${name}: ${summary(record)}`);
  }

  /** One line. Where records go to stderr and one of them tells of the failure, it stays pure JSON. */
  failed(error: unknown): void {
    this.bar?.clear();
    if (this.failure !== undefined && this.settings.records === this.io.stderr) return;
    const trace = this.failure?.trace ?? [];
    const hint = trace.length > 0 && !this.settings.trace ? '; --trace shows the packets' : '';
    printLine(this.io.stderr, `red-tftp: ${failureText(error)}${hint}`);
    if (this.settings.trace) trace.forEach((line) => printLine(this.io.stderr, cleanText(line)));
    if (this.settings.verbose) printLine(this.io.stderr, stackText(error));
  }
}
