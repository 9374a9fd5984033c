/** One transfer of a client: from the name of the host to the end. */

import { isIPv4, isIPv6 } from 'node:net';
import type * as Dns from 'node:dns/promises';
import { addressParts, zoneSpellings } from '../protocol/address';
import { MAX_FILENAME_BYTES } from '../protocol/constants';
import { CancelError, LocalError, isTftpError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import { requestOptions } from '../protocol/options';
import type { WantedOptions } from '../protocol/options';
import type { RequestPacket } from '../protocol/packet';
import { callListener } from '../net/call-listener';
import { invalidSetting } from '../net/check-setting';
import { systemClock } from '../net/clock';
import { Endpoint } from '../udp/endpoint';
import { zoneName, zoneNumber } from '../udp/local-addresses';
import type { Flow } from '../udp/flow';
import { TransferDriver, asTftpError } from '../net/transfer-driver';
import type { Cargo, FailureMeaning } from '../net/transfer-setup';
import { failedRecords } from '../net/transfer-record';
import type { TransferRecord } from '../net/transfer-record';
import { FlightRecorder } from '../transfer/flight-recorder';
import { requestOpening } from '../transfer/opening';
import type { OptionsJudge } from '../transfer/opening';
import { PeerLock } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import { retryPolicy } from '../transfer/retry-policy';
import type { Sender } from '../transfer/sender';
import type { RequiredClientOptions } from './client-options';
import type { WindowMemory } from './window-memory';

/** The first timeout of a client, in milliseconds, where none is set. */
const FIRST_TIMEOUT = 1000;

/** What a machine is made of. */
export type MachineParts = ConstructorParameters<typeof Sender>;

/** What is asked of a server, before its address is known. */
export type Wanted = Omit<WantedOptions, 'windowsize'> & { readonly windowsize?: number | 'auto' };

/** What is asked of a server, and what moves. */
export interface Plan {
  readonly type: RequestPacket['type'];
  readonly filename: string;
  readonly options: RequiredClientOptions;
  readonly wanted: Wanted;
  /** Knows the window for `auto`, and learns from this transfer. */
  readonly windows: WindowMemory;
  /** Ends the transfer before it has begun; from then on its driver can be closed. */
  readonly stop: AbortSignal;
  /** Bytes, if known beforehand. */
  readonly size?: number | undefined;
  cargo(parts: MachineParts): Cargo;
  /** Frees the local end if the transfer cannot even begin. */
  release(): Promise<void>;
  readonly judge?: OptionsJudge;
  /** These two: see `TransferSetup`. */
  readonly annotate?: () => Partial<TransferRecord>;
  readonly meaning?: (error: TftpError) => FailureMeaning;
}

/** A failed transfer's error carries the record of its `error` event. */
export type FailedTransfer = TftpError & { record?: TransferRecord };

/**
 * Runs a transfer to its end.
 *
 * @param register hears of the driver once there is one.
 * @throws {FailedTransfer} after its `start` and `error` events.
 */
export async function runTransfer(
  plan: Plan,
  register: (driver: TransferDriver) => void,
): Promise<TransferRecord> {
  let driver: TransferDriver;
  try {
    driver = await prepare(plan);
  } catch (error) {
    await plan.release();
    throw failBeforeStart(plan.type, plan.filename, plan.options, error);
  }
  register(driver);
  driver.start();
  const { record, error } = await driver.ended;
  if (error !== undefined && record.event === 'error') throw Object.assign(error, { record });
  return record;
}

/** Tells of a transfer that failed before it could begin, and returns what to throw. */
export function failBeforeStart(
  type: RequestPacket['type'],
  filename: string,
  { host, port, mode, onEvent }: RequiredClientOptions,
  cause: unknown,
): FailedTransfer {
  const error = asTftpError(cause);
  error.filename ??= filename;
  const operation = type === 'RRQ' ? 'read' : 'write';
  const beginning = { role: 'client', operation, filename, mode, host, port } as const;
  const [start, failed] = failedRecords(beginning, error);
  callListener(() => onEvent?.(start));
  callListener(() => onEvent?.(failed));
  return Object.assign(error, { record: failed });
}

async function prepare(plan: Plan): Promise<TransferDriver> {
  const { options, type, filename, size, judge, annotate, meaning } = plan;
  const { host, port, anyAddress, mode, signal, progressInterval, deadline, onEvent } = options;
  const cancelled = () => signal?.aborted || plan.stop.aborted;
  checkFilename(filename);
  if (cancelled()) throw new CancelError();
  const destination: Peer = { address: await resolve(host), port };
  if (cancelled()) throw new CancelError();
  const wanted = settled(plan, destination.address);
  const socket = await bind(options, wanted, destination);
  if (cancelled()) {
    socket.close();
    throw new CancelError();
  }
  const recorder = new FlightRecorder();
  const request = { type, filename, mode, options: requestOptions(wanted) };
  const { retries, timeout } = options;
  const policy = retryPolicy({ retries, timeout: timeout ?? FIRST_TIMEOUT }, Math.random);
  const cargo = plan.cargo([requestOpening(request, judge), policy, recorder]);
  const driver = new TransferDriver({
    cargo,
    recorder,
    socket,
    lock: new PeerLock(),
    destination,
    anyAddress,
    clock: systemClock,
    role: 'client',
    filename,
    mode,
    host,
    size,
    progressInterval,
    deadline,
    signal,
    onEvent,
    annotate,
    meaning,
  });
  if (plan.wanted.windowsize === 'auto') void learn(plan.windows, driver, cargo, destination);
  return driver;
}

/** What is asked of the host at this address. */
function settled({ wanted, windows }: Plan, address: string): WantedOptions {
  const { windowsize, ...others } = wanted;
  if (windowsize === undefined) return others;
  const blocks = windowsize === 'auto' ? windows.windowFor(address, systemClock.now()) : windowsize;
  return { ...others, windowsize: blocks };
}

/** Lets the memory of windows know how it went, also if it went wrong. */
async function learn(
  windows: WindowMemory,
  driver: TransferDriver,
  { machine }: Cargo,
  { address }: Peer,
): Promise<void> {
  const { options, bytes } = (await driver.ended).record;
  const blocks = Math.ceil(bytes / options.blksize);
  const evidence = { windowsize: options.windowsize, blocks, stalls: machine.stats.stalls };
  windows.learn(address, evidence, systemClock.now());
}

/** The wire form ends a name with a NUL, and a request must fit one datagram. */
function checkFilename(filename: string): void {
  if (filename === '') throw invalidSetting('The name of the file on the server is missing');
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (/[\u0000-\u001f\u007f]/.test(filename)) {
    throw invalidSetting('The name of the file on the server holds a control character');
  }
  if (Buffer.byteLength(filename) > MAX_FILENAME_BYTES) {
    const most = `${MAX_FILENAME_BYTES} bytes`;
    throw invalidSetting(`The name of the file on the server is longer than ${most}`);
  }
}

async function resolve(host: string): Promise<string> {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  if (isIPv4(name)) return name;
  return isIPv6(name.replace(/%.*$/, '')) ? plainAddress(name) : plainAddress(await lookUp(name));
}

/** An address as the system takes it. A zone belongs to link-local addresses alone (RFC 4007 section 11). */
function plainAddress(address: string): string {
  const { ip, zone } = addressParts(address);
  const isZoned = zone !== undefined && /^fe[89ab]/.test(ip);
  return isZoned ? `${ip}%${systemZone(zone)}` : ip;
}

/**
 * The name of the interface, or on Windows its number.
 *
 * @throws {LocalError} EINVAL if there is no such interface.
 */
function systemZone(zone: string): string {
  for (const spelling of zoneSpellings(zone)) {
    const number = zoneNumber(spelling);
    const name = number === undefined ? undefined : zoneName(number);
    if (name === undefined || name === String(number)) continue;
    return process.platform === 'win32' ? String(number) : name;
  }
  throw invalidSetting(`There is no interface ${zone}: write the address as fe80::1%eth0`);
}

/** Most transfers need none of what this loads. */
async function lookUp(host: string): Promise<string> {
  const { lookup }: typeof Dns = require('node:dns/promises');
  try {
    return (await lookup(host)).address;
  } catch (error) {
    const message = `The host ${host} cannot be found: check the name, or give an address`;
    throw new LocalError('ENOTFOUND', message, { cause: error });
  }
}

/** Binds to the first free port of the range that was given, or to any. */
async function bind(
  { localPort = 0, localAddress }: RequiredClientOptions,
  { blksize = 512, windowsize = 1 }: WantedOptions,
  to: Peer,
): Promise<Flow> {
  const [first, last] = typeof localPort === 'number' ? [localPort, localPort] : localPort;
  const address = localAddress || (to.address.includes(':') ? '::' : '0.0.0.0');
  const receiveBuffer = 2 * (blksize + 4) * windowsize;
  for (let port = first; ; port += 1) {
    try {
      return (await Endpoint.bind({ address, port, receiveBuffer })).whole();
    } catch (error) {
      if (port >= last || !(isTftpError(error) && error.code === 'EADDRINUSE')) throw error;
    }
  }
}
