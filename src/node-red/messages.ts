/** The messages that leave the nodes: which output they take and what they carry. */

import { LocalError, isTftpError } from '../protocol/errors';
import { describeError, failedRecords } from '../net/transfer-record';
import { shownName } from '../protocol/name-text';
import { peerName } from '../transfer/peer-lock';
import type { NodeMessage } from 'node-red';
import type { TftpError } from '../protocol/errors';
import type { TransferEventName, TransferRecord } from '../net/transfer-record';
import type { GuessAlarm } from '../server/guess-alarm';
import type { StorageRequest } from '../storage/storage';
import type { ClientRequest } from './client-request';
import type { EventsChoice } from './node-config';

/** What `send` of Node-RED takes for a message on the output with this index. */
export type PortMessages = (NodeMessage | null)[];

/** Other nodes that answer messages, such as those of tcp and websocket, mark theirs in the same way. */
const SESSION_TYPE = 'tftp';

const EVENT_ORDER: readonly TransferEventName[] = [
  'start',
  'progress',
  'complete',
  'error',
  'probe',
];

/** A message for the output with this index, counted from 0. */
export function toOutput(index: number, message: NodeMessage): PortMessages {
  return [...Array<null>(index).fill(null), message];
}

/** The output of an event, counted from 0; undefined if the node tells no events. */
export function eventOutput(choice: EventsChoice, event: TransferEventName): number | undefined {
  if (choice === 'none') return undefined;
  return choice === 'one' ? 1 : 1 + EVENT_ORDER.indexOf(event);
}

/** The output of the requests that the flow has to answer, counted from 0: always the last one. */
export function requestOutput(choice: EventsChoice): number {
  if (choice === 'none') return 1;
  return choice === 'one' ? 2 : 1 + EVENT_ORDER.length;
}

/**
 * A read that the flow has to answer: what the client asked for, and the id to answer by. There is no
 * payload: that is for the flow to make.
 */
export function requestMessage(
  { client, mac, mode, options, ...request }: StorageRequest,
  id: string,
): NodeMessage {
  const filename = shownName(request.filename);
  return {
    topic: filename,
    event: 'request',
    filename,
    ip: client.address,
    clientPort: client.port,
    ...(mac !== undefined && { mac }),
    mode,
    options: Object.fromEntries(options.map(({ name, value }) => [name, value])),
    _session: { type: SESSION_TYPE, id },
  };
}

/** The id of the request that a message answers; undefined if it does not come from a tftp server. */
export function sessionOf({ _session }: NodeMessage): string | undefined {
  if (typeof _session !== 'object' || _session === null) return undefined;
  const { type, id }: { type?: unknown; id?: unknown } = _session;
  return type === SESSION_TYPE && typeof id === 'string' ? id : undefined;
}

/** What an event tells: the record as payload, and the kind of event. */
export function eventMessage(record: TransferRecord): NodeMessage & { event: TransferEventName } {
  return { payload: record, event: record.event };
}

/**
 * What the messages of a server say of its client. The port is not `port`: get and put would take
 * that for the port of their server.
 */
export function clientProperties({ filename, host, port }: TransferRecord): NodeMessage & {
  readonly filename: string;
} {
  return { topic: filename, filename, ip: host, clientPort: port };
}

/** What an alarm tells: who asks for many names that do not exist. */
export function alarmMessage(alarm: GuessAlarm): NodeMessage & { event: 'alarm' } {
  return { payload: alarm, topic: alarm.host, event: 'alarm' };
}

/** A `send` function of Node-RED. */
export type Send = (messages: PortMessages) => void;

/** Sends the event of a transfer, with the other properties of the message that asked for it. */
export function sendEvent(
  send: Send,
  choice: EventsChoice,
  properties: NodeMessage,
  record: TransferRecord,
): void {
  const output = eventOutput(choice, record.event);
  if (output === undefined) return;
  send(toOutput(output, Object.assign(properties, eventMessage(record))));
}

/** All of a message but its payload, which may be large and is not wanted in events. */
export function withoutPayload(msg: NodeMessage): NodeMessage {
  const { payload: _payload, ...rest } = msg;
  return rest;
}

/** The place of a message in a sequence, as the Split node writes it and Join reads it. */
export interface Parts {
  readonly id: string;
  readonly type: 'array' | 'buffer';
  readonly index: number;
  readonly count?: number;
  readonly ch?: string;
}

/** Puts a message into a sequence; one that it already belongs to moves into `parts.parts`, as in Split. */
export function intoSequence(msg: NodeMessage, parts: Parts): NodeMessage {
  msg.parts = msg.parts === undefined ? parts : { ...parts, parts: msg.parts };
  return msg;
}

/** The records of a transfer that the engine never heard of: its `start` and its `error`. */
export function failureRecords(
  { operation, filename, host, port }: Omit<ClientRequest, 'options'>,
  error: TftpError,
): readonly [start: TransferRecord, error: TransferRecord] {
  const beginning = { operation, filename, host, port, mode: 'octet', role: 'client' } as const;
  return failedRecords(beginning, error);
}

/**
 * An error as Catch nodes and the log show it: its text alone. Node-RED writes the name of an error
 * before its text, unless it has none.
 */
export function plainError(text: string, fields: Readonly<Record<string, unknown>>): Error {
  const error = Object.assign(new Error(text), fields);
  error.name = '';
  return error;
}

/** Whatever ended a message, for Catch nodes. */
export function catchError(error: TftpError): Error {
  const { message, code, tftpCode, peer, filename } = error;
  return plainError(message, {
    code,
    tftpCode,
    ...(peer !== undefined && { peer }),
    ...(filename !== undefined && { filename }),
    ...(error.cause !== undefined && { cause: error.cause }),
  });
}

/** The error that an `error` record tells of, for Catch nodes. */
export function errorOf(record: TransferRecord): Error {
  const { code, tftpCode, message } = record.error ?? { code: 'EUNDEF', tftpCode: 0, message: '' };
  const doing = record.operation === 'read' ? 'reading' : 'writing';
  const { host, port, filename } = record;
  const peer = peerName({ address: host, port });
  return plainError(`${message} (${peer} ${doing} "${filename}")`, {
    code,
    tftpCode,
    peer,
    filename,
  });
}

/**
 * The payload that Catch nodes get: the record of the transfer that failed. Of what failed without
 * being a transfer there is the `error`, and what else is known.
 */
export type FailurePayload = Pick<TransferRecord, 'error'> & Partial<TransferRecord>;

/** The payload for a failure that is no transfer. */
export function failurePayload(
  error: TftpError,
  known: Partial<TransferRecord> = {},
): FailurePayload {
  return { event: 'error', ...known, error: describeError(error) };
}

/**
 * Makes a message that failed the one for Catch nodes. What was its payload moves to `_payload`, as
 * Node-RED moves an older `error` to `_error`.
 */
export function failedMessage(msg: NodeMessage, payload: FailurePayload): NodeMessage {
  if (msg.payload === undefined) return Object.assign(msg, { payload });
  return Object.assign(msg, { _payload: msg.payload, payload });
}

/** Whatever was thrown, as the kind of error that all of this package understands. */
export function toTftpError(thrown: unknown): TftpError {
  if (isTftpError(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new LocalError('EIO', message, { cause: thrown });
}
