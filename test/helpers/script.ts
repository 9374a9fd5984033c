/**
 * Plays a machine through a table in virtual time: at T this comes in, at T exactly this goes out,
 * and then the machine waits until exactly that time. Nothing sleeps.
 *
 * ```
 * play(clientGet('blksize=8'), [
 *   [0, 'start', ['-> RRQ f octet blksize=8'], 1_000],
 *   [10, '<- OACK blksize=8', ['-> ACK 0', 'negotiated blksize=8'], 1_010],
 * ]);
 * ```
 *
 * A payload is written as text, or as `a*512` for 512 times the same letter.
 */
import should = require('should');
import { decodeTransferPacket } from '../../src/protocol/decode';
import type { TftpError } from '../../src/protocol/errors';
import { LocalError } from '../../src/protocol/errors';
import { DEFAULT_OPTIONS, grantOptions } from '../../src/protocol/options';
import type { GrantedOptions, NegotiatedOptions } from '../../src/protocol/options';
import type { WireOption } from '../../src/protocol/packet';
import { FlightRecorder } from '../../src/transfer/flight-recorder';
import { readOpening, requestOpening, writeOpening } from '../../src/transfer/opening';
import { Receiver } from '../../src/transfer/receiver';
import type { RetryPolicy } from '../../src/transfer/retry-policy';
import { Sender } from '../../src/transfer/sender';
import type { TransferEvent, Transmit } from '../../src/transfer/transfer';

/** When, what happens, what goes out (datagrams first, then events), and the next deadline. */
export type Row = readonly [
  at: number,
  input: string,
  output: readonly string[],
  deadline: number | undefined,
];

/**
 * The timeouts are 1, 2, 4 and 8 s: what is repeated goes out at 0, 1, 3 and 7 s, and at 15 s all
 * is over. There is no jitter.
 */
export const POLICY: RetryPolicy = {
  timeout: 1_000,
  minTimeout: 1_000,
  maxTimeout: 8_000,
  retries: 3,
  openingSends: 3,
  random: () => 0,
};

/** What a sender asks for at first. A table tells of another size alone. */
const FIRST_PIECE = 2048;

/** What `abort` in a table ends a transfer with. */
export const ABORT = new LocalError('ENOSPC', 'The disk is full');

/** What `unreachable` in a table ends a transfer with. */
export const REFUSED = new LocalError('ECONNREFUSED', 'Nothing listens there');

/** A client that fetches the file `f` and asks for these options (`blksize=8 windowsize=4`). */
export function clientGet(asked = '', policy = POLICY, recorder = new FlightRecorder()): Receiver {
  return new Receiver(requestOpening(request('RRQ', asked)), policy, recorder);
}

/** A client that sends the file `f`. */
export function clientPut(asked = '', policy = POLICY, recorder = new FlightRecorder()): Sender {
  return new Sender(requestOpening(request('WRQ', asked)), policy, recorder);
}

/** A server that is asked to send a file, and grants whatever is asked. */
export function serverRead(asked = '', policy = POLICY, recorder = new FlightRecorder()): Sender {
  return new Sender(readOpening(grant('read', asked)), policy, recorder);
}

/** A server that is asked to take a file. */
export function serverWrite(
  asked = '',
  policy = POLICY,
  recorder = new FlightRecorder(),
): Receiver {
  return new Receiver(writeOpening(grant('write', asked), 'octet'), policy, recorder);
}

/** Plays the rows in order. Between them it also makes the early and extra calls that must do nothing. */
export function play(machine: Sender | Receiver, rows: readonly Row[]): void {
  let before = rows[0]?.[0] ?? 0;
  for (const [index, [at, input, output, deadline]] of rows.entries()) {
    const where = `row ${index + 1}, ${input} at ${at}`;
    expectNothing(machine, (before + at) / 2, `early call before ${where}`);
    apply(machine, input, at);
    should(drain(machine)).deepEqual([...output], where);
    should(machine.nextTimeout()).equal(deadline, `the deadline after ${where}`);
    expectNothing(machine, at, `extra call after ${where}`);
    before = at;
  }
}

/** All that a machine has to say, datagrams first. */
export function drain(machine: Sender | Receiver): string[] {
  const said: string[] = [];
  for (let run = machine.pollTransmit(); run; run = machine.pollTransmit()) {
    said.push(...datagramsOf(run).map((bytes) => `-> ${textOf(bytes)}`));
  }
  for (let event = machine.pollEvent(); event; event = machine.pollEvent()) {
    said.push(eventText(event));
  }
  return said;
}

/** The datagrams of a run, one by one. */
export function datagramsOf(run: Transmit): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (let at = 0; at < run.datagrams.length; at += run.segmentSize) {
    datagrams.push(run.datagrams.subarray(at, at + run.segmentSize));
  }
  return datagrams;
}

/** The bytes of `DATA 1 a*8`, `ACK 1`, `OACK blksize=8`, `ERROR 1 text` or `RRQ f octet blksize=8`. */
export function datagram(text: string): Buffer {
  const [type = '', first = '', ...rest] = text.split(' ');
  switch (type) {
    case 'RRQ':
    case 'WRQ':
      return Buffer.concat([
        word(type === 'RRQ' ? 1 : 2),
        strings([first, rest[0]!]),
        optionBytes(rest.slice(1)),
      ]);
    case 'DATA':
      return Buffer.concat([word(3), word(Number(first)), payload(rest.join(' '))]);
    case 'ACK':
      return Buffer.concat([word(4), word(Number(first))]);
    case 'ERROR':
      return Buffer.concat([word(5), word(Number(first)), strings([rest.join(' ')])]);
    case 'OACK':
      return Buffer.concat([word(6), optionBytes(first === '' ? [] : [first, ...rest])]);
    default:
      throw new Error(`The table has no packet "${text}"`);
  }
}

