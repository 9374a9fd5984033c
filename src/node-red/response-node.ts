/** What a tftp response node does: answers the read that a message came from. */

import { invalidSetting } from '../net/check-setting';
import { LocalError, WIRE_CODES, errorText } from '../protocol/errors';
import { bufferSource, fileSource } from '../storage/data-source';
import { contentOf } from './content';
import { localPath } from './local-path';
import { sessionOf, toTftpError } from './messages';
import { pendingReads } from './pending-reads';
import { isBlank, textSetting } from './setting';
import { StatusLine, responseStatus, statusTexts } from './status';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { TftpError, TftpErrorCode } from '../protocol/errors';
import type { DataSource } from '../storage/storage';
import type { ResponseConfig } from './node-config';
import type { OpenByName, PendingReads } from './pending-reads';
import type { StatusTexts } from './status';

/** What the behaviour needs of the node. */
export type ResponseNodeOutlet = Pick<Node, 'status' | 'error'>;

/** The behaviour of a tftp response node. */
export class ResponseNode {
  readonly #RED: Pick<NodeAPI, '_'> & { readonly settings: object };
  readonly #node: ResponseNodeOutlet;
  readonly #config: ResponseConfig;
  readonly #pending: PendingReads;
  readonly #status: StatusLine;
  readonly #texts: StatusTexts;
  #closed = false;

  constructor(
    RED: Pick<NodeAPI, '_'> & { readonly settings: object },
    node: ResponseNodeOutlet,
    config: ResponseConfig,
    pending = pendingReads,
  ) {
    this.#RED = RED;
    this.#node = node;
    this.#config = config;
    this.#pending = pending;
    this.#status = new StatusLine((status) => node.status(status));
    this.#texts = statusTexts(RED);
  }

  /** Answers, and calls `done` exactly once: when the transfer can begin, or with why it cannot. */
  handleInput(msg: NodeMessage, done: (error?: Error) => void): void {
    const finish = (error?: TftpError): void => {
      if (this.#closed) return;
      this.#status.show(responseStatus(this.#texts, error?.code));
      done(error);
    };
    this.#answer(msg)
      .then(
        () => finish(),
        (thrown: unknown) => finish(toTftpError(thrown)),
      )
      .catch((error: unknown) => this.#node.error(error, msg));
  }

  /** Says nothing more. What waits for an answer goes on waiting: it belongs to the server. */
  close(): void {
    this.#closed = true;
    this.#status.close();
  }

  async #answer(msg: NodeMessage): Promise<void> {
    const id = sessionOf(msg);
    if (id === undefined) throw noSession();
    const refusal = this.#refusalIn(msg);
    if (refusal === undefined) await this.#pending.answer(id, this.#opening(msg));
    else this.#pending.refuse(id, refusal);
  }

  #refusalIn({ tftpError }: NodeMessage): TftpError | undefined {
    const { mode, errorCode, errorText: text } = this.#config;
    if (mode === 'error') return refusalOf({ code: errorCode, message: text });
    return isBlank(tftpError) ? undefined : refusalOf(tftpError);
  }

  /** What is wrong with the message itself is thrown here, while the request goes on waiting. */
  #opening({
    serve,
    localFilename,
    payload,
  }: NodeMessage): (openByName: OpenByName) => Promise<DataSource> {
    if (!isBlank(serve)) {
      const name = nameIn('serve', serve);
      return (openByName) => openByName(name);
    }
    if (!isBlank(localFilename)) {
      const file = localPath(this.#RED, nameIn('localFilename', localFilename));
      return () => fileSource(file);
    }
    if (payload === undefined || payload === null) throw nothingToSend();
    const content = contentOf(payload);
    return async () => bufferSource(content);
  }
}

function nameIn(property: string, value: unknown): string {
  const name = textSetting(value);
  if (name !== '') return name;
  throw invalidSetting(`msg.${property} is no name: set it to a string`);
}

/** An error for the client, from `{ code, message }` or from the code alone. */
function refusalOf(given: unknown): TftpError {
  const { code = 0, message }: { code?: unknown; message?: unknown } =
    typeof given === 'object' && given !== null ? given : { code: given };
  const name = codeName(code);
  return new LocalError(name, textSetting(message) || errorText(WIRE_CODES.indexOf(name)));
}

function codeName(code: unknown): TftpErrorCode {
  const text = textSetting(code).toUpperCase();
  const name = WIRE_CODES.find((known, number) => known === text || String(number) === text);
  if (name !== undefined) return name;
  throw invalidSetting(
    'msg.tftpError has no code that TFTP knows: give a number from 0 to 8 or a name such as ENOENT',
  );
}

function noSession(): LocalError {
  return invalidSetting(
    'No TFTP request: wire this node to the request output of a tftp server, and let msg._session pass on as it is',
  );
}

function nothingToSend(): LocalError {
  return invalidSetting(
    'No answer: set msg.payload to the content, msg.localFilename to a local file, msg.serve to the name of another file, or msg.tftpError to a code and text',
  );
}
