/** What a tftp server node does: listens, and tells the flow of uploads, transfers and failures. */

import { mkdir, stat } from 'node:fs/promises';
import { systemClock } from '../net/clock';
import { LocalError } from '../protocol/errors';
import { TftpServer } from '../server/server';
import { FolderStorage, type FolderStorageOptions } from '../storage/folder-storage';
import { EventPace } from './event-pace';
import { FlowQuestions, FlowStorage } from './flow-storage';
import { localPath } from './local-path';
import {
  alarmMessage,
  errorOf,
  eventMessage,
  eventOutput,
  requestMessage,
  requestOutput,
  toOutput,
  toTftpError,
} from './messages';
import { asksFlow, needsFolder } from './node-config';
import { StatusLine, haltedStatus, serverStatus, startFailureStatus, statusTexts } from './status';
import { ServerControl } from './server-control';
import { ServerRules } from './server-rules';
import { describeNode, transferMonitor } from './transfer-monitor';
import { UploadStorage } from './upload-storage';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { Clock, Timer } from '../net/clock';
import type { TransferRecord } from '../net/transfer-record';
import type { TftpError } from '../protocol/errors';
import type { GuessAlarm } from '../server/guess-alarm';
import type { NameRules } from '../server/names/name-rules';
import type { StoredFile } from '../server/stored-file';
import type { Storage, StorageRequest } from '../storage/storage';
import type { Send } from './messages';
import type { ServerConfig } from './node-config';
import type { Place } from './port-check';
import type {
  CancelTarget,
  ControlMessage,
  ControlledServer,
  ServerReport,
  ServerState,
} from './server-control';
import type { StatusTexts } from './status';
import type { MonitoredSource } from './transfer-monitor';

/** Milliseconds until a server that could not listen tries again. */
const RETRY_INTERVAL = 3000;

/** What the behaviour needs of the node. */
export type ServerNodeOutlet = Pick<
  Node,
  'id' | 'type' | 'name' | 'status' | 'send' | 'error' | 'debug'
>;

/** The behaviour of a tftp server node. */
export class ServerNode implements ControlledServer {
  readonly #clock: Clock;
  readonly #node: ServerNodeOutlet;
  readonly #config: ServerConfig;
  readonly #folder: FolderStorageOptions | undefined;
  readonly #rules: ServerRules;
  readonly #status: StatusLine;
  readonly #texts: StatusTexts;
  readonly #control: ServerControl;
  readonly #monitored: MonitoredSource;
  readonly #pace: EventPace;
  readonly #active = new Set<string>();
  #server: TftpServer | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  #startTimer: Timer | undefined;
  /** Why the server does not listen although it should. */
  #failure: TftpError | undefined;
  /** The flow wants it to be silent. */
  #stopped = false;
  #closed = false;

