/**
 * What is saved in a flow for each node: the properties with their defaults, how older flows are
 * brought up to date, and the form that the nodes work with.
 *
 * Values may be strings where numbers are meant: that is what an edit dialog and `${ENV}` give.
 */

import { constants } from 'node:buffer';
import { checkNumber, invalidSetting } from '../net/check-setting';
import { LocalError } from '../protocol/errors';
import { NameRules } from '../server/names/name-rules';
import { ANY_NETWORK, PRIVATE_NETWORKS } from '../server/server-options';
import { OVERWRITE_POLICIES } from '../storage/overwrite-policy';
import {
  ACCESS_DEFAULTS,
  FOLDER_DEFAULTS,
  accessOptions,
  folderSettings,
  type FolderSettings,
} from './access-settings';
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
import type { AddressFamily, ServerOptions } from '../server/server-options';
import type { OverwritePolicy } from '../storage/overwrite-policy';

/** Properties that get and put share. `timeout` and `deadline` in seconds, `progressInterval` in milliseconds. */
const CLIENT_NODE_DEFAULTS = {
  version: 1,
  host: '',
  hostType: 'str',
  port: '',
  portType: 'num',
  filename: '',
  filenameType: 'str',
  mode: 'octet',
  blksize: '1428',
  windowsize: '16',
  timeout: '',
  retries: '6',
  tsize: true,
  rollover: '',
  anyAddress: false,
  concurrency: '5',
  queue: '1000',
  localAddress: '',
  localPorts: '',
  deadline: '',
  progressInterval: '1000',
  events: 'one',
};

/** MiB that a get may have if nothing else is set: what comes in one message, and what does not. */
const MAX_MESSAGE_SIZE = 64;
const MAX_FILE_SIZE = 4096;

/** The properties of a tftp get node. `maxSize` in MiB; blank for 64, for local files and streams 4096. */
export const TFTP_GET_DEFAULTS = {
  ...CLIENT_NODE_DEFAULTS,
  action: 'get',
  ret: 'bin',
  localFilename: '',
  localFilenameType: 'str',
  createDir: false,
  overwrite: 'replace',
  maxSize: '',
  sha256: '',
};

/** The properties of a tftp put node. */
export const TFTP_PUT_DEFAULTS = {
  ...CLIENT_NODE_DEFAULTS,
  source: 'payload',
  sourceType: 'msg',
};

/** Bytes: room for some firmware images at once, also on a small computer. */
const DEFAULT_UPLOAD_MEMORY = 256 * 1024 * 1024;

/** The properties of a tftp server node. `maxUploadSize` and `uploadMemory` in MiB, `responseTimeout`, `timeout` and `deadline` in seconds. */
export const TFTP_SERVER_DEFAULTS = {
  version: 1,
  address: '',
  port: '69',
  family: 'both',
  transferPorts: 'any',
  portRange: '',
  mapRules: '',
  mapFile: '',
  root: '',
  reads: 'folder',
  responseTimeout: '10',
  writes: 'off',
  ret: 'bin',
  overwrite: 'refuse',
  createDir: false,
  access: 'private',
  allow: [] as string[],
  maxUploadSize: '1024',
  uploadMemory: '256',
  maxTransfers: '500',
  maxPerHost: '400',
  blksizeMax: '',
  windowsizeMax: '64',
  timeout: '1',
  retries: '6',
  deadline: '14400',
  progressInterval: '1000',
  worker: true,
  events: 'one',
  inputs: 0,
  ...ACCESS_DEFAULTS,
  ...FOLDER_DEFAULTS,
};

/** The properties of a tftp response node. */
export const TFTP_RESPONSE_DEFAULTS = {
  version: 1,
  mode: 'message',
  errorCode: '1',
  errorText: '',
};

/** The properties of a node as they are saved in a flow: nothing is sure about their values. */
export type Saved<Defaults> = { readonly [K in keyof Defaults]?: unknown };

/** How a node tells its events: down output 2, each kind down its own output, or not at all. */
export type EventsChoice = 'one' | 'separate' | 'none';

/** A TypedInput: the text of the field and its type. */
export interface TypedValue {
  readonly value: string;
  readonly type: string;
}

/** What get and put share. */
export interface ClientNodeConfig {
  readonly host: TypedValue;
  readonly port: TypedValue;
  readonly filename: TypedValue;
  /** The transfer options as they stand in the node: a message may fill the blank ones. */
  readonly transfer: Readonly<Record<string, unknown>>;
  readonly concurrency: number;
  readonly queue: number;
  readonly events: EventsChoice;
}

export interface GetConfig extends ClientNodeConfig {
  readonly action: 'get' | 'stat';
  readonly ret: 'bin' | 'txt' | 'obj' | 'file' | 'stream';
  readonly localFilename: TypedValue;
  readonly createDir: boolean;
  readonly overwrite: OverwritePolicy;
}

export interface PutConfig extends ClientNodeConfig {
  readonly source: TypedValue;
}

