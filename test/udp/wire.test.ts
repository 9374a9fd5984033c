import should = require('should');
import { runScript } from '../helpers/child';
import { closeEnginesAfterEach } from '../helpers/engine';
import { LONG } from '../helpers/offload-scenes';
import { closePeersAfterEach } from '../helpers/scripted-peer';
import { HAS_IPV6, skipWithoutOffload } from '../helpers/skip';
import { transcriptsOf } from '../helpers/wire-transcript';
import type { Transcript, WireCase } from '../helpers/wire-transcript';

/** The sizes at which a window or a block begins or ends, and a long file. */
function sizes(blksize: number, windowsize: number, long: number): number[] {
  const window = blksize * windowsize;
  const edges = [window - 1, window, window + 1, 2 * window];
  return [...new Set([0, 1, blksize - 1, blksize, ...edges, long])];
}

const CASES: readonly WireCase[] = [
  // More blocks than the kernel cuts at once, more bytes, and blocks of which no two fit in one piece.
  ...(
    [
      [512, 1, 5_000],
      [8, 4, 5_000],
      [512, 16, LONG],
      [512, 100, LONG],
      [1428, 16, LONG],
      [1428, 64, LONG],
      [16_384, 5, LONG],
      [32_600, 3, LONG],
      [65_464, 2, LONG],
    ] as const
  ).flatMap(([blksize, windowsize, long]) =>
    (['read', 'put'] as const).flatMap((operation) =>
      sizes(blksize, windowsize, long).map((size) => ({ operation, blksize, windowsize, size })),
    ),
  ),
  ...(['read', 'put'] as const).flatMap((operation) => [
    ...[0, 1, 9, 15].flatMap((kept) =>
      [0, 1, 12].map((window) => {
        const lost = { window, kept };
        return { operation, blksize: 1428, windowsize: 16, size: LONG, lost };
      }),
    ),
    { operation, blksize: 8, windowsize: 4, size: 500, endsIn: 0 },
    { operation, blksize: 8, windowsize: 4, size: 500, endsIn: 2 },
    { operation, blksize: 1428, windowsize: 16, size: LONG, endsIn: 11 },
    ...(HAS_IPV6 ? [{ operation, blksize: 1428, windowsize: 16, size: LONG, address: '::1' }] : []),
  ]),
  { operation: 'read', blksize: 1428, windowsize: 16, size: LONG, singlePort: true },
];

function titleOf({
  operation,
  blksize,
  windowsize,
  size,
  lost,
  endsIn,
  ...more
}: WireCase): string {
  const who = operation === 'read' ? 'a server' : 'a client';
  const what = `${size} bytes in ${windowsize} × ${blksize}`;
  const loss = lost ? `, ${lost.kept} blocks of window ${lost.window} arrive` : '';
  const end = endsIn === undefined ? '' : `, given up in window ${endsIn}`;
  const where = `${more.address ? `, ${more.address}` : ''}${more.singlePort ? ', single port' : ''}`;
  return `${who}, ${what}${loss}${end}${where}`;
}

/** Whether a window goes to the kernel in one piece: there must be one. */
function offloads({ blksize, windowsize, size }: WireCase): boolean {
  return windowsize > 1 && size > blksize && blksize < 65_000 / 2;
}

describe('segmentation offload leaves the bytes on the wire as they are', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  let plain: readonly Transcript[];

  before(async function () {
    skipWithoutOffload(this);
    this.timeout(60_000);
    const play = `helper('wire-transcript').transcriptsOf(${JSON.stringify(CASES)})`;
    const script = `${play}.then((all) => console.log(JSON.stringify(all)))`;
    const run = { timeout: 60_000, env: { TFTP_OFFLOAD: 'off' } };
    const { stdout, stderr } = await runScript(script, run);
    should(stderr).equal('');
    plain = JSON.parse(stdout);
  });

  for (const [index, wireCase] of CASES.entries()) {
    it(titleOf(wireCase), async () => {
      const [found] = await transcriptsOf([wireCase]);
      const expected = plain[index]!;
      should(found!.heard).deepEqual(expected.heard);
      should(expected).have.properties({ offload: null });
      should(found).have.properties({ offload: offloads(wireCase) || null });
      const ending = wireCase.endsIn === undefined ? 'complete' : 'error';
      for (const { outcome, right } of [found!, expected]) {
        should({ outcome, right }).eql({ outcome: ending, right: ending === 'complete' });
      }
    });
  }
});
