/** What `serve` prints. */

import type { TftpError } from '../protocol/errors';
import { peerName } from '../transfer/peer-lock';
import { cleanText, printLine } from './command-io';
import { summary } from './progress';
import type { CommandIo } from './command-io';
import type { TransferRecord } from '../net/transfer-record';
import type { GuessAlarm } from '../server/guess-alarm';
import type { ListeningAddress } from '../server/listening-address';

/** Lines of JSON, or lines to read. */
export class ServerLog {
  constructor(
    private readonly io: CommandIo,
    private readonly settings: { readonly json: boolean; readonly verbose: boolean },
  ) {}

  /** Somebody may wait for this line: the server is ready. */
  listening({ address, port, family }: ListeningAddress): void {
    this.print(
      this.settings.json
        ? JSON.stringify({ event: 'listening', address, port, family })
        : `listening on ${peerName({ address, port })}`,
    );
  }

  readonly transfer = (record: TransferRecord): void => {
    if (this.settings.json) return this.print(JSON.stringify(record));
    const ended = record.event !== 'start' && record.event !== 'progress';
    if (ended || (this.settings.verbose && record.event === 'start')) this.print(logLine(record));
    if (!this.settings.verbose || record.event !== 'error') return;
    record.trace?.forEach((line) => this.print(`  ${cleanText(line)}`));
  };

  readonly alarm = (alarm: GuessAlarm): void => {
    this.print(
      this.settings.json ? JSON.stringify({ event: 'alarm', ...alarm }) : alarmLine(alarm),
    );
  };

  /** Without `--json` it is on stderr only. */
  problem({ code, message }: TftpError): void {
    if (this.settings.json) this.print(JSON.stringify({ event: 'problem', code, message }));
  }

  private print(line: string): void {
    printLine(this.io.stdout, line);
  }
}

/** Since when, who, and how many. */
function alarmLine({ since, host, misses }: GuessAlarm): string {
  return `${since} ${host} alarm: requested ${misses} missing files and may be guessing file names`;
}

/** Time, peer, what it wanted, how it went. */
export function logLine(record: TransferRecord): string {
  const time = record.finished ?? record.started;
  const peer = peerName({ address: record.host, port: record.port });
  return `${time} ${peer} ${record.operation} ${names(record)}: ${outcome(record)}`;
}

function names({ filename, servedAs }: TransferRecord): string {
  const asked = cleanText(filename);
  return servedAs === undefined ? asked : `${asked} as ${cleanText(servedAs)}`;
}

function outcome(record: TransferRecord): string {
  const { event, error, finalAck } = record;
  if (event === 'start') return 'started';
  if (event === 'probe') return 'asked for the size only';
  if (event === 'error') {
    const how = error?.expected ? 'expected' : 'failed';
    return `${how}: ${cleanText(error?.message ?? '')} (${error?.code})${remedy(error?.code)}`;
  }
  return summary(record) + (finalAck === false ? ', last block never acknowledged' : '');
}

/** Which flag allows what was refused. */
function remedy(code: string | undefined): string {
  return code === 'ETOOLARGE' ? '; to allow larger files, raise --max-upload' : '';
}
