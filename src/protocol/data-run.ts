/** DATA packets that lie end to end, as the receiving system hands them out. */

import { toWire } from './block-number';
import type { Rollover } from './block-number';
import { DATA_HEADER, Opcode } from './constants';
import type { NegotiatedOptions } from './options';

/**
 * Cuts such runs into packets again. The system only joins packets of one length, and one shorter one
 * at their end, which may be an ERROR. So the length of a block tells where to cut, but for repeated
 * last blocks, whose length the size of the file tells. Where that size is wrong the transfer fails,
 * so that nothing is lost by a wrong cut.
 */
export class DataRuns {
  /** The length of all packets but the last. */
  readonly segmentSize: number;
  /** How far the blocks of one run can be apart: they are of the same window, or of two. */
  readonly #reach: number;
  readonly #lastLength: number;
  readonly #lastWire: number;
  readonly #beforeLast: number;

  /** @param size of the file, in bytes. */
  constructor({ blksize, windowsize, rollover }: NegotiatedOptions, size: number) {
    const lastPosition = Math.floor(size / blksize) + 1;
    this.segmentSize = blksize + DATA_HEADER;
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
      const isCopy = (packet: Uint8Array) => this.#isLast(packet) && isSame(packet, copies[0]!);
      if (copies.length > 1 && isSeries(copies, isCopy)) return copies;
    }
    const packets = cut(datagram, this.segmentSize);
    return packets.length > 1 && this.#isRun(packets) ? packets : [datagram];
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

/**
 * The number of DATA packets in a run that begins with the block at `position` and goes on with the
 * blocks that follow it; 0 if it does not.
 *
 * @param segmentSize of each packet but the last, which may be shorter.
 */
export function countRun(
  run: Uint8Array,
  segmentSize: number,
  position: number,
  rollover: Rollover,
): number {
  const count = Math.ceil(run.length / segmentSize);
  if (run.length - (count - 1) * segmentSize < DATA_HEADER) return 0;
  for (let i = 0; i < count; i += 1) {
    const at = i * segmentSize;
    const wire = toWire(position + i, rollover);
    const isNext = run[at + 2] === wire >>> 8 && run[at + 3] === (wire & 0xff);
    if (run[at] !== 0 || run[at + 1] !== Opcode.DATA || !isNext) return 0;
  }
  return count;
}

/** The payloads of a run, end to end: they are moved together, over the headers, in its own memory. */
export function joinPayloads(run: Uint8Array, segmentSize: number): Uint8Array {
  let end = Math.min(segmentSize, run.length);
  for (let at = segmentSize; at < run.length; at += segmentSize) {
    const next = Math.min(at + segmentSize, run.length);
    run.copyWithin(end, at + DATA_HEADER, next);
    end += next - at - DATA_HEADER;
  }
  return run.subarray(DATA_HEADER, end);
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