export interface ServerConfig {
  readonly root: string;
  /** A map file, whose rules come in the place of those in `server`; '' for none. */
  readonly mapFile: string;
  readonly reads: 'folder' | 'flow' | 'both' | 'off';
  /** How long the flow may think about a read, in milliseconds. */
  readonly responseTimeout: number;
  readonly writes: 'off' | 'folder' | 'message' | 'both';
  readonly ret: 'bin' | 'txt';
  readonly overwrite: OverwritePolicy;
  readonly createDir: boolean;
  readonly events: EventsChoice;
  /** Bytes that the unfinished uploads of all servers may hold in memory when this one takes more. */
  readonly uploadMemory: number;
  /** True if it takes control messages. */
  readonly control: boolean;
  /** How names are looked up in the folder and in others. */
  readonly folder: FolderSettings;
  /** All that the server is told, but for its storage. */
  readonly server: Omit<ServerOptions, 'storage'>;
}

export interface ResponseConfig {
  /** `error`: each request is refused, with the code and text below. */
  readonly mode: 'message' | 'error';
  /** 0 to 8, as RFC 1350 section 5 and RFC 2347 have them. */
  readonly errorCode: number;
  /** Blank for the words of the RFC. */
  readonly errorText: string;
}

const EVENTS = ['one', 'separate', 'none'] as const;

/** The transfer options that a node keeps as they are until a message has filled the blank ones. */
const TRANSFER_PROPERTIES = [
  'mode',
  'blksize',
  'windowsize',
  'timeout',
  'retries',
  'tsize',
  'rollover',
  'anyAddress',
  'localAddress',
  'localPorts',
  'deadline',
  'progressInterval',
  'maxSize',
  'sha256',
] as const;

/**
 * Brings saved properties up to date: what an older version did not know gets its default, so that a
 * flow goes on working as it did. A change of meaning gets a step here, from one version to the next.
 */
export function migrate<Defaults extends { version: number }>(
  saved: Saved<Defaults>,
  defaults: Defaults,
): Record<keyof Defaults, unknown> {
  return {
    ...defaults,
    ...withoutUndefined<Record<string, unknown>>(saved),
    version: defaults.version,
  };
}

/** @throws {LocalError} EINVAL, saying which property is wrong and what it may be. */
export function parseGetConfig(saved: Saved<typeof TFTP_GET_DEFAULTS>): GetConfig {
  const own = migrate(saved, TFTP_GET_DEFAULTS);
  const ret = choiceSetting('ret', own.ret, ['bin', 'txt', 'obj', 'file', 'stream']);
  const node = parseClientNode(own);
  const usual = ret === 'file' || ret === 'stream' ? MAX_FILE_SIZE : MAX_MESSAGE_SIZE;
  const maxSize = isBlank(own.maxSize) ? usual : own.maxSize;
  return {
    ...node,
    transfer: { ...node.transfer, maxSize },
    action: choiceSetting('action', own.action, ['get', 'stat']),
    ret,
    localFilename: typed(own.localFilename, own.localFilenameType),
    createDir: flagSetting(own.createDir),
    overwrite: choiceSetting('overwrite', own.overwrite, OVERWRITE_POLICIES),
  };
}

/** @throws {LocalError} EINVAL, saying which property is wrong and what it may be. */
export function parsePutConfig(saved: Saved<typeof TFTP_PUT_DEFAULTS>): PutConfig {
  const own = migrate(saved, TFTP_PUT_DEFAULTS);
  return { ...parseClientNode(own), source: typed(own.source, own.sourceType) };
}

function parseClientNode(
  own: Record<keyof typeof CLIENT_NODE_DEFAULTS, unknown>,
): ClientNodeConfig {
  const concurrency = numberSetting('concurrency', own.concurrency) ?? 5;
  const queue = numberSetting('queue', own.queue) ?? 1000;
  checkNumber('concurrency', concurrency, 1, 1000);
  checkNumber('queue', queue, 0, 1_000_000);
  return {
    host: typed(own.host, own.hostType),
    port: typed(own.port, own.portType),
    filename: typed(own.filename, own.filenameType),
    transfer: pick(own, TRANSFER_PROPERTIES),
    concurrency,
    queue,
    events: choiceSetting('events', own.events, EVENTS),
  };
}

