/**
 * The system calls of UDP that `node:dgram` does not offer, through libc by way of `koffi`, an
 * optional dependency. Only for Linux, whose numbers these are. The only file that touches `koffi`.
 */

import type * as Koffi from 'koffi';
import { ErrorMessage, ReceiveBatch, SendBatch } from './batches';
import { AF_INET, AF_INET6 } from './socket-address';
import type { SocketAddress } from './socket-address';

/** An open UDP socket of the system: its number. */
export type Descriptor = number;

/** Each call gives what the system gives, or minus its error number. None blocks, none throws. */
export interface SystemCalls {
  open(ipv6: boolean): Descriptor;
  close(descriptor: Descriptor): void;
  bind(descriptor: Descriptor, local: SocketAddress): number;
  set(descriptor: Descriptor, option: SocketOption, value: number): number;
  /** Sends the messages of a batch from this one on, and gives how many went out. */
  send(descriptor: Descriptor, batch: SendBatch, from: number): number;
  /** Takes the next datagrams, as many as have come and there is room for, and gives their number. */
  receive(descriptor: Descriptor, batch: ReceiveBatch): number;
  /** Takes the next error report (ip(7), IP_RECVERR). */
  receiveError(descriptor: Descriptor, message: ErrorMessage): number;
  sendBatch(room: number, slot: number): SendBatch;
  receiveBatch(room: number, slot: number): ReceiveBatch;
  errorMessage(): ErrorMessage;
}

/** A level and a name of `setsockopt`. */
export type SocketOption = readonly [level: number, name: number];

/** Lets several sockets have one port. */
export const REUSE_ADDRESS: SocketOption = [1, 2];
/** Bytes that may wait to be sent. */
export const SEND_BUFFER: SocketOption = [1, 7];
/** An IPv6 socket leaves IPv4 to others. */
export const IPV6_ONLY: SocketOption = [41, 26];
/** Errors that other hosts report by ICMP can be read, with the destination that they are about. */
export const REPORT_ERRORS: SocketOption = [0, 11];
export const REPORT_ERRORS_IPV6: SocketOption = [41, 25];
/** Datagrams of one sender may arrive end to end (Linux 5.0). */
export const COALESCE: SocketOption = [17, 104];

const SOCK_DGRAM_CLOEXEC = 0o2000002;
const MSG_DONTWAIT = 0x40;
const MSG_ERRQUEUE = 0x2000;

/** The numbers of errors. */
export const EIO = 5;
export const EAGAIN = 11;
export const EINVAL = 22;
export const EMSGSIZE = 90;
export const ENOBUFS = 105;
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
  const setsockopt = library.func('int setsockopt(int, int, int, const void *, uint32_t)');
  const recvmsg = library.func('intptr_t recvmsg(int, void *, int)');
  const sendmmsg = library.func('int sendmmsg(int, void *, uint32_t, int)');
  const recvmmsg = library.func('int recvmmsg(int, void *, uint32_t, int, void *)');
  const value = new Int32Array(1);
  const addressOf = (bytes: Uint8Array): bigint => koffi.address(bytes);
  const checked = (result: number): number => (result < 0 ? -koffi.errno() : result);
  return {
    open: (ipv6) => checked(socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM_CLOEXEC, 0)),
    close: (descriptor) => void close(descriptor),
    bind: (descriptor, local) => checked(bind(descriptor, local, local.length)),
    set(descriptor, [level, name], wanted) {
      value[0] = wanted;
      return checked(setsockopt(descriptor, level, name, value, value.byteLength));
    },
    send: (descriptor, batch, from) =>
      checked(sendmmsg(descriptor, batch.headersFrom(from), batch.count - from, MSG_DONTWAIT)),
    receive(descriptor, batch) {
      batch.prepare();
      const count = checked(
        recvmmsg(descriptor, batch.headersFrom(0), batch.room, MSG_DONTWAIT, null),
      );
      batch.received(Math.max(0, count));
      return count;
    },
    receiveError(descriptor, message) {
      message.prepare();
      return checked(recvmsg(descriptor, message.headersFrom(0), MSG_DONTWAIT | MSG_ERRQUEUE));
    },
    sendBatch: (room, slot) => new SendBatch(room, slot, addressOf),
    receiveBatch: (room, slot) => new ReceiveBatch(room, slot, addressOf),
    errorMessage: () => new ErrorMessage(addressOf),
  };
}
