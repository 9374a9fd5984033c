/** The client: get, put and stat. */

import { LocalError, TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import type { NegotiatedOptions } from '../protocol/options';
import type { TransferDriver } from '../net/transfer-driver';
import { hadToRepeat } from '../net/transfer-record';
import type { TransferRecord } from '../net/transfer-record';
import { BufferSink, digestSink, limitedSink, netasciiSink } from '../storage/data-sink';
import { FileSink } from '../storage/file-sink';
import type { FileSinkOptions } from '../storage/file-sink';
import { dataSource, netasciiSource } from '../storage/data-source';
import type { Content } from '../storage/data-source';
import type { DataSink } from '../storage/storage';
import { Receiver } from '../transfer/receiver';
import { Sender } from '../transfer/sender';
import { ChannelSink } from './channel-sink';
import { parseClientOptions } from './client-options';
import type { ClientOptions, RequiredClientOptions } from './client-options';
import { failBeforeStart, runTransfer } from './client-transfer';
import type { Plan, Wanted } from './client-transfer';
import { WindowMemory } from './window-memory';

/** A server without options sends the file. If it ends within so many bytes, its size is known after all. */
const STAT_FETCH = 64 * 1024;

/** What all clients of this process have learned about the paths to their servers. */
const PROCESS_WINDOWS = new WindowMemory();

/** What `stat` ends a transfer with once it knows what it wanted to know. */
class KnowsEnough extends TftpError {}

/**
 * Fetches files from TFTP servers and sends files to them. One client can run any number of transfers
 * at the same time.
 *
 * Every call takes `ClientOptions`, which go before those of the constructor. A call rejects with a
 * `TftpError`: `PeerError` (the server said no), `ProtocolError` (it broke the rules), `TimeoutError`,
 * `LocalError` (a file, a limit, a setting, an unknown host) or `CancelError`. Once the options were
 * found good, the error's `record` tells all that a transfer's `error` event does.
 *
 * @example
 * const client = new TftpClient({ host: '192.0.2.1' });
 * const { data } = await client.get('phone.cfg');
 * await client.put('hello', 'greeting.txt', { onEvent: (record) => console.log(record.event) });
 */
export class TftpClient {
  readonly #defaults: ClientOptions;
  readonly #windows: WindowMemory;
  readonly #drivers = new Set<TransferDriver>();
  /** Ends the transfers that have no driver yet. */
  #stop = new AbortController();

  /** @param windows what `windowsize: 'auto'` goes by. @default the one that all clients of the process share */
  constructor(options: ClientOptions = {}, windows: WindowMemory = PROCESS_WINDOWS) {
    this.#defaults = options;
    this.#windows = windows;
  }

  /** Fetches a file into memory. Mind `maxSize`. */
  async get(
    filename: string,
    options: ClientOptions = {},
  ): Promise<{ data: Buffer; record: TransferRecord }> {
    const sink = new BufferSink();
    const record = await this.getTo(sink, filename, options);
    return { data: sink.data, record };
  }

  /**
   * Fetches a file to a local file, which appears when it is complete and never before. On every
   * failure nothing is left.
   *
   * @param options `overwrite` (default `replace`) says what to do if the local file exists,
   *   `createDir` (default false) makes missing folders.
   * @returns where the file is: `overwrite: 'timestamp'` adds to its name.
   */
  async getFile(
    path: string,
    filename: string,
    options: ClientOptions & Partial<Omit<FileSinkOptions, 'mode'>> = {},
  ): Promise<{ path: string; record: TransferRecord }> {
    const { overwrite = 'replace', createDir = false, ...rest } = options;
    let sink: FileSink | undefined;
    const open = async () => (sink = await FileSink.open(path, { overwrite, createDir }));
    const record = await this.#get(open, filename, rest);
    return { path: sink?.path ?? path, record };
  }

  /** Fetches a file into a sink of your own, which is committed or discarded. */
  async getTo(
    sink: DataSink,
    filename: string,
    options: ClientOptions = {},
  ): Promise<TransferRecord> {
    return this.#get(() => Promise.resolve(sink), filename, options);
  }

  /**
   * Fetches a file chunk by chunk. A slow reader slows the server down; leaving the loop cancels the
   * transfer. Also for streams: `Readable.from(client.stream(…))`.
   */
  async *stream(filename: string, options: ClientOptions = {}): AsyncIterable<Buffer> {
    const channel = new ChannelSink();
    const stop = new AbortController();
    const signal = options.signal ?? this.#defaults.signal;
    const abort = () => stop.abort();
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    const transfer = this.getTo(channel, filename, { ...options, signal: stop.signal }).then(
      () => undefined,
      (error: unknown) => channel.fail(error),
    );
    try {
      yield* channel;
    } finally {
      signal?.removeEventListener('abort', abort);
      channel.leave();
      stop.abort();
      await transfer;
    }
  }

  /**
   * Sends a file: bytes, a string (as UTF-8), an async iterable such as a stream, `{ file: path }` or
   * a `DataSource`. Resolves when the server has acknowledged the last block. If that acknowledgement
   * alone never comes, it rejects all the same, and nobody knows whether the file is on the server.
   */
  async put(
    content: Content,
    filename: string,
    options: ClientOptions = {},
  ): Promise<TransferRecord> {
    const stop = this.#stop.signal;
    const parsed = parseClientOptions(this.#defaults, options);
    const opened = await this.#open('WRQ', filename, parsed, () => dataSource(content));
    const source = parsed.mode === 'netascii' ? netasciiSource(opened) : opened;
    const asked = wantedOptions(parsed);
    const wanted =
      parsed.tsize && source.size !== undefined ? { ...asked, tsize: source.size } : asked;
    return this.#run({
      type: 'WRQ',
      filename,
      options: parsed,
      stop,
      wanted,
      size: source.size,
      cargo: (parts) => ({ machine: new Sender(...parts), source }),
      release: () => source.close(),
    });
  }

  /**
   * Asks for the size of a file, without fetching it (RFC 2349). `size` is null if the file exists but
   * the server does not tell.
   */
  async stat(
    filename: string,
    options: ClientOptions = {},
  ): Promise<{ size: number | null; record: TransferRecord }> {
    const stop = this.#stop.signal;
    const parsed = parseClientOptions(this.#defaults, options);
    const enough = () => new KnowsEnough('EOPTNEG', 'Only the size was asked');
    const sink = limitedSink(new BufferSink(), STAT_FETCH, enough);
    let size: number | null = null;
    const answer = (record: TransferRecord): TransferRecord => {
      const { error: _, trace, ...known } = record;
      const story = trace !== undefined && hadToRepeat(record) ? { trace } : {};
      return { ...known, event: 'complete', size, ...story };
    };
    const onEvent = (record: TransferRecord): void => {
      if (record.event === 'progress') return;
      parsed.onEvent?.(record.event === 'probe' ? answer(record) : record);
    };
    const record = await this.#run({
      type: 'RRQ',
      filename,
      options: { ...parsed, onEvent },
      stop,
      wanted: { tsize: 0 },
      cargo: (parts) => ({ machine: new Receiver(...parts), sink }),
      judge({ tsize }) {
        if (tsize === undefined) return undefined;
        size = tsize;
        return enough();
      },
      meaning: (error) => (error instanceof KnowsEnough ? 'probe' : 'failure'),
      release: () => sink.discard(),
    });
    if (record.event === 'complete') size = record.bytes;
    return { size, record: answer(record) };
  }

  /** Ends at once all that runs, and all that still repeats its last acknowledgement. */
  close(): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    for (const driver of this.#drivers) driver.close();
  }

  async #get(
    open: () => Promise<DataSink>,
    filename: string,
    options: ClientOptions,
  ): Promise<TransferRecord> {
    const stop = this.#stop.signal;
    const parsed = parseClientOptions(this.#defaults, options);
    const opened = await this.#open('RRQ', filename, parsed, open);
    const { maxSize, sha256, md5 } = parsed;
    const expected = { ...(sha256 && { sha256 }), ...(md5 && { md5 }) };
    const checked = sha256 || md5 ? digestSink(opened, expected) : undefined;
    const tooLarge = () =>
      new LocalError('ETOOLARGE', `The file is larger than the limit of ${maxSize} bytes`);
    const limited = limitedSink(checked ?? opened, maxSize, tooLarge);
    const sink = parsed.mode === 'netascii' ? netasciiSink(limited) : limited;
    return this.#run({
      type: 'RRQ',
      filename,
      options: parsed,
      stop,
      wanted: { ...wantedOptions(parsed), ...(parsed.tsize && { tsize: 0 }) },
      cargo: (parts) => ({ machine: new Receiver(...parts), sink }),
      judge: ({ tsize }: NegotiatedOptions) => ((tsize ?? 0) > maxSize ? tooLarge() : undefined),
      annotate: () => (checked?.digests.sha256 ? { sha256: checked.digests.sha256 } : {}),
      release: () => sink.discard(),
    });
  }

  /** Opens the local end; what fails there is told as a transfer that failed. */
  async #open<T>(
    type: RequestPacket['type'],
    filename: string,
    options: RequiredClientOptions,
    open: () => Promise<T>,
  ): Promise<T> {
    try {
      return await open();
    } catch (error) {
      throw failBeforeStart(type, filename, options, error);
    }
  }

  #run(plan: Omit<Plan, 'windows'>): Promise<TransferRecord> {
    return runTransfer({ ...plan, windows: this.#windows }, (driver) => {
      this.#drivers.add(driver);
      void driver.closed.then(() => this.#drivers.delete(driver));
    });
  }
}

function wantedOptions(options: RequiredClientOptions): Wanted {
  const { blksize, windowsize, timeout, rollover } = options;
  return {
    ...(blksize !== null && { blksize }),
    ...(windowsize !== null && { windowsize }),
    ...(timeout !== null && { timeout }),
    ...(rollover !== null && { rollover }),
  };
}
