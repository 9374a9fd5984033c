/** DATA packets that the receiving system has laid end to end. */

import { toWire } from './block-number';
import { DATA_HEADER, Opcode } from './constants';
import type { NegotiatedOptions } from './options';

/** So many copies of one block are looked for. */
const MOST_COPIES = 8;

/**
 * Cuts such runs into packets again. The system only joins packets of one length, and one shorter one
 * at their end, which may be an ERROR. So the length of a block tells where to cut, but for repeated
 * last blocks, whose length the size of the file tells.
 */
export class DataRuns {
  readonly #stride: number;
  /** How far the blocks of one run can be apart: they are of the same window, or of two. */
  readonly #reach: number;
  readonly #lastLength: number;
  readonly #lastWire: number;
  readonly #beforeLast: number;

  /** @param size of the file, in bytes. */
  constructor({ blksize, windowsize, rollover }: NegotiatedOptions, size: number) {
    const lastPosition = Math.floor(size / blksize) + 1;
    this.#stride = blksize + DATA_HEADER;
    this.#reach = 2 * windowsize;
    this.#lastLength = (size % blksize) + DATA_HEADER;
    this.#lastWire = toWire(lastPosition, rollover);
    this.#beforeLast = size - (size % blksize);
  }

  /**
   * The packets of a datagram. One that is no run is given back as it is.
   *
   * @param received how many bytes of the file have come so far.
   */
  split(datagram: Uint8Array, received: number): readonly Uint8Array[] {
    if (received >= this.#beforeLast) {
      const copies = cut(datagram, this.#lastLength);
      if (copies.length > 1 && isSeries(copies, (copy) => this.#isLast(copy))) return copies;
    }
    if (received === this.#beforeLast && datagram.length === this.#lastLength) return [datagram];
    const packets = cut(datagram, this.#stride);
    if (packets.length > 1 && this.#isRun(packets)) return packets;
    return datagram.length === this.#stride ? [datagram] : copiesIn(datagram);
  }

  /** A block that is longer than agreed is none: what is inside of it looks like no packets. */
  #isRun(packets: readonly Uint8Array[]): boolean {
    const first = wireOf(packets[0]!);
    return isSeries(packets, (packet) => {
      if (!isData(packet)) return false;
      const ahead = (wireOf(packet) - first + 65536) % 65536;
      return Math.min(ahead, 65536 - ahead) <= this.#reach;
    });
  }

  #isLast(packet: Uint8Array): boolean {
    return (
      packet.length === this.#lastLength && isData(packet) && wireOf(packet) === this.#lastWire
    );
  }
}

function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / length) }, (_, i) =>
    bytes.subarray(i * length, (i + 1) * length),
  );
}

/** True if all fit, but for an ERROR at their end: the peer gave up behind its blocks. */
function isSeries(packets: readonly Uint8Array[], fits: (packet: Uint8Array) => boolean): boolean {
  const end = packets.length - 1;
  return packets.every((packet, i) => fits(packet) || (i === end && isError(packet)));
}

/** Where the size that was announced is wrong, a last block that came several times shows by its copies. */
function copiesIn(datagram: Uint8Array): readonly Uint8Array[] {
  for (let count = MOST_COPIES; count > 1; count -= 1) {
    if (datagram.length % count !== 0 || datagram.length === 0) continue;
    const copies = cut(datagram, datagram.length / count);
    if (copies.every((copy) => isData(copy) && isSame(copy, copies[0]!))) return copies;
  }
  return [datagram];
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((byte, i) => byte === other[i]);
}

function isError(packet: Uint8Array): boolean {
  return packet.length >= DATA_HEADER && packet[0] === 0 && packet[1] === Opcode.ERROR;
}

function isData(packet: Uint8Array): boolean {
  return packet.length >= DATA_HEADER && packet[0] === 0 && packet[1] === Opcode.DATA;
}

function wireOf(packet: Uint8Array): number {
  return (packet[2]! << 8) | packet[3]!;
}
