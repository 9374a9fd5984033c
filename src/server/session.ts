/** One admitted request: opens the file, settles the options, and runs the transfer. */

import type { TftpError } from '../protocol/errors';
import { shownName } from '../protocol/name-text';
import { grantOptions } from '../protocol/options';
import type { GrantedOptions } from '../protocol/options';
import type { RequestPacket } from '../protocol/packet';
import type { Clock } from '../net/clock';
import type { Flow } from '../udp/flow';
import { TransferDriver } from '../net/transfer-driver';
import type { Cargo } from '../net/transfer-setup';
import type { TransferFacts, TransferRecord } from '../net/transfer-record';
import { limitedSink, netasciiSink } from '../storage/data-sink';
import { netasciiSource } from '../storage/data-source';
import type { StorageRequest } from '../storage/storage';
import { FlightRecorder } from '../transfer/flight-recorder';
import { readOpening, writeOpening } from '../transfer/opening';
import type { Opening } from '../transfer/opening';
import { PeerLock } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import { Receiver } from '../transfer/receiver';
import { OPENING_SENDS, retryPolicy } from '../transfer/retry-policy';
import type { RetryPolicy } from '../transfer/retry-policy';
import { Sender } from '../transfer/sender';
import { announcedSize, tooLarge } from './admission';
import type { Admission } from './admission';
import type { EndingJudge } from './ending-judge';
import { servedName } from './names/served-name';
import type { RequiredServerOptions } from './server-options';
import type { ScarceOption } from './shortage-report';
import { storedFile } from './stored-file';
import type { StoredFile } from './stored-file';

/** Bytes of opcode and block number before the data (RFC 1350 section 5). */
const HEADER = 4;
/** The largest block granted by default: with the headers of UDP, TFTP and IP it fits a 1500-byte frame. */
const BLKSIZE_IPV4 = 1468;
const BLKSIZE_IPV6 = 1448;

/** A request, as it came to the listening port. */
export interface IncomingRequest {
  readonly request: RequestPacket;
  /** The bytes, which tell a repeated request from a new one. */
  readonly datagram: Uint8Array;
  readonly client: Peer;
  /** When it came, in milliseconds of the server's clock. */
  readonly at: number;
}

/** Thrown if a request gets no answer. */
export class Unanswered extends Error {
  /** @param scarce the option that has no room for it; undefined if the address may be forged. */
  constructor(readonly scarce?: ScarceOption) {
    super('The request gets no answer');
  }
}

/** What is known of a request before anything moves. */
export type RequestFacts = TransferFacts & Pick<TransferRecord, 'servedAs'>;

/** What a session needs of its server. */
export interface SessionContext {
  /** The id of its records. */
  readonly id: string;
  readonly clock: Clock;
  readonly admission: Admission;
  readonly endings: EndingJudge;
  readonly facts: TransferFacts;
  /**
   * How often a first packet of so many bytes may be sent until the client answers. It may be asked
   * again when the client repeats its request.
   */
  readonly openingSends: (bytes: number) => number;
  /** The storage ends the transfer. */
  readonly endedByStorage: (reason: TftpError) => void;
  /** Opens the socket of the transfer, which takes bursts of so many bytes. */
  readonly openSocket: (receiveBuffer: number) => Promise<Flow>;
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
  readonly opening: Opening;
  readonly prepare: (opening: Opening, recorder: FlightRecorder) => Cargo;
  readonly release: () => Promise<void>;
}

/** Who hears of a session. */
export interface SessionListener {
  /** The records of its transfer. */
  event(record: TransferRecord): void;
  /** The client has answered for the first time: its address is real. `accepts` is false for an ERROR. */
  answered(accepts: boolean): void;
  /** It was aborted before there was a transfer, so somebody else has to tell the client. */
  refused(reason: TftpError): void;
}

export class Session {
  readonly incoming: IncomingRequest;
  readonly #options: RequiredServerOptions;
  readonly #context: SessionContext;
  readonly #listener: SessionListener;
  readonly #opening = new AbortController();
  #driver: TransferDriver | undefined;
  #servedAs: string | undefined;
  #cancelled = false;
  #firstPacketBytes = 0;
  /** How often the first packet may be sent. */
  #openingSends = 0;

  constructor(
    incoming: IncomingRequest,
    options: RequiredServerOptions,
    context: SessionContext,
    listener: SessionListener,
  ) {
    this.incoming = incoming;
    this.#options = options;
    this.#context = context;
    this.#listener = listener;
  }

  /** The id of its records. */
  get id(): string {
    return this.#context.id;
  }

