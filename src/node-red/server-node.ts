/** What a tftp server node does: listens, and tells the flow of uploads, transfers and failures. */

import { systemClock } from '../net/clock';
import { endedRecord, isLast } from '../net/transfer-record';
import { CancelError, LocalError } from '../protocol/errors';
import { TftpServer } from '../server/server';
import { FolderStorage, type FolderStorageOptions } from '../storage/folder-storage';
import { EventPace } from './event-pace';
import { FlowNews } from './flow-news';
import { FlowQuestions, FlowStorage } from './flow-storage';
import { localPath } from './local-path';
import {
  alarmMessage,
  catchError,
  clientProperties,
  errorOf,
  eventMessage,
  eventOutput,
  failurePayload,
  requestMessage,
  requestOutput,
  toOutput,
  toTftpError,
} from './messages';
import { asksFlow } from './node-config';
import { StatusLine, haltedStatus, serverStatus, startFailureStatus, statusTexts } from './status';
import { ServerControl } from './server-control';
import { checkFolders, folderOptions } from './server-folder';
import { ServerRules } from './server-rules';
import { describeNode, transferMonitor } from './transfer-monitor';
import { UploadMemory } from './upload-memory';
import { UploadStorage } from './upload-storage';
import type { Node, NodeAPI } from 'node-red';
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
/** The same, at first, where the port is in use: whoever has it may be about to close, as at a deploy. */
const FIRST_RETRIES = [50, 100, 200, 400, 800, 1600];

/** What the behaviour needs of the node. */
export type ServerNodeOutlet = Pick<
  Node,
  'id' | 'type' | 'name' | 'status' | 'send' | 'error' | 'warn' | 'log' | 'debug'
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
  readonly #news: FlowNews;
  readonly #memory: UploadMemory;
  /** The last record of each running transfer, by its id. */
  readonly #active = new Map<string, TransferRecord>();
  #server: TftpServer | undefined;
  /** The folder that takes uploads. */
  #uploads: FolderStorage | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  #startTimer: Timer | undefined;
  /** Why the server does not listen although it should. */
  #failure: TftpError | undefined;
  /** How often the port was in use, one time after the other. */
  #busyPorts = 0;
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
    this.#folder = folderOptions(RED, config);
    const mapFile = config.mapFile === '' ? undefined : localPath(RED, config.mapFile);
    this.#rules = new ServerRules(mapFile, config.server.rules);
    this.#status = new StatusLine((status) => node.status(status));
    this.#texts = statusTexts(RED);
    this.#control = new ServerControl(this, config.events);
    this.#pace = new EventPace(config.server.progressInterval);
    this.#news = new FlowNews(node, config.events);
    this.#memory = new UploadMemory(config.uploadMemory);
    this.#monitored = transferMonitor.add({
      node: describeNode(node),
      cancel: (id) => this.#server?.abort(id) ?? false,
    });
  }

  /**
   * Listens, once the whole flow stands and its Catch and Status nodes can hear of it. If that fails,
   * the node says so once and tries again, soon if the port is in use, then every few seconds: the
   * port may become free, the folder may be mounted.
   */
  start(): void {
    this.#startTimer = this.#clock.after(0, () => this.#begin());
  }

  /** Takes a control message. */
  handleInput(msg: ControlMessage, send: Send, done: (error?: Error) => void): void {
    this.#control.handleInput(msg, send, done);
  }

  /** Tells what the same node could not tell before a deploy. To be called once the whole flow stands. */
  catchUp(): void {
    this.#news.catchUp();
  }

  /**
   * Stops at once: the clients get an ERROR packet, partial files are discarded, the port is free.
   * Each transfer gets its ending, told now if the node was removed, else when it starts again.
   */
  async close(removed: boolean): Promise<void> {
    this.#closed = true;
    this.#news.hold(removed);
    this.#startTimer?.cancel();
    this.#status.close();
    await this.#starting;
    await this.#server?.close();
    await this.#control.close();
    this.#news.logCut();
    this.#monitored.close();
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
      this.#busyPorts = 0;
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
    // A folder may be large: the devices need not wait for that.
    void this.#uploads?.removeLeftovers();
  }

  /** @throws {LocalError} ENOFILE if the folder is missing. */
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
    if (options === undefined) return new UploadStorage(undefined, writes, this.#memory);
    await checkFolders(options, createDir);
    const folder = new FolderStorage(options);
    this.#uploads = writes === 'folder' || writes === 'both' ? folder : undefined;
    return new UploadStorage(folder, writes, this.#memory);
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
    if (record.event !== 'start' && !this.#active.has(record.id)) return;
    if (isLast(record)) this.#active.delete(record.id);
    else this.#active.set(record.id, record);
    this.#monitored.tell(record);
    const isWanted = this.#pace.passes(record);
    if (isWanted && !(this.#news.holds && record.event === 'progress')) this.#tellEvent(record);
    if (record.event === 'error') this.#tellFailure(record);
    this.#showServer(record);
  }

  #tellEvent(record: TransferRecord): void {
    this.#news.tell({ record, properties: clientProperties(record) });
  }

  /** All its transfers are over by then; one that its thread left without a word ends here. */
  #onEnd(): void {
    for (const record of this.#active.values()) {
      this.#onTransfer(endedRecord(record, new CancelError('The server was stopped')));
    }
    this.#memory.clear();
    if (this.#stopped || this.#closed) return;
    // A server that ends without being told to has said why.
    this.#startFailed(new LocalError('EIO', 'The server stopped unexpectedly'));
  }

  /** An alarm goes where errors go, and to Catch nodes. */
  #onAlarm(alarm: GuessAlarm): void {
    if (this.#closed) return;
    const output = eventOutput(this.#config.events, 'error');
    if (output !== undefined) this.#node.send(toOutput(output, alarmMessage(alarm)));
    const text = `${alarm.host} requested ${alarm.misses} missing files and may be guessing file names`;
    const error = new LocalError('EACCES', text);
    const message = alarmMessage(alarm);
    const payload = { ...alarm, ...failurePayload(error, { host: alarm.host }), event: 'alarm' };
    this.#node.error(catchError(error), { ...message, payload });
  }

  /** What is normal for a client is no alarm. */
  #tellFailure(record: TransferRecord): void {
    const failure = errorOf(record);
    if (record.error?.expected) this.#node.debug(failure.message);
    else
      this.#news.tell({
        failure,
        message: { ...clientProperties(record), ...eventMessage(record) },
      });
  }

  #onUpload(record: TransferRecord, { data, path }: StoredFile): void {
    const content = this.#config.ret === 'txt' ? data?.toString('utf8') : data;
    const result = {
      payload: content ?? path,
      ...clientProperties(record),
      ...(path !== undefined && { path }),
      tftp: record,
    };
    this.#news.tell({ result });
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
    this.#status.show(startFailureStatus(this.#texts, error, this.#port));
    if (error.code === 'EINVAL') return;
    const isBusy = error.code === 'EADDRINUSE';
    const wait = (isBusy ? FIRST_RETRIES[this.#busyPorts++] : undefined) ?? RETRY_INTERVAL;
    this.#startTimer = this.#clock.after(wait, () => this.#begin());
  }

  #report(error: TftpError): void {
    if (this.#closed) return;
    const { address: localAddress = '' } = this.#config.server;
    const payload = failurePayload(error, { role: 'server', localAddress, localPort: this.#port });
    this.#node.error(catchError(error), { payload });
  }
}
