/**
 * What a node and a message ask for together: which file, on which server, in which way.
 *
 * What is set in the node wins; what is blank there comes from the message.
 */

import { isIP, isIPv4 } from 'node:net';
import { invalidSetting } from '../net/check-setting';
import { parseClientOptions } from '../client/client-options';
import { parseTftpUrl } from '../client/tftp-url';
import {
  bytesSetting,
  choiceSetting,
  flagSetting,
  isBlank,
  millisecondsSetting,
  numberSetting,
  portsSetting,
  textSetting,
  withoutUndefined,
} from './setting';
import { evaluate } from './typed-input';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { ClientOptions } from '../client/client-options';
import type { TransferMode } from '../protocol/packet';
import type { ClientNodeConfig, TypedValue } from './node-config';

/** One transfer that a message asks for. */
export interface ClientRequest {
  readonly operation: 'read' | 'write';
  readonly host: string;
  readonly port: number;
  readonly filename: string;
  readonly options: ClientOptions;
  /** Which of how many, if the message named an array of files. */
  readonly position?: { readonly index: number; readonly count: number };
}

type Place = Pick<ClientRequest, 'host' | 'port' | 'filename'>;

const MODES: readonly TransferMode[] = ['octet', 'netascii'];

/** The options that `msg.tftpOptions` may fill; the two checksums may also stand in the message itself. */
const MESSAGE_OPTIONS = [
  'mode',
  'blksize',
  'windowsize',
  'timeout',
  'retries',
  'tsize',
  'rollover',
  'deadline',
  'sha256',
  'md5',
];

/**
 * The transfers that a message asks for: one, or one for each name if the file name is an array.
 *
 * @throws {LocalError} EINVAL, saying what is missing or wrong.
 */
export async function clientRequests(
  RED: NodeAPI,
  node: Node,
  config: ClientNodeConfig,
  operation: ClientRequest['operation'],
  msg: NodeMessage,
): Promise<ClientRequest[]> {
  const raw = fillBlanks(config.transfer, msg, operation);
  const field = (name: string, input: TypedValue): Promise<unknown> =>
    input.value === '' ? Promise.resolve(undefined) : evaluate(RED, node, name, input, msg);
  const host = await field('host', config.host);
  const port = await field('port', config.port);
  const ownName = await field('filename', config.filename);
  const url = host === undefined || ownName === undefined ? urlOf(msg.url) : undefined;
  const filename = ownName ?? url ?? msg.filename;
  const names = namesOf(filename, operation);
  return names.map((name, index) => {
    const { mode, ...place } = placeOf(name, url, host, port, msg);
    const options = transferOptions(place, { ...raw, ...(mode && { mode }) });
    const request = { operation, ...place, options };
    return Array.isArray(filename)
      ? { ...request, position: { index, count: names.length } }
      : request;
  });
}

/** What can be said about the place of a transfer whose request could not be made out. */
export function knownPlace(config: ClientNodeConfig, msg: NodeMessage): Place {
  const known = (input: TypedValue, given: unknown): string =>
    input.type === 'str' && input.value !== '' ? input.value : textSetting(given);
  return {
    host: known(config.host, msg.host),
    port: 0,
    filename: known(config.filename, msg.filename),
  };
}

function namesOf(filename: unknown, operation: ClientRequest['operation']): readonly unknown[] {
  if (!Array.isArray(filename)) return [filename];
  if (operation === 'write') {
    throw invalidSetting('the file name is an array: send one message for each file to put');
  }
  if (filename.length === 0) throw invalidSetting('the array of file names is empty');
  return filename;
}

/** The parts of a `tftp://` URL stand in for what is not set in the node, before the message does. */
function placeOf(
  name: unknown,
  messageUrl: string | undefined,
  host: unknown,
  port: unknown,
  msg: NodeMessage,
): Place & { readonly mode?: TransferMode } {
  const url = tftpUrl(name) ?? messageUrl;
  const parsed = url === undefined ? undefined : parseTftpUrl(url);
  return {
    host: hostOf(host ?? parsed?.host ?? msg.host),
    port: portOf(port ?? parsed?.port ?? msg.port),
    filename: tftpUrl(name) === undefined ? filenameOf(name) : filenameOf(parsed?.filename),
    ...(parsed?.mode !== undefined && { mode: parsed.mode }),
  };
}

function tftpUrl(value: unknown): string | undefined {
  return typeof value === 'string' && /^tftp:\/\//i.test(value.trim()) ? value.trim() : undefined;
}