  /** What its records say beside the transfer; `servedAs` once the rules have made another name of the client's. */
  get facts(): RequestFacts {
    const servedAs = this.#servedAs;
    return { ...this.#context.facts, ...(servedAs !== undefined && { servedAs }) };
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
   * @throws what the storage throws if it refuses the file, `LocalError` if there is no socket, or {@link Unanswered}.
   */
  async run(): Promise<SessionResult | undefined> {
    if (this.incoming.request.type === 'WRQ') return this.#write();
    await this.#read();
    return undefined;
  }

  /** The client sent the very same request again. While the file is being opened there is nothing to repeat. */
  repeatLast(): void {
    if (this.#driver === undefined) return;
    if (this.#openingSends < OPENING_SENDS) {
      this.#openingSends += Math.min(1, this.#context.openingSends(this.#firstPacketBytes));
    }
    this.#driver.repeatLast();
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

  /** True if a file was sent, and its last block again, and only the last ACK is missing: many boot ROMs never send it. */
  get lacksLastAck(): boolean {
    return this.#driver?.lacksLastAck === true;
  }

  /** Ends without a word, because others need its slot. What only lacks its last ACK is complete. */
  giveWay(reason: TftpError): void {
    this.#cancelled = true;
    this.#driver?.giveWay(reason);
    this.#opening.abort(reason);
  }

  /** As `close`, but an upload that is complete may still be committed. */
  abandon(reason: TftpError): void {
    if (this.#driver?.committing !== true) this.close(reason);
  }

  /** Settles when the socket is closed, for an upload some seconds after its end. Never rejects. */
  get closed(): Promise<void> {
    return this.#driver?.closed ?? Promise.resolve();
  }

  async #read(): Promise<void> {
    const { request } = this.incoming;
    const opened = await this.#options.storage.openForReading(await this.#lookUp());
    const source = request.mode === 'netascii' ? netasciiSource(opened) : opened;
    const granted = this.#grant(source.size);
    await this.#transfer({
      size: source.size,
      granted,
      opening: readOpening(granted),
      prepare: (opening, recorder) => ({
        machine: new Sender(opening, this.#retryPolicy, recorder),
        source,
      }),
      release: () => source.close(),
    });
  }

  async #write(): Promise<SessionResult | undefined> {
    const { request } = this.incoming;
    const { storage, maxUploadSize } = this.#options;
    const size = announcedSize(request);
    const abort = this.#context.endedByStorage;
    const upload = await storage.openForWriting({ ...(await this.#lookUp()), size, abort });
    const limited = limitedSink(upload, maxUploadSize, () => tooLarge(maxUploadSize));
    const sink = request.mode === 'netascii' ? netasciiSink(limited) : limited;
    const granted = this.#grant(size);
    const record = await this.#transfer({
      size,
      granted,
      opening: writeOpening(granted, request.mode),
      prepare: (opening, recorder) => ({
        machine: new Receiver(opening, this.#retryPolicy, recorder),
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
    const { request, client } = this.incoming;
    const { rules, storage } = this.#options;
    const { endings, facts } = this.#context;
    const { mac } = facts;
    const { signal } = this.#opening;
    const meant = { ...request, filename: endings.meantName(request.filename) };
    const asked = { ...meant, client, signal, ...(mac !== undefined && { mac }) };
    const filename = rules ? await servedName(rules, storage, request.type, asked) : asked.filename;
    if (filename !== request.filename) this.#servedAs = shownName(filename);
    this.#context.admission.checkName(request.type, filename);
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

  async #prepare(local: LocalEnd): Promise<TransferDriver | undefined> {
    const { size, granted, opening, prepare } = local;
    const { request, client } = this.incoming;
    const { progressInterval, deadline } = this.#options;
    if (!this.#cancelled) this.#checkFirstPacket(local);
    const socket = this.#cancelled ? undefined : await this.#bind(granted);
    if (socket === undefined || this.#cancelled) {
      socket?.close();
      return undefined;
    }
    const recorder = new FlightRecorder();
    const { filename, mode } = request;
    return new TransferDriver({
      id: this.#context.id,
      cargo: prepare(opening, recorder),
      recorder,
      socket,
      lock: new PeerLock(client),
      destination: client,
      clock: this.#context.clock,
      role: 'server',
      filename: shownName(filename),
      servedAs: this.#servedAs,
      mode,
      size,
      progressInterval,
      deadline,
      facts: this.#context.facts,
      onEvent: (record) => this.#listener.event(record),
      onAnswer: (accepts) => this.#listener.answered(accepts),
      meaning: (error, began) => this.#context.endings.meaning(request, error, began),
    });
  }

  /** @throws {Unanswered} if the first packet may not be sent. */
  #checkFirstPacket({ opening, size = Infinity, granted }: LocalEnd): void {
    const block = HEADER + Math.min(size, granted.options.blksize);
    this.#firstPacketBytes = opening.first?.datagram.length ?? block;
    this.#openingSends = this.#context.openingSends(this.#firstPacketBytes);
    if (this.#openingSends === 0) throw new Unanswered();
  }

  #bind({ options }: GrantedOptions): Promise<Flow> {
    const reads = this.incoming.request.type === 'RRQ';
    return this.#context.openSocket(
      reads ? 0 : 2 * (options.blksize + HEADER) * options.windowsize,
    );
  }

  #grant(size: number | undefined): GrantedOptions {
    const { request, client } = this.incoming;
    const byFamily = client.address.includes(':') ? BLKSIZE_IPV6 : BLKSIZE_IPV4;
    const { blksizeMax = byFamily, windowsizeMax } = this.#options;
    const direction = request.type === 'RRQ' ? 'read' : 'write';
    const transfer = { direction, mode: request.mode, size } as const;
    const asked = this.#context.admission.grantable(request.options, client.address);
    return grantOptions(asked, { blksizeMax, windowsizeMax }, transfer);
  }

  get #retryPolicy(): RetryPolicy {
    const sends = (): number => this.#openingSends;
    return {
      ...retryPolicy(this.#options, Math.random),
      get openingSends() {
        return sends();
      },
    };
  }
}