/** The options of `blksize=8 windowsize=4`. */
export function options(text: string): WireOption[] {
  return text === '' ? [] : text.split(' ').map(option);
}

/** The bytes of `a*512` or of the text itself. */
export function payload(text: string): Buffer {
  const run = /^(.)\*(\d+)$/.exec(text);
  return Buffer.from(run ? run[1]!.repeat(Number(run[2])) : text);
}

function apply(machine: Sender | Receiver, input: string, now: number): void {
  if (input.startsWith('<- ')) {
    const packet = decodeTransferPacket(datagram(input.slice(3)));
    return machine.handlePacket(packet!, now);
  }
  const [verb = '', argument = ''] = input.split(' ');
  switch (verb) {
    case 'start':
      return machine.start(now);
    case 'timeout':
      should(machine.nextTimeout()).equal(now, `the timeout is not due at ${now}`);
      return machine.handleTimeout(now);
    case 'repeat':
      return machine.repeatLast(now);
    case 'abort':
      return machine.abort(ABORT, now);
    case 'unreachable':
      return machine.handleUnreachable(REFUSED, now);
    case 'push':
      return asSender(machine).push(payload(argument), now);
    case 'end':
      return asSender(machine).end(now);
    case 'consumed':
      return asReceiver(machine).consumed(Number(argument), now);
    case 'committed':
      return asReceiver(machine).committed(now);
    default:
      throw new Error(`The table has no input "${input}"`);
  }
}

function asSender(machine: Sender | Receiver): Sender {
  if (machine instanceof Sender) return machine;
  throw new Error('Only a sender takes data');
}

function asReceiver(machine: Sender | Receiver): Receiver {
  if (machine instanceof Receiver) return machine;
  throw new Error('Only a receiver hands out data');
}

function expectNothing(machine: Sender | Receiver, now: number, what: string): void {
  const deadline = machine.nextTimeout();
  if (deadline !== undefined && now >= deadline) return;
  machine.handleTimeout(now);
  should(drain(machine)).deepEqual([], what);
  should(machine.nextTimeout()).equal(deadline, what);
}

/** A datagram as text that says every byte of it. */
function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes);
  const text = looseTextOf(buffer);
  should(datagram(text).toString('hex')).equal(buffer.toString('hex'), text);
  return text;
}

function looseTextOf(bytes: Buffer): string {
  const fields = bytes.toString('utf8', 2).split('\0');
  const number = bytes.length < 4 ? 0 : bytes.readUInt16BE(2);
  switch (bytes.readUInt16BE(0)) {
    case 1:
      return ['RRQ', ...fields.slice(0, 2), ...pairs(fields.slice(2))].join(' ');
    case 2:
      return ['WRQ', ...fields.slice(0, 2), ...pairs(fields.slice(2))].join(' ');
    case 3:
      return `DATA ${number} ${payloadText(bytes.subarray(4))}`.trimEnd();
    case 4:
      return `ACK ${number}`;
    case 5:
      return `ERROR ${number} ${bytes.toString('utf8', 4, bytes.length - 1)}`;
    default:
      return ['OACK', ...pairs(fields)].join(' ');
  }
}

function eventText(event: TransferEvent): string {
  switch (event.type) {
    case 'negotiated':
      return ['negotiated', ...settled(event.options)].join(' ');
    case 'data':
      return `data ${payloadText(event.payload)}`;
    case 'retry':
      return `retry ${event.attempt}/${event.retries}`;
    case 'done':
      return event.finalAck ? 'done' : 'done without the final ACK';
    case 'failed':
      return failureText(event.error);
    case 'need-data':
      return event.bytes === FIRST_PIECE ? 'need-data' : `need-data ${event.bytes}`;
    case 'end':
      break;
  }
  return event.type;
}

function failureText(error: TftpError): string {
  return `failed ${error.name} ${error.code}: ${error.message}`;
}

/** The options that are not the defaults. */
function settled(negotiated: NegotiatedOptions): string[] {
  const defaults = new Map<string, unknown>(Object.entries(DEFAULT_OPTIONS));
  return Object.entries(negotiated)
    .filter(([name, value]) => value !== defaults.get(name))
    .map(([name, value]) => `${name}=${value}`);
}

function payloadText(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString();
  const oneLetter = text.length > 1 && text === text[0]!.repeat(text.length);
  return oneLetter ? `${text[0]}*${text.length}` : text;
}

function request(type: 'RRQ' | 'WRQ', asked: string) {
  return { type, filename: 'f', mode: 'octet', options: options(asked) } as const;
}

function grant(direction: 'read' | 'write', asked: string): GrantedOptions {
  const limits = { blksizeMax: 65464, windowsizeMax: 65535 };
  return grantOptions(options(asked), limits, { direction, mode: 'octet' });
}

function option(text: string): WireOption {
  const [name = '', value = ''] = text.split('=');
  return { name, value };
}

function pairs(fields: readonly string[]): string[] {
  return fields.flatMap((name, i) => (i % 2 === 0 && name ? [`${name}=${fields[i + 1]}`] : []));
}

function optionBytes(texts: readonly string[]): Buffer {
  return strings(texts.map(option).flatMap(({ name, value }) => [name, value]));
}

function strings(texts: readonly string[]): Buffer {
  return Buffer.from(texts.map((text) => `${text}\0`).join(''));
}

function word(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}
