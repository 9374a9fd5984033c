/** One admitted request: opens the file, settles the options, and runs the transfer. */

import { PeerError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import { grantOptions } from '../protocol/options';
import type { GrantedOptions } from '../protocol/options';
import type { RequestPacket } from '../protocol/packet';
import { systemClock } from '../net/clock';
import type { DatagramSocket } from '../net/datagram-socket';
import { TransferDriver } from '../net/transfer-driver';
import type { Cargo } from '../net/transfer-setup';
import { randomId } from '../net/random-id';
import type { TransferFacts, TransferRecord } from '../net/transfer-record';
import { limitedSink, netasciiSink } from '../storage/data-sink';
import { netasciiSource } from '../storage/data-source';
import type { StorageRequest } from '../storage/storage';
import { FlightRecorder } from '../transfer/flight-recorder';
import { readOpening, writeOpening } from '../transfer/opening';
import { PeerLock } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import { Receiver } from '../transfer/receiver';
import type { RetryPolicy } from '../transfer/retry-policy';
import { Sender } from '../transfer/sender';
import { announcedSize, tooLarge } from './admission';
import type { Admission } from './admission';
import { servedName } from './names/served-name';
import type { RequiredServerOptions } from './server-options';
import { storedFile } from './stored-file';
import type { StoredFile } from './stored-file';

/** Timeouts of a server double up to this, in milliseconds: with six retries, two minutes of patience for phones that erase their flash. */
const MAX_TIMEOUT = 60_000;
/** Below this a busy event loop would look like a lost packet. A shorter setting still holds. */
const MIN_TIMEOUT = 200;
/** A client that never answers, perhaps a forged address, gets our first packet so many times. */
const OPENING_SENDS = 3;
/** The largest block granted by default: with the headers of UDP, TFTP and IP it fits a 1500-byte frame. */
const BLKSIZE_IPV4 = 1468;
const BLKSIZE_IPV6 = 1448;

/** What came to the listening port. */
export interface Arrival {
  readonly request: RequestPacket;
  /** The request as it came, to tell a repeated one from a new one. */
  readonly datagram: Uint8Array;
  readonly client: Peer;
}

/** What is known of a request before anything moves. */
export type RequestFacts = TransferFacts & Pick<TransferRecord, 'servedAs'>;

/** What a session is told by its server. */
export interface SessionSurroundings {
  readonly admission: Admission;
  readonly facts: TransferFacts;
  /** Opens the socket of the transfer, which takes bursts of so many bytes. */
  readonly openSocket: (receiveBuffer: number) => Promise<DatagramSocket>;
}

/** What a complete write leaves. */
export interface SessionResult {
  readonly record: TransferRecord;
  readonly stored: StoredFile;
}

/** The local end of a transfer, before there is a driver. */
interface LocalEnd {
  readonly size: number | undefined;
  readonly granted: GrantedOptions;
  readonly prepare: (recorder: FlightRecorder) => Cargo;
  readonly release: () => Promise<void>;
}

/** Who hears of a session. */
export interface SessionListener {
  /** The records of its transfer. */
  event(record: TransferRecord): void;
  /** The client has answered for the first time: its address is real. */
  answered(): void;
  /** It was aborted before there was a transfer, so somebody else has to tell the client. */
  refused(reason: TftpError): void;
}

export class Session {
  /** That of its records. */
  readonly id = randomId();
  readonly arrival: Arrival;
  readonly #options: RequiredServerOptions;
  readonly #surroundings: SessionSurroundings;
  readonly #listener: SessionListener;
  readonly #opening = new AbortController();
  #driver: TransferDriver | undefined;
  #servedAs: string | undefined;
  #cancelled = false;

  constructor(
    arrival: Arrival,
    options: RequiredServerOptions,
    surroundings: SessionSurroundings,
    listener: SessionListener,
  ) {
    this.arrival = arrival;
    this.#options = options;
    this.#surroundings = surroundings;
    this.#listener = listener;
  }

  /** What its records say beside the transfer; `servedAs` once the rules have made another name of the client's. */
  get facts(): RequestFacts {
    const servedAs = this.#servedAs;
    return { ...this.#surroundings.facts, ...(servedAs !== undefined && { servedAs }) };
  }

  /** A snapshot; undefined until the file is open. */
  get record(): TransferRecord | undefined {
    return this.#driver?.record;
  }

  /** True once the client has answered. Until then somebody else may have asked in its name. */
  get answered(): boolean {
    return this.#driver?.answered ?? false;
  }

  /** True once the client has given up or was given up. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  /**
   * Runs the transfer to its end, good or bad.
   *
   * @returns what a complete write leaves.
   * @throws what the storage throws if it refuses the file, or `LocalError` if there is no socket.
   */
  async run(): Promise<SessionResult | undefined> {
    if (this.arrival.request.type === 'WRQ') return this.#write();
    await this.#read();
    return undefined;
  }

  /** The client sent the very same request again. While the file is being opened there is nothing to repeat. */
  repeatLast(): void {
    this.#driver?.repeatLast();
  }

  /** Tells the client and ends. */
  abort(reason: TftpError): void {
    const refuse = this.#driver === undefined && !this.#cancelled;
    this.#cancelled = true;
    this.#driver?.abort(reason);
    if (refuse) this.#listener.refused(reason);
    this.#opening.abort(reason);
  }

  /** Ends without a word, and stops repeating a last ACK. Extra calls do nothing. */
  close(reason?: TftpError): void {
    this.#cancelled = true;
    this.#driver?.close(reason);
    this.#opening.abort(reason);
  }

  /** Settles when the socket is closed, for an upload some seconds after its end. Never rejects. */
  get closed(): Promise<void> {
    return this.#driver?.closed ?? Promise.resolve();
  }

  async #read(): Promise<void> {
    const { request } = this.arrival;
    const opened = await this.#options.storage.openForReading(await this.#lookUp());
    const source = request.mode === 'netascii' ? netasciiSource(opened) : opened;
    const granted = this.#grant(source.size);
    await this.#transfer({
      size: source.size,
      granted,
      prepare: (recorder) => ({
        machine: new Sender(readOpening(granted), this.#policy, recorder),
        source,
      }),
      release: () => source.close(),
    });
  }

  async #write(): Promise<SessionResult | undefined> {
    const { request } = this.arrival;
    const { storage, maxUploadSize } = this.#options;
    const size = announcedSize(request);
    const upload = await storage.openForWriting({ ...(await this.#lookUp()), size });
    const limited = limitedSink(upload, maxUploadSize, () => tooLarge(maxUploadSize));
    const sink = request.mode === 'netascii' ? netasciiSink(limited) : limited;
    const granted = this.#grant(size);
    const record = await this.#transfer({
      size,
      granted,
      prepare: (recorder) => ({
        machine: new Receiver(writeOpening(granted), this.#policy, recorder),
        sink,
      }),
      release: () => sink.discard(),
    });
    return record?.event === 'complete'
      ? { record, stored: storedFile(upload, storage) }
      : undefined;
  }

  /** What the storage is asked for: the request, under the name that the rules make of its name. */
  async #lookUp(): Promise<StorageRequest> {
    const { request, client } = this.arrival;
    const { rules, storage } = this.#options;
    const { mac } = this.#surroundings.facts;
    const { signal } = this.#opening;
    const asked = { ...request, client, signal, ...(mac !== undefined && { mac }) };
    const filename = rules ? await servedName(rules, storage, request.type, asked) : asked.filename;
    if (filename !== request.filename) this.#servedAs = filename;
    this.#surroundings.admission.checkName(request.type, filename);
    return { ...asked, filename };
  }

  async #transfer(local: LocalEnd): Promise<TransferRecord | undefined> {
    try {
      this.#driver = await this.#prepare(local);
    } finally {
      if (this.#driver === undefined) await local.release();
    }
    if (this.#driver === undefined) return undefined;
    this.#driver.start();
    return (await this.#driver.ended).record;
  }

  async #prepare({ size, granted, prepare }: LocalEnd): Promise<TransferDriver | undefined> {
    const { request, client } = this.arrival;
    const { progressInterval, deadline } = this.#options;
    const socket = this.#cancelled ? undefined : await this.#bind(granted);
    if (socket === undefined || this.#cancelled) {
      socket?.close();
      return undefined;
    }
    const recorder = new FlightRecorder();
    const { filename, mode } = request;
    return new TransferDriver({
      id: this.id,
      cargo: prepare(recorder),
      recorder,
      socket,
      lock: new PeerLock(client),
      destination: client,
      clock: systemClock,
      role: 'server',
      filename,
      servedAs: this.#servedAs,
      mode,
      size,
      progressInterval,
      deadline,
      facts: this.#surroundings.facts,
      onEvent: (record) => this.#listener.event(record),
      onAnswer: () => this.#listener.answered(),
      isProbe: (error, began) => !began && this.#isHangUp(error),
    });
  }

  /** UEFI, iPXE and PXELINUX ask for the size and answer the OACK with ERROR 8 or 0: that is no failure. */
  #isHangUp(error: TftpError): boolean {
    const asked = this.#options.probes && this.arrival.request.type === 'RRQ';
    return asked && error instanceof PeerError && (error.tftpCode === 8 || error.tftpCode === 0);
  }

  #bind({ options }: GrantedOptions): Promise<DatagramSocket> {
    const reads = this.arrival.request.type === 'RRQ';
    return this.#surroundings.openSocket(
      reads ? 0 : 2 * (options.blksize + 4) * options.windowsize,
    );
  }

  #grant(size: number | undefined): GrantedOptions {
    const { request, client } = this.arrival;
    const byFamily = client.address.includes(':') ? BLKSIZE_IPV6 : BLKSIZE_IPV4;
    const { blksizeMax = byFamily, windowsizeMax } = this.#options;
    const direction = request.type === 'RRQ' ? 'read' : 'write';
    const transfer = { direction, mode: request.mode, size } as const;
    const asked = this.#surroundings.admission.grantable(request.options, client.address);
    return grantOptions(asked, { blksizeMax, windowsizeMax }, transfer);
  }

  get #policy(): RetryPolicy {
    const { timeout, retries } = this.#options;
    return {
      timeout,
      minTimeout: Math.min(MIN_TIMEOUT, timeout),
      maxTimeout: MAX_TIMEOUT,
      retries,
      openingSends: OPENING_SENDS,
      random: Math.random,
    };
  }
}
