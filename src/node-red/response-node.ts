/** What a tftp response node does: answers the read that a message came from. */

import { invalidSetting } from '../net/check-setting';
import { LocalError, WIRE_CODES, errorText } from '../protocol/errors';
import { bufferSource, fileSource } from '../storage/data-source';
import { contentOf } from './content';
import { localPath } from './local-path';
import { catchError, failedMessage, failurePayload, sessionOf, toTftpError } from './messages';
import { pendingReads } from './pending-reads';
import { isBlank, textSetting } from './setting';
import { StatusLine, responseStatus, statusTexts } from './status';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { TftpError, TftpErrorCode } from '../protocol/errors';
import type { TransferRecord } from '../net/transfer-record';
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
      this.#status.show(responseStatus(this.#texts, error));
      if (error === undefined) return done();
      failedMessage(msg, failurePayload(error, requestOf(msg)));
      done(catchError(error));
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

  /** An answer that is none refuses the client at once: it need not wait until the server's time is over. */
  async #answer(msg: NodeMessage): Promise<void> {
    const id = sessionOf(msg);
    if (id === undefined) throw noSession();
    const answer = this.#answerIn(msg);
    if (typeof answer === 'function') return this.#pending.answer(id, answer);
    this.#pending.refuse(id, answer.refusal);
    if (answer.wrong !== undefined) throw answer.wrong;
  }

  #answerIn(msg: NodeMessage): Opening | Refusal {
    try {
      return this.#refusalIn(msg) ?? this.#opening(msg);
    } catch (thrown) {
      const wrong = toTftpError(thrown);
      const { code, message } = wrong;
      return {
        refusal: new LocalError(code, message, { peerMessage: NO_ANSWER, by: 'flow' }),
        wrong,
      };
    }
  }

  #refusalIn({ tftpError }: NodeMessage): Refusal | undefined {
    const { mode, errorCode, errorText: text } = this.#config;
    if (mode === 'error') return { refusal: refusalOf({ code: errorCode, message: text }) };
    return isBlank(tftpError) ? undefined : { refusal: refusalOf(tftpError) };
  }

  #opening({ serve, localFilename, payload }: NodeMessage): Opening {
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

/** Opens what the client gets. */
type Opening = (openByName: OpenByName) => Promise<DataSource>;

/** What the client is told, and what is wrong with the message if the flow did not mean to refuse. */
interface Refusal {
  readonly refusal: TftpError;
  readonly wrong?: TftpError;
}

/** What a client is told if the flow's answer cannot be used. */
const NO_ANSWER = 'The server has no answer to this request';

/** What a message still says of the request, for Catch nodes. */
function requestOf({ filename, ip, clientPort }: NodeMessage): Partial<TransferRecord> {
  return {
    role: 'server',
    operation: 'read',
    ...(typeof filename === 'string' && { filename }),
    ...(typeof ip === 'string' && { host: ip }),
    ...(typeof clientPort === 'number' && { port: clientPort }),
  };
}

function nameIn(property: string, value: unknown): string {
  const name = textSetting(value);
  if (name !== '') return name;
  throw invalidSetting(`msg.${property} is no name: set it to a string`);
}

/**
 * An error for the client: `{ code, message }`, a code alone (a number from 0 to 8 or its name), or
 * any other text, which is the message of an error 0.
 */
function refusalOf(given: unknown): TftpError {
  const { code, message } = partsOf(given);
  return new LocalError(code, message || errorText(WIRE_CODES.indexOf(code)), { by: 'flow' });
}

function partsOf(given: unknown): { readonly code: TftpErrorCode; readonly message: string } {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    const { code, message }: { code?: unknown; message?: unknown } = given;
    if (isBlank(code) && textSetting(message) === '')
      throw noSuchCode('has no code and no message');
    return { code: isBlank(code) ? 'EUNDEF' : knownCode(code), message: textSetting(message) };
  }
  const isText = typeof given === 'string' && !/^\s*\d*\s*$/.test(given);
  const code = isText ? codeNamed(given) : knownCode(given);
  return { code: code ?? 'EUNDEF', message: code === undefined ? textSetting(given) : '' };
}

function knownCode(given: unknown): TftpErrorCode {
  const code = codeNamed(given);
  if (code !== undefined) return code;
  throw noSuchCode(`has the code ${JSON.stringify(given)}, which TFTP does not have`);
}

function codeNamed(given: unknown): TftpErrorCode | undefined {
  const text = textSetting(given).toUpperCase();
  return WIRE_CODES.find((known, number) => known === text || String(number) === text);
}

function noSuchCode(what: string): LocalError {
  return invalidSetting(
    `msg.tftpError ${what}: give a text, a number from 0 to 8, a name such as ENOENT, or { code, message }`,
  );
}

function noSession(): LocalError {
  return invalidSetting(
    'No TFTP request: wire this node to the request output of a tftp server, and pass msg._session through unchanged',
  );
}

function nothingToSend(): LocalError {
  return invalidSetting(
    'No answer: set msg.payload to the content, msg.localFilename to a local file, msg.serve to the name of another file, or msg.tftpError to a code and text',
  );
}
