/** A terminal, a pipe and signals that a test can see and give. */

import { EventEmitter, once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import type { CommandIo } from '../../src/cli/command-io';

export class FakeIo implements CommandIo {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  readonly signals = new EventEmitter();
  readonly columns = 80;
  readonly stdin: Readable;
  readonly isTTY: boolean;
  readonly env: Record<string, string>;
  private readonly outChunks: Buffer[] = [];
  private readonly errChunks: Buffer[] = [];

  constructor(
    settings: { stdin?: Iterable<Buffer>; isTTY?: boolean; env?: Record<string, string> } = {},
  ) {
    this.stdin = Readable.from(settings.stdin ?? [], { objectMode: false });
    this.isTTY = settings.isTTY ?? false;
    this.env = settings.env ?? {};
    this.stdout.on('data', (chunk: Buffer) => this.outChunks.push(chunk));
    this.stderr.on('data', (chunk: Buffer) => this.errChunks.push(chunk));
  }

  /** Resolves when stdout has this. */
  async printed(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.out)) await once(this.stdout, 'data');
  }

  /** What was written to stdout so far. */
  get outBytes(): Buffer {
    return Buffer.concat(this.outChunks);
  }

  get out(): string {
    return this.outBytes.toString();
  }

  get err(): string {
    return Buffer.concat(this.errChunks).toString();
  }
}
