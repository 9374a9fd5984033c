/** A file that goes on as messages, one for each piece. */

import { intoSequence, toOutput, withoutPayload } from './messages';
import type { NodeAPI, NodeMessage } from 'node-red';
import type { TransferRecord } from '../net/transfer-record';
import type { DataSink } from '../storage/storage';
import type { Send } from './messages';

/** Bytes in a message: what core's file in node sends. */
const PIECE = 64 * 1024;

/**
 * Sends what it is given in pieces of 64 KiB. The last piece is held back until {@link end}, because
 * it carries the count that says that the file is whole.
 */
export class MessageStream implements DataSink {
  readonly #RED: NodeAPI;
  readonly #msg: NodeMessage;
  readonly #send: Send;
  readonly #id: string;
  #piece = Buffer.alloc(PIECE);
  #filled = 0;
  #index = 0;

  constructor(RED: NodeAPI, msg: NodeMessage, send: Send) {
    this.#RED = RED;
    this.#msg = msg;
    this.#send = send;
    this.#id = RED.util.generateId();
  }

  write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      if (this.#filled === PIECE) this.#sendPiece();
      const part = chunk.subarray(at, at + PIECE - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
    }
    return Promise.resolve();
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  /** Sends the last piece, with the message that came in. */
  end(record: TransferRecord): void {
    const payload = Buffer.alloc(this.#filled);
    this.#piece.copy(payload);
    const message = Object.assign(this.#msg, { payload, tftp: record });
    const count = this.#index + 1;
    this.#send(toOutput(0, intoSequence(message, { ...this.#parts(), count })));
  }

  /** A flow may keep a Buffer for good, so each message gets its own. */
  #sendPiece(): void {
    const message = this.#RED.util.cloneMessage(withoutPayload(this.#msg));
    message.payload = this.#piece;
    this.#send(toOutput(0, intoSequence(message, this.#parts())));
    this.#piece = Buffer.alloc(PIECE);
    this.#filled = 0;
    this.#index += 1;
  }

  #parts(): { id: string; type: 'buffer'; ch: string; index: number } {
    return { id: this.#id, type: 'buffer', ch: '', index: this.#index };
  }
}
