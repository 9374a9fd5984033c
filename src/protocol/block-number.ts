/**
 * Block positions and their 16-bit form on the wire. Positions are whole numbers from 1 that never
 * wrap; this is the only file that knows how they wrap on the wire.
 */

/** The number that follows 65535 on the wire: 0 as nearly everybody does, or 1 by the rollover option. */
export type Rollover = 0 | 1;

/** The wire number of a position. Position 0 stands for "nothing received yet" and is 0 in both policies. */
export function toWire(position: number, rollover: Rollover): number {
  if (rollover === 0 || position === 0) return position % 65536;
  return ((position - 1) % 65535) + 1;
}

/**
 * How many blocks after `position` the first block with this wire number stands: 0 for the position
 * itself. Undefined if no block can carry the number (0, where 65535 is followed by 1).
 */
export function distance(position: number, wire: number, rollover: Rollover): number | undefined {
  if (rollover === 0) return (wire - (position % 65536) + 65536) % 65536;
  if (wire === 0) return position === 0 ? 0 : undefined;
  if (position === 0) return wire;
  return (wire - toWire(position, 1) + 65535) % 65535;
}

/**
 * How many blocks before `position` the last block with this wire number stands: 0 for the position
 * itself. Only for numbers that a block can carry.
 */
export function distanceBack(position: number, wire: number, rollover: Rollover): number {
  const modulus = 65536 - rollover;
  return (toWire(position, rollover) - wire + modulus) % modulus;
}
