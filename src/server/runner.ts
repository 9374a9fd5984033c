/** Runs the transfers of a server: each has a slot, and gives way to others by the rules of `Slots`. */

import { CancelError, LocalError, isTftpError } from '../protocol/errors';
import type { TftpError } from '../protocol/errors';
import type { RequestPacket } from '../protocol/packet';
import type { Clock } from '../net/clock';
import { randomId } from '../net/random-id';
import { asTftpError } from '../net/transfer-driver';
import type { TransferRecord } from '../net/transfer-record';
import type { Peer } from '../transfer/peer-lock';
import { systemCodeOf } from '../udp/bind-error';
import type { Endpoint } from '../udp/endpoint';
import type { Flow } from '../udp/flow';
import type { AbuseGuard } from './abuse-guard';
import type { Admission } from './admission';
import { ClientFlows } from './client-flows';
import type { Journal } from './journal';
import type { RequiredServerOptions } from './server-options';
import { Session, Unanswered } from './session';
import type { IncomingRequest, SessionContext } from './session';
import type { ScarceOption } from './shortage-report';
import { Slot } from './slot';
import { Slots } from './slots';
import type { StoredFile } from './stored-file';
import { TransferPorts } from './transfer-ports';

/** What a runner reports. */
export interface RunnerListener {
  /** A request was admitted. `id` is that of its records. */
  begun(id: string, host: string): void;
  /** A transfer is over, or was given up. */
  ended(id: string): void;
  upload(record: TransferRecord, stored: StoredFile): void;
  /** The request is answered with this ERROR. */
  refused(origin: Endpoint, incoming: IncomingRequest, error: TftpError, slot: Slot): void;
  /** The request gets no answer. */
  unanswered(scarce: ScarceOption | undefined): void;
}

/** What a runner works with. */
export interface RunnerContext {
  readonly clock: Clock;
  readonly admission: Admission;
  readonly guard: AbuseGuard;
  readonly journal: Journal;
  /** The options for the next request. */
  readonly options: () => RequiredServerOptions;
}

export class Runner {
  readonly #context: RunnerContext;
  readonly #listener: RunnerListener;
  readonly #ports: TransferPorts;
  readonly #flows = new ClientFlows();
  readonly #slots = new Slots();
  /** Ended sessions that still repeat a last ACK, and the running ones. */
  readonly #open = new Set<Session>();

  constructor(context: RunnerContext, listener: RunnerListener) {
    this.#context = context;
    this.#listener = listener;
    this.#ports = new TransferPorts(context.options().transferPorts);
  }

  get transfers(): TransferRecord[] {
    const told = this.#slots.all().filter(({ runs }) => runs);
    return told.flatMap(({ session }) => session.record ?? []);
  }

  /** Ends one transfer; its client is told why. False if there is no such transfer. */
  abort(id: string, reason: string): boolean {
    const slot = this.#slots.all().find(({ session }) => session.record?.id === id);
    slot?.session.abort(new CancelError(reason));
    return slot !== undefined;
  }

  /** Ends the transfers with an address, or all. @returns how many they were. */
  abortAll(host: string | undefined, reason: string): number {
    const slots = this.#slots
      .all()
      .filter(({ client }) => host === undefined || client.address === host);
    for (const { session } of slots) session.abort(new CancelError(reason));
    return slots.length;
  }

