/** What stands below a node: short texts, few changes, and the record for Status nodes. */

import { systemClock } from '../net/clock';
import { TFTP_ERROR_CODES } from '../protocol/errors';
import type { NodeAPI, NodeStatus } from 'node-red';
import type { Clock, Timer } from '../net/clock';
import type { TransferEventName, TransferRecord } from '../net/transfer-record';
import type { TftpError, TftpErrorCode } from '../protocol/errors';

/** A status, with the event behind it for Status nodes. */
export interface TftpStatus extends NodeStatus {
  event?: TransferEventName;
  transfer?: TransferRecord;
}

/** The words of the catalogue that a status may show. `reason.flow`: the flow refused a read. */
export type StatusKey =
  | `status.${'active' | 'queued' | 'retry' | 'portInUse' | 'noPermission' | 'stopped' | 'paused'}`
  | `reason.${TftpErrorCode | 'flow'}`;

/** Looks a text up in the catalogue. */
export type StatusTexts = (key: StatusKey, values?: Record<string, string | number>) => string;

/** Node-RED's advice for the length of a status text. */
const MAX_TEXT = 20;

/** At most two changes a second: a flood of them freezes the editor. */
const INTERVAL = 500;

/** The texts in the language of this Node-RED; all nodes share one catalogue. */
export function statusTexts(RED: Pick<NodeAPI, '_'>): StatusTexts {
  return (key, values) => RED._(`node-red-contrib-tftp/tftp-server:tftp.${key}`, values ?? {});
}

/** Transfers of a client node are under way. */
export function busyStatus(
  texts: StatusTexts,
  { active, queued }: { active: number; queued: number },
  record: TransferRecord,
): TftpStatus {
  const event = eventOf(record);
  if (queued > 0) {
    const text = shortest(texts('status.queued', { active, queued }), `${active} + ${queued}`);
    return { fill: 'blue', shape: 'dot', text, ...event };
  }
  if (active > 1) return { fill: 'blue', shape: 'dot', text: activeText(texts, active), ...event };
  if (record.retry !== undefined) {
    return { fill: 'yellow', shape: 'ring', text: texts('status.retry', record.retry), ...event };
  }
  return { fill: 'blue', shape: 'dot', text: progressText(record), ...event };
}

function activeText(texts: StatusTexts, count: number): string {
  return shortest(texts('status.active', { count }), String(count));
}

/** The last transfer of a client node has ended. */
export function endStatus(texts: StatusTexts, record: TransferRecord): TftpStatus {
  const { error } = record;
  if (error === undefined) {
    const text = `${bytesText(record.bytes)} ${(record.elapsed / 1000).toFixed(1)} s`;
    return { fill: 'green', shape: 'dot', text, ...eventOf(record) };
  }
  const fill = error.code === 'ECANCELED' ? 'grey' : 'red';
  return { fill, shape: 'ring', text: reasonText(texts, error), ...eventOf(record) };
}

/** A response was given, or could not be given for this reason. */
export function responseStatus(texts: StatusTexts, error?: TftpError): TftpStatus {
  if (error === undefined) return {};
  return { fill: 'red', shape: 'ring', text: reasonText(texts, error) };
}

/** A code that this release does not know stands for what its text says. */
function reasonText(
  texts: StatusTexts,
  { code, by }: Pick<TftpError, 'by'> & { code: string },
): string {
  if (by === 'flow') return texts('reason.flow');
  return texts(`reason.${TFTP_ERROR_CODES.find((known) => known === code) ?? 'EUNDEF'}`);
}

/** A server listens and serves. */
export function serverStatus(
  texts: StatusTexts,
  port: number,
  active: number,
  record?: TransferRecord,
): TftpStatus {
  const event = record === undefined ? {} : eventOf(record);
  if (active === 0) return { fill: 'green', shape: 'dot', text: `:${port}`, ...event };
  return { fill: 'blue', shape: 'dot', text: activeText(texts, active), ...event };
}

/** A server was stopped or paused by a message. */
export function haltedStatus(
  texts: StatusTexts,
  state: 'stopped' | 'paused',
  record?: TransferRecord,
): TftpStatus {
  const event = record === undefined ? {} : eventOf(record);
  return { fill: 'grey', shape: 'ring', text: texts(`status.${state}`), ...event };
}

/** A server cannot listen. */
export function startFailureStatus(
  texts: StatusTexts,
  error: Pick<TftpError, 'code'>,
  port: number,
): TftpStatus {
  return { fill: 'red', shape: 'ring', text: startFailureText() };

  function startFailureText(): string {
    switch (error.code) {
      case 'EADDRINUSE':
        return texts('status.portInUse', { port });
      case 'ENOPERM':
        return texts('status.noPermission', { port });
      default:
        return reasonText(texts, error);
    }
  }
}

function eventOf(record: TransferRecord): Pick<TftpStatus, 'event' | 'transfer'> {
  return { event: record.event, transfer: record };
}

function progressText(record: TransferRecord): string {
  const done = record.percent === null ? bytesText(record.bytes) : `${Math.floor(record.percent)}%`;
  return record.rate === 0 ? done : `${done} ${bytesText(record.rate)}/s`;
}

function shortest(text: string, otherwise: string): string {
  return text.length < MAX_TEXT ? text : otherwise;
}

/** `1.2 MB`, in powers of 1000. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`;
}

/** Shows statuses at most twice a second, and only what has changed; the last one always comes. */
export class StatusLine {
  readonly #show: (status: TftpStatus) => void;
  readonly #clock: Clock;
  #shown = '';
  #next: TftpStatus | undefined;
  #pause: Timer | undefined;

  constructor(show: (status: TftpStatus) => void, clock: Clock = systemClock) {
    this.#show = show;
    this.#clock = clock;
  }

  /** Shows the status now, or when the pause after the last one is over, unless another comes before. */
  show(status: TftpStatus): void {
    this.#next = status;
    if (this.#pause === undefined) this.#flush();
  }

  /** Forgets what has not been shown. */
  close(): void {
    this.#next = undefined;
    this.#pause?.cancel();
  }

  #flush(): void {
    const status = this.#next;
    this.#next = undefined;
    this.#pause = undefined;
    if (status === undefined || look(status) === this.#shown) return;
    this.#shown = look(status);
    this.#show(status);
    this.#pause = this.#clock.after(INTERVAL, () => this.#flush());
  }
}

function look({ fill, shape, text, event, transfer }: TftpStatus): string {
  return JSON.stringify([fill, shape, text, event, transfer?.id]);
}
