/** The client: get, put and stat. */

import { lookup } from 'node:dns/promises';
import { CancelError, LocalError, TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import { requestOptions } from '../protocol/options';
import type { NegotiatedOptions, WantedOptions } from '../protocol/options';
import { systemClock } from '../net/clock';
import { UdpSocket } from '../net/datagram-socket';
import { TransferDriver, asTftpError } from '../net/transfer-driver';
import type { Cargo, TransferOutcome, TransferSetup } from '../net/transfer-driver';
import { failedRecords } from '../net/transfer-record';
import type { TransferRecord } from '../net/transfer-record';
import { BufferSink, digestSink, limitedSink, netasciiSink } from '../storage/data-sink';
import { FileSink } from '../storage/file-sink';
import type { FileSinkOptions } from '../storage/file-sink';
import { dataSource, netasciiSource } from '../storage/data-source';
import type { Content } from '../storage/data-source';
import type { DataSink } from '../storage/storage';
import { FlightRecorder } from '../transfer/flight-recorder';
import { requestOpening } from '../transfer/opening';
import { PeerLock } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import { Receiver } from '../transfer/receiver';
import type { RetryPolicy } from '../transfer/retry-policy';
import { Sender } from '../transfer/sender';
import { ChannelSink } from './channel-sink';
import { parseClientOptions } from './client-options';
import type { ClientOptions, RequiredClientOptions } from './client-options';

/** Timeouts of a client double up to this, in milliseconds: a person waits for the answer. */
const MAX_TIMEOUT = 10_000;
/** Below this a busy event loop would look like a lost packet (Linux' TCP chose the same). */
const MIN_TIMEOUT = 200;

/** A server without options sends the file. If it ends within so many bytes, its size is known after all. */
const STAT_FETCH = 64 * 1024;

/** What `stat` ends a transfer with once it knows what it wanted to know. */
class KnowsEnough extends TftpError {}

/** A transfer in all that does not depend on who is asked. */
interface Plan {
  readonly type: RequestPacket['type'];
  readonly filename: string;
  readonly options: RequiredClientOptions;
  readonly wanted: WantedOptions;
  readonly size?: number | undefined;
  cargo(machine: MachineParts): Cargo;
  readonly judge?: TransferSetup['judge'];
  readonly annotate?: TransferSetup['annotate'];
  readonly isProbe?: TransferSetup['isProbe'];
}

type MachineParts = ConstructorParameters<typeof Sender>;

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
  readonly #drivers = new Set<TransferDriver>();

  constructor(options: ClientOptions = {}) {
    this.#defaults = options;
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
   */
  async getFile(
    path: string,
    filename: string,
    options: ClientOptions & Partial<FileSinkOptions> = {},
  ): Promise<TransferRecord> {
    const { overwrite = 'replace', createDir = false, ...rest } = options;
    const open = () => FileSink.open(path, { overwrite, createDir });
    return this.#get(open, filename, rest);
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
    const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
    const transfer = this.getTo(channel, filename, { ...options, signal }).then(
      () => undefined,
      (error: unknown) => channel.fail(error),
    );
    try {
      yield* channel;
    } finally {
      channel.leave();
      stop.abort();
      await transfer;
    }
  }

  /**
   * Sends a file: bytes, a string (as UTF-8), an async iterable such as a stream, `{ file: path }` or
   * a `DataSource`. Resolves when the server has acknowledged the last block; if that acknowledgement
   * alone never comes, the record says `finalAck: false`.
   */
  async put(
    content: Content,
    filename: string,
    options: ClientOptions = {},
  ): Promise<TransferRecord> {
    const parsed = parseClientOptions(this.#defaults, options);
    const opened = await this.#open('WRQ', filename, parsed, () => dataSource(content));
    const source = parsed.mode === 'netascii' ? netasciiSource(opened) : opened;
    const asked = wantedOptions(parsed);
    const wanted =
      parsed.tsize && source.size !== undefined ? { ...asked, tsize: source.size } : asked;
    return this.#run(
      {
        type: 'WRQ',
        filename,
        options: parsed,
        wanted,
        size: source.size,
        cargo: (parts) => ({ machine: new Sender(...parts), source }),
      },
      () => source.close(),
    );
  }

  /**
   * Asks for the size of a file, without fetching it (RFC 2349). `size` is null if the file exists but
   * the server does not tell.
   */
  async stat(
    filename: string,
    options: ClientOptions = {},
  ): Promise<{ size: number | null; record: TransferRecord }> {
    const parsed = parseClientOptions(this.#defaults, options);
    const enough = () => new KnowsEnough('EOPTNEG', 'Only the size was asked');
    const sink = limitedSink(new BufferSink(), STAT_FETCH, enough);
    let size: number | null = null;
    const answer = (record: TransferRecord): TransferRecord => {
      const { error: _, trace: __, ...known } = record;
      return { ...known, event: 'complete', size };
    };
    const onEvent = (record: TransferRecord): void => {
      if (record.event === 'progress') return;
      parsed.onEvent?.(record.event === 'probe' ? answer(record) : record);
    };
    const record = await this.#run(
      {
        type: 'RRQ',
        filename,
        options: { ...parsed, onEvent },
        wanted: { tsize: 0 },
        cargo: (parts) => ({ machine: new Receiver(...parts), sink }),
        judge({ tsize }) {
          if (tsize === undefined) return undefined;
          size = tsize;
          return enough();
        },
        isProbe: (error) => error instanceof KnowsEnough,
      },
      () => sink.discard(),
    );
    if (record.event === 'complete') size = record.bytes;
    return { size, record: answer(record) };
  }

  /** Ends at once all that runs, and all that still repeats its last acknowledgement. */
  close(): void {
    for (const driver of this.#drivers) driver.close();
  }

  async #get(
    open: () => Promise<DataSink>,
    filename: string,
    options: ClientOptions,
  ): Promise<TransferRecord> {
    const parsed = parseClientOptions(this.#defaults, options);
    const opened = await this.#open('RRQ', filename, parsed, open);
    const { maxSize, sha256, md5 } = parsed;
    const digest = digestSink(opened, { ...(sha256 && { sha256 }), ...(md5 && { md5 }) });
    const tooLarge = () =>
      new LocalError('ETOOLARGE', `The file is larger than the limit of ${maxSize} bytes`);
    const limited = limitedSink(sha256 || md5 ? digest : opened, maxSize, tooLarge);
    const sink = parsed.mode === 'netascii' ? netasciiSink(limited) : limited;
    return this.#run(
      {
        type: 'RRQ',
        filename,
        options: parsed,
        wanted: { ...wantedOptions(parsed), ...(parsed.tsize && { tsize: 0 }) },
        cargo: (parts) => ({ machine: new Receiver(...parts), sink }),
        judge: ({ tsize }: NegotiatedOptions) => ((tsize ?? 0) > maxSize ? tooLarge() : undefined),
        annotate: () => (digest.digests.sha256 ? { sha256: digest.digests.sha256 } : {}),
      },
      () => sink.discard(),
    );
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
      throw failBeforeStart(type, filename, options, asTftpError(error));
    }
  }

  /** @param release frees the local end if the transfer cannot even begin. */
  async #run(plan: Plan, release: () => Promise<void>): Promise<TransferRecord> {
    let driver: TransferDriver;
    try {
      driver = await this.#prepare(plan);
    } catch (error) {
      await release();
      throw failBeforeStart(plan.type, plan.filename, plan.options, asTftpError(error));
    }
    this.#drivers.add(driver);
    void driver.closed.then(() => this.#drivers.delete(driver));
    driver.start();
    return recordOf(await driver.ended);
  }

  async #prepare(plan: Plan): Promise<TransferDriver> {
    const { options, filename, type } = plan;
    const { host, port, mode, signal } = options;
    if (signal?.aborted) throw new CancelError();
    const destination: Peer = { address: await resolve(host), port };
    if (signal?.aborted) throw new CancelError();
    const socket = await bind(options, destination);
    socket.watch(destination);
    const recorder = new FlightRecorder();
    const request = { type, filename, mode, options: requestOptions(plan.wanted) };
    return new TransferDriver({
      cargo: plan.cargo([requestOpening(request), retryPolicy(options), recorder]),
      recorder,
      socket,
      lock: new PeerLock(),
      destination,
      clock: systemClock,
      role: 'client',
      filename,
      mode,
      host,
      size: plan.size,
      progressInterval: options.progressInterval,
      deadline: options.deadline,
      signal,
      onEvent: options.onEvent,
      ...(plan.judge && { judge: plan.judge }),
      ...(plan.annotate && { annotate: plan.annotate }),
      ...(plan.isProbe && { isProbe: plan.isProbe }),
    });
  }
}