/** The URL of the message. It counts only if the node leaves the host or the file name to the message. */
function urlOf(value: unknown): string | undefined {
  if (isBlank(value)) return undefined;
  const url = tftpUrl(value);
  if (url !== undefined) return url;
  throw invalidSetting(
    `msg.url is ${JSON.stringify(value)}: it must begin with tftp://. Correct or delete it, or fill in "Host" and "File"`,
  );
}

function hostOf(value: unknown): string {
  if (Array.isArray(value)) {
    throw invalidSetting('the host is an array: send one message for each host');
  }
  const host = textSetting(value).replace(/^\[(.*:.*)\]$/, '$1');
  if (host === '') {
    throw invalidSetting(
      'no host: fill in "Host", or set msg.host to the address of the TFTP server',
    );
  }
  if (isHost(host)) return host;
  throw invalidSetting(
    `the host is ${JSON.stringify(host)}: give only a name or an address, such as 192.0.2.10 or 2001:db8::10; the port has its own field`,
  );
}

/** The dialogs check the same. What consists of digits and dots is an IPv4 address, what has a colon IPv6. */
function isHost(text: string): boolean {
  if (text.includes(':')) return isIP(text) === 6;
  return /^[\d.]+$/.test(text) ? isIPv4(text) : !/[\s/\\?#@[\]%]/.test(text);
}

function portOf(value: unknown): number {
  const port = numberSetting('port', value) ?? 69;
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw invalidSetting(`port is ${port}: it must be a whole number from 1 to 65535`);
}

function filenameOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number') return String(value);
  throw invalidSetting(
    'no file name: fill in "File", or set msg.filename to its name on the server',
  );
}

function fillBlanks(
  own: Readonly<Record<string, unknown>>,
  msg: NodeMessage,
  operation: ClientRequest['operation'],
): Record<string, unknown> {
  const given = givenOptions(msg.tftpOptions);
  const filled: Record<string, unknown> = { ...own };
  for (const name of MESSAGE_OPTIONS) {
    if (isBlank(filled[name])) filled[name] = given[name];
  }
  if (operation === 'write') return { ...filled, sha256: undefined, md5: undefined };
  return {
    ...filled,
    sha256: own.sha256 || msg.sha256 || given.sha256,
    md5: msg.md5 || given.md5,
  };
}

/** @throws {LocalError} EINVAL for what is no object, and for names that no option has. */
function givenOptions(value: unknown): Record<string, unknown> {
  if (isBlank(value)) return {};
  if (!isObject(value)) throw invalidSetting('msg.tftpOptions must be an object');
  const unknown = Object.keys(value).find((name) => !MESSAGE_OPTIONS.includes(name));
  if (unknown === undefined) return value;
  throw invalidSetting(
    `msg.tftpOptions has "${unknown}", which is not an option: use some of ${MESSAGE_OPTIONS.join(', ')}`,
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a client is told: null for blank. */
function windowSetting(value: unknown): number | 'auto' | null {
  return textSetting(value) === 'auto' ? 'auto' : (numberSetting('windowsize', value) ?? null);
}

/** null for blank, so that it is not asked. */
function rolloverSetting(value: unknown): 0 | 1 | null {
  const number = numberSetting('rollover', value) ?? null;
  if (number === null || number === 0 || number === 1) return number;
  throw invalidSetting(`rollover is ${number}: it must be 0 or 1, or blank`);
}

/**
 * The client's options from what is saved in a node, where a blank blksize, windowsize or timeout
 * means that the option is not sent.
 *
 * @throws {LocalError} EINVAL, saying which is wrong and what it may be.
 */
function transferOptions(
  { host, port }: Place,
  raw: Readonly<Record<string, unknown>>,
): ClientOptions {
  const options = withoutUndefined<ClientOptions>({
    host,
    port,
    mode: choiceSetting('mode', raw.mode || 'octet', MODES),
    blksize: numberSetting('blksize', raw.blksize) ?? null,
    windowsize: windowSetting(raw.windowsize),
    timeout: millisecondsSetting('timeout', raw.timeout, 0.01, 255) ?? null,
    retries: numberSetting('retries', raw.retries),
    tsize: isBlank(raw.tsize) ? undefined : flagSetting(raw.tsize),
    rollover: rolloverSetting(raw.rollover),
    anyAddress: flagSetting(raw.anyAddress),
    deadline: millisecondsSetting('deadline', raw.deadline, 0, 2_000_000),
    progressInterval: numberSetting('progressInterval', raw.progressInterval),
    maxSize: bytesSetting('maxSize', raw.maxSize),
    localAddress: textSetting(raw.localAddress) || undefined,
    localPort: portsSetting('localPorts', raw.localPorts),
    sha256: textSetting(raw.sha256).toLowerCase() || undefined,
    md5: textSetting(raw.md5).toLowerCase() || undefined,
  });
  parseClientOptions(options);
  return options;
}
