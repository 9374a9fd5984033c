/** What a tftp server node does: listens, and tells the flow of uploads, transfers and failures. */

import { mkdir, stat } from 'node:fs/promises';
import { systemClock } from '../net/clock';
import { LocalError } from '../protocol/errors';
import { TftpServer } from '../server/server';
import { FolderStorage } from '../storage/folder-storage';
import { localPath } from './local-path';
import { errorOf, eventMessage, eventOutput, toOutput, toTftpError } from './messages';
import { needsFolder } from './node-config';
import { StatusLine, serverStatus, startFailureStatus, statusTexts } from './status';
import { Upload, UploadStorage } from './upload-storage';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { Clock, Timer } from '../net/clock';
import type { TransferRecord } from '../net/transfer-record';
import type { TftpError, TftpErrorCode } from '../protocol/errors';
import type { DataSink } from '../storage/storage';
import type { ServerConfig } from './node-config';
import type { StatusTexts } from './status';

/** Milliseconds until a server that could not listen tries again. */
const RETRY_INTERVAL = 3000;

/** What the behaviour needs of the node. */
export type ServerNodeOutlet = Pick<Node, 'status' | 'send' | 'error' | 'debug'>;

/** The behaviour of a tftp server node. */
export class ServerNode {
  readonly #clock: Clock;
  readonly #node: ServerNodeOutlet;
  readonly #config: ServerConfig;
  readonly #folder: string | undefined;
  readonly #status: StatusLine;
  readonly #texts: StatusTexts;
  readonly #active = new Set<string>();
  #server: TftpServer | undefined;
  #starting: Promise<void> = Promise.resolve();
  #startTimer: Timer | undefined;
  #reported: string | undefined;
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
    this.#folder = needsFolder(config) ? localPath(RED, config.root) : undefined;
    this.#status = new StatusLine((status) => node.status(status));
    this.#texts = statusTexts(RED);
  }

  /**
   * Listens, once the whole flow stands and its Catch and Status nodes can hear of it. If that fails,
   * the node says so once and tries again every few seconds: the port may become free, the folder
   * may be mounted.
   */
  start(): void {
    this.#startTimer = this.#clock.after(0, () => this.#begin());
  }
  /** Stops at once: the clients get an ERROR packet, partial files are discarded, the port is free. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#startTimer?.cancel();
    this.#status.close();
    await this.#starting;
    await this.#server?.close();
  }

  #begin(): void {
    this.#starting = this.#listen().catch((thrown: unknown) => {
      this.#startFailed(toTftpError(thrown));
    });
  }

  async #listen(): Promise<void> {
    if (this.#folder !== undefined) await checkFolder(this.#folder, this.#config.createDir);
    const server = this.#newServer(this.#folder);
    await server.listen();
    this.#server = server;
    this.#reported = undefined;
    if (!this.#closed) this.#showServer();
  }

  #newServer(folder: string | undefined): TftpServer {
    const { overwrite, createDir, writes, server: options } = this.#config;
    const files =
      folder === undefined
        ? undefined
        : new FolderStorage({ root: folder, overwrite, createDirs: createDir });
    const server = new TftpServer({ ...options, storage: new UploadStorage(files, writes) });
    server.on('transfer', (record: TransferRecord) => this.#onTransfer(record));
    server.on('upload', (record: TransferRecord, sink: DataSink) => this.#onUpload(record, sink));
    server.on('problem', (error: TftpError) => this.#report(error));
    return server;
  }

  #onTransfer(record: TransferRecord): void {
    if (this.#closed) return;
    if (record.event === 'start') this.#active.add(record.id);
    else if (record.event !== 'progress') this.#active.delete(record.id);
    const message = { ...eventMessage(record), ...clientOf(record) };
    const output = eventOutput(this.#config.events, record.event);
    if (output !== undefined) this.#node.send(toOutput(output, message));
    if (record.event === 'error') this.#tellFailure(record, { ...message });
    this.#showServer(record);
  }

  /** What is normal for a client to miss is no alarm. */
  #tellFailure(record: TransferRecord, message: NodeMessage): void {
    const error = errorOf(record);
    if (record.error?.expected) this.#node.debug(error.message);
    else this.#node.error(error, message);
  }

  #onUpload(record: TransferRecord, upload: DataSink): void {
    if (this.#closed || !(upload instanceof Upload)) return;
    const { data, path } = upload;
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
    const port = this.#server?.addresses[0]?.port ?? this.#port;
    this.#status.show(serverStatus(this.#texts, port, this.#active.size, record));
  }

  get #port(): number {
    return this.#config.server.port ?? 69;
  }

  #startFailed(error: TftpError): void {
    if (this.#closed) return;
    this.#status.show(startFailureStatus(this.#texts, error.code, this.#port));
    if (this.#reported !== error.message) this.#report(explained(error, this.#port));
    this.#reported = error.message;
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

/** Says what to do about a port that cannot be used. */
function explained(error: TftpError, port: number): TftpError {
  const advice = ADVICE[error.code];
  if (advice === undefined) return error;
  return new LocalError(error.code, `UDP port ${port} ${advice}`, { cause: error });
}

const ADVICE: Readonly<Partial<Record<TftpErrorCode, string>>> = {
  EADDRINUSE:
    'is in use by another tftp server node or another program: stop that one, or choose ' +
    'another port. This node starts when the port becomes free.',
  EACCES:
    'may not be used by this user. Choose a port above 1023, or allow it to Node.js (sudo setcap ' +
    "'cap_net_bind_service=+ep' $(readlink -f $(which node))), or to everybody (sudo sysctl " +
    'net.ipv4.ip_unprivileged_port_start=0); in Docker, listen on port 6969 and publish it with ' +
    '-p 69:6969/udp.',
};