/** A failed transfer's error carries the record of its `error` event. */
export type FailedTransfer = TftpError & { record?: TransferRecord };

function recordOf({ record, error }: TransferOutcome): TransferRecord {
  if (error !== undefined && record.event === 'error') throw Object.assign(error, { record });
  return record;
}

function failBeforeStart(
  type: RequestPacket['type'],
  filename: string,
  { host, port, mode, onEvent }: RequiredClientOptions,
  error: TftpError,
): FailedTransfer {
  const operation = type === 'RRQ' ? 'read' : 'write';
  const beginning = { role: 'client', operation, filename, mode, host, port } as const;
  error.filename ??= filename;
  const [start, failed] = failedRecords(beginning, error);
  onEvent?.(start);
  onEvent?.(failed);
  return Object.assign(error, { record: failed });
}

function wantedOptions(options: RequiredClientOptions): WantedOptions {
  const { blksize, windowsize, timeout, rollover } = options;
  return {
    ...(blksize !== null && { blksize }),
    ...(windowsize !== null && { windowsize }),
    ...(timeout !== null && { timeout }),
    ...(rollover !== null && { rollover }),
  };
}

function retryPolicy(options: RequiredClientOptions): RetryPolicy {
  return {
    timeout: options.timeout ?? 1000,
    minTimeout: MIN_TIMEOUT,
    maxTimeout: MAX_TIMEOUT,
    retries: options.retries,
    openingSends: options.retries + 1,
    random: Math.random,
  };
}

async function resolve(host: string): Promise<string> {
  try {
    const { address } = await lookup(host.replace(/^\[(.*)\]$/, '$1'));
    return address;
  } catch (error) {
    const message = `The host ${host} cannot be found: check the name, or give an address`;
    throw new LocalError('ENOTFOUND', message, { cause: error });
  }
}

/** Binds to the first free port of the range that was given, or to any. */
async function bind(options: RequiredClientOptions, to: Peer): Promise<UdpSocket> {
  const { localPort = 0, localAddress, blksize, windowsize } = options;
  const [first, last] = typeof localPort === 'number' ? [localPort, localPort] : localPort;
  const address = localAddress ?? (to.address.includes(':') ? '::' : '0.0.0.0');
  const receiveBuffer = 2 * ((blksize ?? 512) + 4) * (windowsize ?? 1);
  for (let port = first; ; port += 1) {
    try {
      return await UdpSocket.bind({ address, port, watchable: true, receiveBuffer });
    } catch (error) {
      if (port >= last || (error as TftpError).code !== 'EADDRINUSE') throw error;
    }
  }
}