  /** The clock waits until it is time to try again. */
  constructor(
    RED: Pick<NodeAPI, '_'> & { readonly settings: object },
    node: ServerNodeOutlet,
    config: ServerConfig,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#node = node;
    this.#config = config;
    this.#folder = usesFolder(config) ? folderOptions(RED, config) : undefined;
    const mapFile = config.mapFile === '' ? undefined : localPath(RED, config.mapFile);
    this.#rules = new ServerRules(mapFile, config.server.rules);
    this.#status = new StatusLine((status) => node.status(status));
    this.#texts = statusTexts(RED);
    this.#control = new ServerControl(this, config.events);
    this.#pace = new EventPace(config.server.progressInterval);
    this.#monitored = transferMonitor.add({
      node: describeNode(node),
      cancel: (id) => this.#server?.abort(id) ?? false,
    });
  }

  /**
   * Listens, once the whole flow stands and its Catch and Status nodes can hear of it. If that fails,
   * the node says so once and tries again every few seconds: the port may become free, the folder
   * may be mounted.
   */
  start(): void {
    this.#startTimer = this.#clock.after(0, () => this.#begin());
  }

  /** Takes a control message. */
  handleInput(msg: ControlMessage, send: Send, done: (error?: Error) => void): void {
    this.#control.handleInput(msg, send, done);
  }

  /** Stops at once: the clients get an ERROR packet, partial files are discarded, the port is free. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#monitored.close();
    this.#startTimer?.cancel();
    this.#status.close();
    await this.#starting;
    await this.#server?.close();
    await this.#control.close();
  }

  /** Where it listens, or tries to. */
  get place(): Place {
    const { address = '', family = 'both' } = this.#config.server;
    return { port: this.#port, address, family };
  }

  /** The code of the error for which it does not listen although it should. */
  get failure(): string | undefined {
    return this.#failure?.code;
  }

  get report(): ServerReport {
    const { addresses = [], transfers = [], counters } = this.#server ?? {};
    const rules = this.#rules.hits;
    return { state: this.#state, addresses, transfers, counters: { ...counters }, rules };
  }

  get #state(): ServerState {
    if (this.#failure !== undefined) return 'failed';
    if (!this.#isListening) return 'stopped';
    return this.#server?.paused ? 'paused' : 'listening';
  }

  get #isListening(): boolean {
    return this.#server !== undefined && this.#server.addresses.length > 0;
  }

  async listen(): Promise<void> {
    await this.#settle();
    if (!this.#isListening) {
      this.#starting = this.#attempt();
      await this.#starting;
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.resume();
  }

  async stop(): Promise<void> {
    await this.#settle();
    this.#failure = undefined;
    this.#stopped = true;
    await this.#server?.close();
    this.#showServer();
  }

  pause(): void {
    this.#server?.pause();
    this.#showServer();
  }

  resume(): void {
    this.#server?.resume();
    this.#showServer();
  }

  cancel({ id, host }: CancelTarget): void {
    if (id === undefined) this.#server?.abortAll(host === undefined ? {} : { host });
    else this.#server?.abort(id);
  }

  async reload(): Promise<void> {
    if (this.#state === 'stopped') return;
    if (this.#state === 'failed') return this.listen();
    const storage = await this.#newStorage();
    await this.#rules.load();
    this.#server?.use({ storage });
  }

  /** Waits for an attempt to listen, and lets no other one follow by itself. */
  async #settle(): Promise<void> {
    this.#startTimer?.cancel();
    await this.#starting;
    this.#startTimer?.cancel();
  }

  #begin(): void {
    this.#starting = this.#attemptAndReport();
  }

  async #attemptAndReport(): Promise<void> {
    const known = this.#failure?.message;
    await this.#attempt();
    if (this.#failure !== undefined && this.#failure.message !== known) this.#report(this.#failure);
  }

  /** Listens. If that fails, `#failure` tells why, and another attempt follows. */
  async #attempt(): Promise<void> {
    try {
      await this.#listen();
      this.#failure = undefined;
      this.#showServer();
    } catch (thrown) {
      this.#startFailed(toTftpError(thrown));
    }
  }

  async #listen(): Promise<void> {
    const storage = await this.#newStorage();
    const server = this.#newServer(storage, await this.#rules.load());
    await server.listen();
    this.#stopped = false;
    this.#server = server;
    server.on('close', () => this.#onEnd());
  }

  /** @throws {LocalError} ENOENT if the folder is missing. */
  async #newStorage(): Promise<Storage> {
    const { reads, responseTimeout: timeout } = this.#config;
    const files = await this.#newFileStorage();
    if (!asksFlow(this.#config)) return files;
    const tell = (request: StorageRequest, id: string): void => this.#onRequest(request, id);
    const flow = new FlowQuestions(files, { timeout, tell });
    return new FlowStorage(files, flow, reads === 'both');
  }

  async #newFileStorage(): Promise<UploadStorage> {
    const { createDir, writes } = this.#config;
    const options = this.#folder;
    if (options === undefined) return new UploadStorage(undefined, writes);
    for (const folder of foldersOf(options)) await checkFolder(folder, createDir);
    const folder = new FolderStorage(options);
    if (writes === 'folder' || writes === 'both') await folder.removeLeftovers();
    return new UploadStorage(folder, writes);
  }

  #newServer(storage: Storage, rules: NameRules | undefined): TftpServer {
    const progressInterval = this.#pace.engineInterval;
    const options = { ...this.#config.server, progressInterval, ...(rules && { rules }) };
    const server = new TftpServer({ ...options, storage });
    server.on('transfer', (record: TransferRecord) => this.#onTransfer(record));
    server.on('upload', (record: TransferRecord, stored: StoredFile) =>
      this.#onUpload(record, stored),
    );
    server.on('alarm', (alarm) => this.#onAlarm(alarm));
    server.on('problem', (error: TftpError) => this.#report(error));
    return server;
  }

  #onRequest(request: StorageRequest, id: string): void {
    if (this.#closed) return;
    const output = requestOutput(this.#config.events);
    this.#node.send(toOutput(output, requestMessage(request, id)));
  }

  #onTransfer(record: TransferRecord): void {
    if (this.#closed) return;
    this.#monitored.tell(record);
    if (record.event === 'start') this.#active.add(record.id);
    else if (record.event !== 'progress') this.#active.delete(record.id);
    const message = { ...eventMessage(record), ...clientOf(record) };
    const output = eventOutput(this.#config.events, record.event);
    const isWanted = this.#pace.passes(record);
    if (isWanted && output !== undefined) this.#node.send(toOutput(output, message));
    if (record.event === 'error') this.#tellFailure(record, { ...message });
    this.#showServer(record);
  }

  /** A server that ends without being told to has said why. */
  #onEnd(): void {
    if (this.#stopped || this.#closed) return;
    this.#startFailed(new LocalError('EIO', 'The server has ended by itself'));
  }

  /** An alarm goes where errors go, and to Catch nodes. */
  #onAlarm(alarm: GuessAlarm): void {
    if (this.#closed) return;
    const output = eventOutput(this.#config.events, 'error');
    if (output !== undefined) this.#node.send(toOutput(output, alarmMessage(alarm)));
    const text = `${alarm.host} asked for ${alarm.misses} files that do not exist: it may guess names`;
    this.#node.error(new LocalError('EACCES', text), alarmMessage(alarm));
  }

  /** What is normal for a client is no alarm. */
  #tellFailure(record: TransferRecord, message: NodeMessage): void {
    const error = errorOf(record);
    if (record.error?.expected) this.#node.debug(error.message);
    else this.#node.error(error, message);
  }

  #onUpload(record: TransferRecord, { data, path }: StoredFile): void {
    if (this.#closed) return;
    const content = this.#config.ret === 'txt' ? data?.toString('utf8') : data;
    const message = {
      payload: content ?? path,
      topic: record.filename,
      ...clientOf(record),
      ...(path !== undefined && { path }),
      tftp: record,
    };
    this.#node.send(toOutput(0, message));
  }

  #showServer(record?: TransferRecord): void {
    const state = this.#state;
    if (this.#closed || state === 'failed') return;
    const port = this.#server?.addresses[0]?.port ?? this.#port;
    const status =
      state === 'listening'
        ? serverStatus(this.#texts, port, this.#active.size, record)
        : haltedStatus(this.#texts, state, record);
    this.#status.show(status);
  }

  get #port(): number {
    return this.#config.server.port ?? 69;
  }

  #startFailed(error: TftpError): void {
    if (this.#closed) return;
    this.#failure = error;
    this.#status.show(startFailureStatus(this.#texts, error.code, this.#port));
    if (error.code === 'EINVAL') return;
    this.#startTimer = this.#clock.after(RETRY_INTERVAL, () => this.#begin());
  }

  #report(error: TftpError): void {
    if (this.#closed) return;
    const { address } = this.#config.server;
    const { code, message } = error;
    this.#node.error(error, { payload: { code, message, address, port: this.#port } });
  }
}

/** The flow may name files of a folder too. */
function usesFolder(config: ServerConfig): boolean {
  return needsFolder(config) || (asksFlow(config) && config.root !== '');
}

/** Paths in the settings count from the working directory that Node-RED was given. */
function folderOptions(
  RED: Parameters<typeof localPath>[0],
  { root, overwrite, createDir, folder }: ServerConfig,
): FolderStorageOptions {
  const { extraRoots, writeRoot, ...lookup } = folder;
  return {
    ...lookup,
    root: [root, ...extraRoots].map((path) => localPath(RED, path)),
    ...(writeRoot !== '' && { writeRoot: localPath(RED, writeRoot) }),
    overwrite,
    createDirs: createDir,
  };
}

function foldersOf({ root, writeRoot }: FolderStorageOptions): string[] {
  return [root, writeRoot ?? []].flat();
}

/** The client, in the words of the tcp and udp nodes. */
function clientOf({ filename, host, port }: TransferRecord): {
  filename: string;
  ip: string;
  port: number;
} {
  return { filename, ip: host, port };
}

async function checkFolder(folder: string, create: boolean): Promise<void> {
  if (create) await mkdir(folder, { recursive: true }).catch(() => undefined);
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  const message = `The folder ${folder} does not exist: create it, or choose another one`;
  throw new LocalError('ENOENT', message, { filename: folder });
}
