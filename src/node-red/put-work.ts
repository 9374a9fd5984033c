/** What a tftp put node does for a message. */

import { TftpClient } from '../client/client';
import { invalidSetting } from '../net/check-setting';
import { clientRequests } from './client-request';
import { contentOf } from './content';
import { localPath } from './local-path';
import { toOutput } from './messages';
import { textSetting } from './setting';
import { evaluate } from './typed-input';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { Content } from '../storage/data-source';
import type { ClientTask, ClientWork } from './client-node';
import type { PutConfig } from './node-config';

/** Sends a value of the message, or a local file. */
export class PutWork implements ClientWork {
  readonly operation = 'write';
  readonly #RED: NodeAPI;
  readonly #node: Node;
  readonly #config: PutConfig;
  readonly #client = new TftpClient();

  constructor(RED: NodeAPI, node: Node, config: PutConfig) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
  }

  async tasks(msg: NodeMessage): Promise<ClientTask[]> {
    const requests = await clientRequests(this.#RED, this.#node, this.#config, 'write', msg);
    const content = await this.#content(msg);
    return requests.map((request) => ({
      request,
      run: async (options, send) => {
        const record = await this.#client.put(content, request.filename, options);
        send(toOutput(0, Object.assign(msg, { tftp: record })));
      },
    }));
  }

  close(): void {
    this.#client.close();
  }

  async #content(msg: NodeMessage): Promise<Content> {
    const { value, type } = this.#config.source;
    if (type === 'file') return { file: this.#file(value || textSetting(msg.localFilename)) };
    const source = { type, value: type === 'msg' && value === '' ? 'payload' : value };
    if (type === 'msg' && source.value === 'payload') checkPayload(msg);
    return contentOf(await evaluate(this.#RED, this.#node, 'source', source, msg));
  }

  #file(name: string): string {
    if (name !== '') return localPath(this.#RED, name);
    throw invalidSetting('no local file: fill in the path of the file, or set msg.localFilename');
  }
}

/** A Catch node gets the record of the failure as payload. Who sends that again does not mean the record. */
function checkPayload({ error, payload }: NodeMessage): void {
  if (error === undefined || typeof payload !== 'object' || payload === null) return;
  if (!('event' in payload && payload.event === 'error' && 'error' in payload)) return;
  throw invalidSetting(
    'msg.payload is the record of a failure, not the content: set msg.payload to msg._payload first',
  );
}
