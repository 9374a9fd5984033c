/** A server whose files come only as far as a test lets them. */

import { EventEmitter, once } from 'node:events';
import { TftpServer } from '../../src/server/server';
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { Storage } from '../../src/storage/storage';

/** Bytes of each file. */
const SIZE = 1_000_000;

/** It reads 64 kB of a file, and more when it may. */
export class PacedServer {
  readonly #server: TftpServer;
  readonly #gate = new EventEmitter();
  #open = false;

  private constructor() {
    const memory = new MemoryStorage();
    const storage: Storage = {
      openForReading: () => Promise.resolve(this.#source()),
      openForWriting: (request) => memory.openForWriting(request),
    };
    this.#server = new TftpServer({ storage, address: '127.0.0.1', port: 0, worker: false });
  }

  static async listen(): Promise<PacedServer> {
    const server = new PacedServer();
    await server.#server.listen();
    return server;
  }

  get port(): number {
    return this.#server.addresses[0]!.port;
  }

  /** Lets all files go to the half, and wait again. */
  half(): void {
    this.#gate.emit('half');
  }

  /** Lets all files go to their end, also those that are asked for later. */
  rest(): void {
    this.#open = true;
    this.#gate.emit('half');
    this.#gate.emit('rest');
  }

  /** Holds files back again that are asked for from now on. */
  pause(): void {
    this.#open = false;
  }

  async close(): Promise<void> {
    await this.#server.close();
  }

  #source(): Awaited<ReturnType<Storage['openForReading']>> {
    const parts: [gate: string, bytes: number][] = [
      ['', 64_000],
      ['half', SIZE / 2 - 64_000],
      ['rest', SIZE / 2],
    ];
    return {
      size: SIZE,
      read: async () => {
        const [gate, bytes] = parts.shift() ?? [];
        if (bytes === undefined) return undefined;
        if (gate && !this.#open) await once(this.#gate, gate);
        return Buffer.alloc(bytes);
      },
      close: () => Promise.resolve(),
    };
  }
}