  /** Frees all sockets. What runs ends without a word to its client. */
  close(reason: TftpError): void {
    for (const session of this.#open) session.close(reason);
  }

  /** The newest transfer of a client. */
  find(client: Peer): Slot | undefined {
    return this.#slots.find(client);
  }

  /** Ends a transfer without a word to its client, and frees its slot at once. */
  end(slot: Slot, reason: TftpError): void {
    this.#forget(slot);
    slot.session.close(reason);
  }

  /** Finds a slot for a new request. @returns what there is too little of, if there is none. */
  makeRoom(client: Peer, key: string): ScarceOption | undefined {
    const { maxTransfers, maxPerHost } = this.#context.options();
    // It has one, of the transfer that this one replaces.
    if (this.#slots.find(client)) return undefined;
    while (this.#slots.ofHost(key) >= maxPerHost) {
      if (!this.#evict((slot) => slot.key === key)) return 'maxPerHost';
    }
    while (this.#slots.size >= maxTransfers) if (!this.#evict(() => true)) return 'maxTransfers';
    return undefined;
  }

  /** Frees a slot. False if all of them are taken by running transfers. */
  #evict(fits: (slot: Slot) => boolean): boolean {
    const slot = this.#slots.evict(this.#context.clock.now(), fits);
    if (slot === undefined) return false;
    this.#listener.ended(slot.session.id);
    slot.session.giveWay(evicted());
    return true;
  }

  /** Runs a request that was admitted, to its end. Never rejects. */
  async run(
    origin: Endpoint,
    incoming: IncomingRequest,
    key: string,
    isExtra: boolean,
  ): Promise<void> {
    const slot = this.#begin(origin, incoming, key, isExtra);
    const { session } = slot;
    try {
      const result = await session.run();
      if (slot.accepted) await slot.released;
      if (result) this.#listener.upload(result.record, result.stored);
    } catch (error) {
      this.#handleFailure(origin, slot, error);
    } finally {
      this.#forget(slot);
      void this.#keepSocket(slot);
    }
  }

  /** An ended upload keeps its slot and its socket for a while: its last ACK may have to be repeated. */
  async #keepSocket(slot: Slot): Promise<void> {
    await this.#slots.keepUntil(slot.session.closed, slot);
    this.#open.delete(slot.session);
  }

  #handleFailure(origin: Endpoint, slot: Slot, error: unknown): void {
    const { session } = slot;
    if (session.cancelled) return;
    if (!(error instanceof Unanswered)) {
      return this.#listener.refused(origin, session.incoming, asTftpError(error), slot);
    }
    this.#listener.unanswered(error.scarce);
    slot.fail(evicted(), this.#context.clock.date());
  }

  #begin(origin: Endpoint, incoming: IncomingRequest, key: string, isExtra: boolean): Slot {
    const { client, request, at } = incoming;
    const known = this.#slots.find(client);
    const continued = known && isContinued(known, request) ? known : undefined;
    const slot = new Slot(
      client,
      key,
      at,
      (record) => this.#context.journal.report(record),
      continued,
    );
    slot.isExtra = isExtra;
    slot.predecessor = known?.session.answered ? known : known?.predecessor;
    const id = continued?.session.id ?? randomId();
    slot.session = this.#newSession(origin, incoming, slot, id);
    if (continued) {
      continued.silence();
      continued.session.close();
    } else if (known && !known.session.answered) {
      this.end(known, replaced());
    }
    this.#slots.add(slot);
    this.#open.add(slot.session);
    this.#listener.begun(id, client.address);
    return slot;
  }

  #newSession(origin: Endpoint, incoming: IncomingRequest, slot: Slot, id: string): Session {
    const { client, request, datagram } = incoming;
    const { clock } = this.#context;
    const context: SessionContext = {
      id,
      clock,
      admission: this.#context.admission,
      endings: this.#context.journal.endings,
      facts: this.#context.journal.factsOf(request, client),
      openingSends: (answer) => {
        const now = clock.now();
        slot.opened(now);
        const sizes = { request: datagram.length, answer };
        return this.#context.guard.openingSends(slot.key, sizes, !slot.isExtra, now);
      },
      endedByStorage: (reason) => {
        // A client that has begun anew from the same port would take the ERROR for that of its new upload.
        if (this.#slots.find(client) === slot) slot.session.abort(reason);
        else slot.session.close(reason);
      },
      openSocket: (receiveBuffer) => this.#openSocket(origin, slot, receiveBuffer),
    };
    return new Session(incoming, this.#context.options(), context, {
      event: (record) => slot.report(record),
      answered: (accepts) => this.#answered(slot, accepts),
      refused: (reason) => this.#listener.refused(origin, incoming, reason, slot),
    });
  }

  /** The client exists. If it wants this transfer, the one before is over. */
  #answered(slot: Slot, accepts: boolean): void {
    this.#context.guard.answered(slot.key);
    this.#slots.answered(slot);
    if (!accepts) return;
    slot.accepted = true;
    slot.isExtra = false;
    slot.predecessor?.session.abandon(replaced());
    slot.release();
  }

  async #openSocket(origin: Endpoint, slot: Slot, receiveBuffer: number): Promise<Flow> {
    if (this.#context.options().transferPorts === 'single')
      return this.#flows.open(origin, slot.client);
    for (;;) {
      try {
        return await this.#ports.open(origin.local, slot.client, receiveBuffer);
      } catch (error) {
        const scarce = scarceFor(error);
        if (scarce === undefined) throw error;
        const hasSocket = (other: Slot): boolean => other.session.record !== undefined;
        if (!this.#evict(hasSocket)) throw new Unanswered(scarce);
      }
    }
  }

  #forget(slot: Slot): void {
    if (this.#slots.remove(slot)) this.#listener.ended(slot.session.id);
  }
}

/** True if a client that has not answered yet asks for the same with other options: it did not like the first answer, or did not get it. */
function isContinued({ session }: Slot, request: RequestPacket): boolean {
  const { type, filename, mode } = session.incoming.request;
  const same = type === request.type && filename === request.filename && mode === request.mode;
  return same && !session.answered;
}

/** What there is too little of, if that is why a socket cannot be opened. */
function scarceFor(error: unknown): ScarceOption | undefined {
  if (!isTftpError(error)) return undefined;
  if (error.code === 'EBUSY') return 'transferPorts';
  return ['EMFILE', 'ENFILE'].includes(systemCodeOf(error.cause)) ? 'open files' : undefined;
}

function replaced(): CancelError {
  return new CancelError('Replaced by a new request of the same client', { expected: true });
}

function evicted(): LocalError {
  const message = 'The client did not answer, and its slot was needed for another request';
  return new LocalError('EBUSY', message, { expected: true });
}
