/**
 * The system calls of UDP that `node:dgram` does not offer, through libc by way of `koffi`, an
 * optional dependency. Only for Linux, whose numbers these are. The only file that touches `koffi`.
 */

import type * as Koffi from 'koffi';
import { MessageVector } from './message-vector';
import { AF_INET, AF_INET6 } from './socket-address';
import type { SocketAddress } from './socket-address';

/** An open UDP socket of the system: its number. */
export type Descriptor = number;

/** Each call gives what the system gives, or minus its error number. None blocks, none throws. */
export interface SystemCalls {
  open(ipv6: boolean): Descriptor;
  close(descriptor: Descriptor): void;
  bind(descriptor: Descriptor, local: SocketAddress): number;
  connect(descriptor: Descriptor, peer: SocketAddress): number;
  set(descriptor: Descriptor, option: SocketOption, value: number): number;
  /** @param to undefined for a connected socket. */
  send(descriptor: Descriptor, bytes: Uint8Array, to: SocketAddress | undefined): number;
  /** Sends so many datagrams of a vector from a place on, and gives how many went out. */
  sendMany(descriptor: Descriptor, vector: MessageVector, from: number, count: number): number;
  /**
   * Takes the next datagram, if there is one.
   *
   * @param from gets the address of the sender, unless it is undefined.
   */
  receive(descriptor: Descriptor, into: Uint8Array, from: SocketAddress | undefined): number;
  /** Takes the next datagrams, as many as have come and there is room for, and gives their number. */
  receiveMany(descriptor: Descriptor, vector: MessageVector): number;
  /** A vector for these two. */
  vector(count: number, slot: number): MessageVector;
}

/** A level and a name of `setsockopt`. */
export type SocketOption = readonly [level: number, name: number];

/** Lets several sockets have one port. */
export const REUSE_ADDRESS: SocketOption = [1, 2];
/** An IPv6 socket leaves IPv4 to others. */
export const IPV6_ONLY: SocketOption = [41, 26];
/** What is sent is cut into datagrams of so many bytes (Linux 4.18). */
export const SEGMENT_SIZE: SocketOption = [17, 103];
/** Datagrams of one sender may arrive end to end (Linux 5.0). */
export const COALESCE: SocketOption = [17, 104];

const SOCK_DGRAM_CLOEXEC = 0o2000002;
const MSG_DONTWAIT = 0x40;
/** What a network says to datagrams in one piece that it takes one by one: it is too narrow for them, or encrypts them. */
const REFUSALS = [5, 22, 90]; // EIO, EINVAL, EMSGSIZE
export const ECONNREFUSED = 111;

/** Where the numbers above hold (Linux has others on MIPS, for one): of 64 bits, the least significant byte first. */
const ARCHITECTURES = ['arm64', 'loong64', 'riscv64', 'x64'];

/** A text says why there are none. */
let loaded: SystemCalls | string | undefined;

/** Undefined on another system, without `koffi`, or if the environment variable `TFTP_OFFLOAD` is `off`. */
export function systemCalls(): SystemCalls | undefined {
  loaded ??= load();
  return typeof loaded === 'string' ? undefined : loaded;
}

/** Why there are none, in a few words; undefined if there are. */
export function whyNoSystemCalls(): string | undefined {
  loaded ??= load();
  return typeof loaded === 'string' ? loaded : undefined;
}

/** True for the errors of a network to which datagrams cannot be sent in one piece. */
export function refusesPieces(error: number): boolean {
  return REFUSALS.includes(error);
}

function load(): SystemCalls | string {
  const { platform, arch, env } = process;
  if (platform !== 'linux') return 'only Linux has it';
  if (!ARCHITECTURES.includes(arch)) return `it is not known on ${arch}`;
  if (env['TFTP_OFFLOAD'] === 'off') return 'TFTP_OFFLOAD is off';
  try {
    // oxlint-disable-next-line typescript/no-require-imports -- it may be missing
    const koffi: typeof Koffi = require('koffi');
    return libc(koffi);
  } catch {
    return 'the package koffi is not installed, or does not fit this system';
  }
}

function libc(koffi: typeof Koffi): SystemCalls {
  const library = koffi.load(null);
  const socket = library.func('int socket(int, int, int)');
  const close = library.func('int close(int)');
  const bind = library.func('int bind(int, const void *, uint32_t)');
  const connect = library.func('int connect(int, const void *, uint32_t)');
  const setsockopt = library.func('int setsockopt(int, int, int, const void *, uint32_t)');
  const sendto = library.func(
    'intptr_t sendto(int, const void *, size_t, int, const void *, uint32_t)',
  );
  const send = library.func('intptr_t send(int, const void *, size_t, int)');
  const recv = library.func('intptr_t recv(int, void *, size_t, int)');
  const recvfrom = library.func('intptr_t recvfrom(int, void *, size_t, int, void *, void *)');
  const sendmmsg = library.func('int sendmmsg(int, void *, uint32_t, int)');
  const recvmmsg = library.func('int recvmmsg(int, void *, uint32_t, int, void *)');
  const value = new Int32Array(1);
  const length = new Uint32Array(1);
  const checked = (result: number): number => (result < 0 ? -koffi.errno() : result);
  return {
    open: (ipv6) => checked(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM_CLOEXEC, 0)),
    close: (descriptor) => void close(descriptor),
    bind: (descriptor, local) => checked(bind(descriptor, local, local.length)),
    connect: (descriptor, peer) => checked(connect(descriptor, peer, peer.length)),
    set(descriptor, [level, name], wanted) {
      value[0] = wanted;
      return checked(setsockopt(descriptor, level, name, value, value.byteLength));
    },
    send(descriptor, bytes, to) {
      const { length: size } = bytes;
      if (to) return checked(sendto(descriptor, bytes, size, MSG_DONTWAIT, to, to.length));
      return checked(send(descriptor, bytes, size, MSG_DONTWAIT));
    },
    sendMany: (descriptor, vector, from, count) =>
      checked(sendmmsg(descriptor, vector.headersFrom(from), count, MSG_DONTWAIT)),
    receiveMany: (descriptor, vector) =>
      checked(recvmmsg(descriptor, vector.headersFrom(0), vector.count, MSG_DONTWAIT, null)),
    vector: (count, slot) => new MessageVector(count, slot, (bytes) => koffi.address(bytes)),
    receive(descriptor, into, from) {
      if (!from) return checked(recv(descriptor, into, into.length, MSG_DONTWAIT));
      length[0] = from.length;
      return checked(recvfrom(descriptor, into, into.length, MSG_DONTWAIT, from, length));
    },
  };
}
