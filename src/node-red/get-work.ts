/** What a tftp get node does for a message. */

import { join } from 'node:path';
import { TftpClient } from '../client/client';
import { invalidSetting } from '../net/check-setting';
import { clientRequests } from './client-request';
import { lastPart, localPath } from './local-path';
import { MessageStream } from './message-stream';
import { intoSequence, toOutput, withoutPayload } from './messages';
import { textSetting } from './setting';
import { evaluate } from './typed-input';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { ClientOptions } from '../client/client-options';
import type { TransferRecord } from '../net/transfer-record';
import type { ClientTask, ClientWork } from './client-node';
import type { ClientRequest } from './client-request';
import type { Send } from './messages';
import type { GetConfig } from './node-config';

/** Where the result of one transfer goes. */
interface Delivery {
  /** The message that carries it: the one that came in, or a copy if it named many files. */
  readonly msg: NodeMessage;
  readonly send: Send;
}

/** Fetches files, or asks for their size. */
export class GetWork implements ClientWork {
  readonly operation = 'read';
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #config: GetConfig;
  readonly #client = new TftpClient();

  constructor(RED: NodeAPI, node: Node, config: GetConfig) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
  }

  async tasks(msg: NodeMessage): Promise<ClientTask[]> {
    const requests = await clientRequests(this.#RED, this.#node, this.#config, 'read', msg);
    const folderOrFile = this.#savesFile ? await this.#localName(msg) : '';
    const id = this.#RED.util.generateId();
    return requests.map((request) => ({
      request,
      run: (options, send) => {
        const delivery = { msg: this.#carrier(msg, request, id), send };
        return this.#run(request, options, delivery, folderOrFile);
      },
    }));
  }

  close(): void {
    this.#client.close();
  }

  get #savesFile(): boolean {
    return this.#config.action === 'get' && this.#config.ret === 'file';
  }

  async #localName(msg: NodeMessage): Promise<string> {
    const input = this.#config.localFilename;
    const name = textSetting(
      input.value === ''
        ? msg.localFilename
        : await evaluate(this.#RED, this.#node, 'localFilename', input, msg),
    );
    if (name !== '') return name;
    throw invalidSetting('no local file: fill in "Save as", or set msg.localFilename');
  }

  /** Each of many files has a message of its own, in a sequence that a Join node can put together. */
  #carrier(msg: NodeMessage, { position, filename }: ClientRequest, id: string): NodeMessage {
    if (position === undefined) return msg;
    const copy = this.#RED.util.cloneMessage(withoutPayload(msg));
    return intoSequence(Object.assign(copy, { filename }), { id, type: 'array', ...position });
  }

  #run(
    request: ClientRequest,
    options: ClientOptions,
    delivery: Delivery,
    folderOrFile: string,
  ): Promise<void> {
    if (this.#config.action === 'stat') return this.#stat(request, options, delivery);
    const { ret } = this.#config;
    if (ret === 'file') return this.#save(request, options, delivery, folderOrFile);
    if (ret === 'stream') return this.#stream(request, options, delivery);
    return this.#fetch(request, options, delivery);
  }

  async #stat({ filename }: ClientRequest, options: ClientOptions, to: Delivery): Promise<void> {
    const { size, record } = await this.#client.stat(filename, options);
    deliver(to, size, record);
  }

  async #fetch({ filename }: ClientRequest, options: ClientOptions, to: Delivery): Promise<void> {
    const { data, record } = await this.#client.get(filename, options);
    deliver(to, this.#payload(data), record);
  }

  /** JSON that cannot be parsed stays text, as in core's http request node. */
  #payload(data: Buffer): unknown {
    if (this.#config.ret === 'bin') return data;
    const text = data.toString('utf8');
    if (this.#config.ret === 'txt') return text;
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      this.#node.warn(`The file is not JSON, and is passed on as text: ${String(error)}`);
      return text;
    }
  }

  async #save(
    request: ClientRequest,
    options: ClientOptions,
    to: Delivery,
    folderOrFile: string,
  ): Promise<void> {
    const { overwrite, createDir } = this.#config;
    const file = localPath(this.#RED, fileIn(folderOrFile, request));
    const { path, record } = await this.#client.getFile(file, request.filename, {
      ...options,
      overwrite,
      createDir,
    });
    deliver(to, path, record);
  }

  async #stream({ filename }: ClientRequest, options: ClientOptions, to: Delivery): Promise<void> {
    const stream = new MessageStream(this.#RED, to.msg, to.send);
    stream.end(await this.#client.getTo(stream, filename, options));
  }
}

function deliver({ msg, send }: Delivery, payload: unknown, record: TransferRecord): void {
  send(toOutput(0, Object.assign(msg, { payload, tftp: record })));
}

/** A local name that ends with a slash is a folder, and so is any when there are many files. */
function fileIn(folderOrFile: string, { filename, position }: ClientRequest): string {
  if (position === undefined && !/[\\/]$/.test(folderOrFile)) return folderOrFile;
  const name = lastPart(filename);
  if (name !== '' && name !== '.' && name !== '..') return join(folderOrFile, name);
  throw invalidSetting(`"${filename}" does not end with a file name: give the local file a name`);
}
