/**
 * The sockets of many transfers. Each transfer that sends a file only hears short ACKs, so dozens of
 * them can speak through one socket: it is opened once, holds the memory of one, and hands out what
 * has come for all of them in one go.
 *
 * A socket never serves the same address and port of a client twice, so that packets of a transfer
 * that has ended cannot disturb a later one (RFC 1350 section 4).
 */

import { decodeTransferPacket } from '../protocol/decode';
import { encode } from '../protocol/encode';
import { peerName } from '../transfer/peer-lock';
import type { Peer } from '../transfer/peer-lock';
import type { Clock, Timer } from './clock';
import type { BindOptions, DatagramSocket, UdpSocket } from './datagram-socket';
import { SharedSocket } from './shared-socket';

/** So many transfers speak through one socket before another one is opened. */
const CROWD = 64;
/** So many clients a socket serves in its life; then transfers speak from another port. */
const MOST_SERVED = 4096;
/** Milliseconds for which a socket waits for its next transfer. */
const IDLE_TIME = 10_000;
/** Room for the ACKs of a crowd, in bytes. */
const RECEIVE_BUFFER = 1024 * 1024;

/** One of the sockets. */
interface Member {
  readonly socket: SharedSocket;
  readonly address: string;
  /** The clients that were served, by name. */
  readonly served: Set<string>;
  /** Transfers that speak through it now. */
  active: number;
  idle: Timer | undefined;
}

export class SocketPool {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #bind: (at: Omit<BindOptions, 'port'>) => Promise<UdpSocket>;
  readonly #members = new Set<Member>();
  /** The sockets that are being opened, by address. */
  readonly #opening = new Map<string, Promise<void>>();

  /** @param bind opens a socket at a free port. */
  constructor(
    clock: Pick<Clock, 'after'>,
    bind: (at: Omit<BindOptions, 'port'>) => Promise<UdpSocket>,
  ) {
    this.#clock = clock;
    this.#bind = bind;
  }

  /**
   * A socket to speak with one peer.
   *
   * @param address a literal one of this machine, from which to speak.
   * @throws what `UdpSocket.bind` throws.
   */
  async open(address: string, peer: Peer): Promise<DatagramSocket> {
    const name = peerName(peer);
    const member = await this.#memberFor(address, name);
    member.idle?.cancel();
    member.active += 1;
    member.served.add(name);
    return member.socket.share(peer, true, () => this.#left(member));
  }

  /** Closes the sockets: those of transfers when their last one has ended. What is opened later is not concerned. */
  close(): void {
    this.#opening.clear();
    for (const member of this.#members) {
      this.#members.delete(member);
      if (member.active === 0) this.#end(member);
    }
  }

  /** A crowd that comes at once waits for one new socket. */
  async #memberFor(address: string, name: string): Promise<Member> {
    for (;;) {
      const member = this.#freeMember(address, name);
      if (member) return member;
      const opening = this.#opening.get(address) ?? this.#newMember(address);
      this.#opening.set(address, opening);
      await opening.finally(() => this.#opened(address, opening));
    }
  }

  #freeMember(address: string, name: string): Member | undefined {
    for (const member of this.#members) {
      const room = member.active < CROWD && member.served.size < MOST_SERVED;
      if (room && member.address === address && !member.served.has(name)) return member;
    }
    return undefined;
  }

  #opened(address: string, opening: Promise<void>): void {
    if (this.#opening.get(address) === opening) this.#opening.delete(address);
  }

  async #newMember(address: string): Promise<void> {
    const at = { address, watchable: true, offload: true, receiveBuffer: RECEIVE_BUFFER };
    const bound = await this.#bind(at);
    // A server lives by its listening socket, and a transfer by its timer.
    bound.unref();
    const socket = new SharedSocket(bound);
    const members = this.#members;
    const served = new Set<string>();
    const member: Member = { socket, address, served, active: 0, idle: undefined };
    socket.listen({
      message: (datagram, from) => tellStranger(socket, served, datagram, from),
      unreachable: () => undefined,
      failed(error) {
        members.delete(member);
        socket.fail(error);
      },
    });
    members.add(member);
    this.#waitFor(member);
  }

  #left(member: Member): void {
    member.active -= 1;
    if (member.active > 0) return;
    const isOver = !this.#members.has(member) || member.served.size >= MOST_SERVED;
    if (isOver) this.#end(member);
    else this.#waitFor(member);
  }

  /** Closes a socket that finds no transfer in time. Nothing waits for it to end. */
  #waitFor(member: Member): void {
    member.idle = this.#clock.after(IDLE_TIME, () => this.#end(member));
    member.idle.unref();
  }

  #end(member: Member): void {
    member.idle?.cancel();
    this.#members.delete(member);
    member.socket.close();
  }
}

/**
 * A packet of no transfer gets ERROR 5 (RFC 1350 section 4), once for each sender. Whoever was served
 * here knows how its transfer has ended. An ERROR is never answered, and neither is a request.
 */
function tellStranger(
  socket: SharedSocket,
  served: Set<string>,
  datagram: Uint8Array,
  from: Peer,
): void {
  const packet = decodeTransferPacket(datagram);
  const name = peerName(from);
  if (packet === undefined || packet.type === 'ERROR') return;
  if (served.has(name) || served.size >= MOST_SERVED) return;
  served.add(name);
  const datagrams = encode({ type: 'ERROR', code: 5, message: 'Unknown transfer ID' });
  socket.send({ datagrams, segmentSize: datagrams.length }, from, () => undefined);
}