/** @throws {LocalError} EINVAL, saying which property is wrong and what it may be; ENOFILE if no folder is set. */
export function parseServerConfig(saved: Saved<typeof TFTP_SERVER_DEFAULTS>): ServerConfig {
  const own = migrate(saved, TFTP_SERVER_DEFAULTS);
  const config: ServerConfig = {
    root: textSetting(own.root),
    mapFile: textSetting(own.mapFile),
    reads: choiceSetting('reads', own.reads, ['folder', 'flow', 'both', 'off']),
    responseTimeout:
      millisecondsSetting('responseTimeout', own.responseTimeout, 0.1, 3600) ?? 10_000,
    writes: choiceSetting('writes', own.writes, ['off', 'folder', 'message', 'both']),
    ret: choiceSetting('ret', own.ret, ['bin', 'txt']),
    overwrite: choiceSetting('overwrite', own.overwrite, OVERWRITE_POLICIES),
    createDir: flagSetting(own.createDir),
    events: choiceSetting('events', own.events, EVENTS),
    uploadMemory: bytesSetting('uploadMemory', own.uploadMemory) ?? DEFAULT_UPLOAD_MEMORY,
    control: numberSetting('inputs', own.inputs) === 1,
    folder: folderSettings(own),
    server: { ...parseServer(own), ...accessOptions(own) },
  };
  if (config.root === '' && needsFolder(config)) {
    throw new LocalError('ENOFILE', 'No folder is set: fill in "Folder", with the files to serve');
  }
  return config;
}

/** True if the server reads from or writes to a folder. */
export function needsFolder({ reads, writes }: Pick<ServerConfig, 'reads' | 'writes'>): boolean {
  return ['folder', 'both'].includes(reads) || ['folder', 'both'].includes(writes);
}

/** True if the flow answers reads, or some of them. */
export function asksFlow({ reads }: Pick<ServerConfig, 'reads'>): boolean {
  return reads === 'flow' || reads === 'both';
}

/** @throws {LocalError} EINVAL, saying which property is wrong and what it may be. */
export function parseResponseConfig(saved: Saved<typeof TFTP_RESPONSE_DEFAULTS>): ResponseConfig {
  const own = migrate(saved, TFTP_RESPONSE_DEFAULTS);
  const errorCode = numberSetting('errorCode', own.errorCode) ?? 0;
  checkNumber('errorCode', errorCode, 0, 8);
  return {
    mode: choiceSetting('mode', own.mode, ['message', 'error']),
    errorCode,
    errorText: textSetting(own.errorText),
  };
}

function parseServer(
  own: Record<keyof typeof TFTP_SERVER_DEFAULTS, unknown>,
): ServerConfig['server'] {
  return withoutUndefined<ServerConfig['server']>({
    rules: typedRules(own),
    address: textSetting(own.address),
    port: numberSetting('port', own.port),
    family: choiceSetting<AddressFamily>('family', own.family, ['both', 'ipv4', 'ipv6']),
    transferPorts: transferPorts(own.transferPorts, own.portRange),
    read: own.reads !== 'off',
    write: own.writes !== 'off',
    allow: allowedNetworks(own.access, own.allow),
    maxUploadSize: uploadLimit(own.maxUploadSize, own.writes),
    maxTransfers: numberSetting('maxTransfers', own.maxTransfers),
    maxPerHost: numberSetting('maxPerHost', own.maxPerHost),
    blksizeMax: numberSetting('blksizeMax', own.blksizeMax),
    windowsizeMax: numberSetting('windowsizeMax', own.windowsizeMax),
    timeout: millisecondsSetting('timeout', own.timeout, 0.01, 255),
    retries: numberSetting('retries', own.retries),
    deadline: millisecondsSetting('deadline', own.deadline, 0, 2_000_000) ?? 0,
    progressInterval: numberSetting('progressInterval', own.progressInterval),
    worker: own.worker === true,
  });
}

function transferPorts(choice: unknown, range: unknown): ServerOptions['transferPorts'] {
  const ports = choiceSetting('transferPorts', choice, ['any', 'single', 'range']);
  if (ports !== 'range') return ports;
  const given = portsSetting('portRange', range);
  if (given === undefined) throw invalidSetting('No range of ports is set: write 50000-50100');
  return typeof given === 'number' ? [given, given] : given;
}

/** What goes into a message has to fit into a string of Node.js, whatever is set. */
function uploadLimit(maxUploadSize: unknown, writes: unknown): number {
  const limit = bytesSetting('maxUploadSize', maxUploadSize) ?? Number.MAX_SAFE_INTEGER;
  const goesIntoMessage = writes === 'message' || writes === 'both';
  return goesIntoMessage ? Math.min(limit, constants.MAX_STRING_LENGTH) : limit;
}

/** The rules of the dialog, which do not count beside a map file. */
function typedRules({
  mapRules,
  mapFile,
}: Record<'mapRules' | 'mapFile', unknown>): NameRules | undefined {
  const text = textSetting(mapRules);
  return text === '' || textSetting(mapFile) !== '' ? undefined : NameRules.parse(String(mapRules));
}

function allowedNetworks(access: unknown, allow: unknown): readonly string[] {
  const choice = choiceSetting('access', access, ['private', 'any', 'list']);
  if (choice === 'private') return PRIVATE_NETWORKS;
  if (choice === 'any') return ANY_NETWORK;
  return Array.isArray(allow) ? allow.map(textSetting).filter((entry) => entry !== '') : [];
}

function typed(value: unknown, type: unknown): TypedValue {
  return { value: textSetting(value), type: textSetting(type) };
}

function pick(from: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}
