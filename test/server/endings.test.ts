/** Each transfer that has begun ends once, whatever happens to it, and all that a server tells agrees. */

import should = require('should');
import { isLast } from '../../src/net/transfer-record';
import type { TransferRecord } from '../../src/net/transfer-record';
import { SERVER_SYSTEM } from '../../src/server/server-system';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { closeEnginesAfterEach, startServer } from '../helpers/engine';
import type { RunningServer } from '../helpers/engine';
import { seededRandom } from '../helpers/random';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { VirtualClock } from '../helpers/virtual-clock';
import { ack, data, error, rrq, wrq } from '../helpers/wire';

const PEERS = 6;
const STEPS = 150;

const REQUESTS = [
  rrq('large'),
  rrq('large', 'blksize', '1024', 'windowsize', '4'),
  rrq('large', 'tsize', '0'),
  rrq('small'),
  rrq('missing'),
  wrq('up'),
  wrq('up', 'blksize', '1024'),
];
const PACKETS = [
  ack(0),
  ack(1),
  ack(2),
  data(1, 'x'),
  data(1, 'x'.repeat(512)),
  error(0),
  error(8),
];

/** What was told of each id. */
function told(records: readonly TransferRecord[]): Map<string, TransferRecord[]> {
  const stories = new Map<string, TransferRecord[]>();
  for (const record of records) {
    stories.set(record.id, [...(stories.get(record.id) ?? []), record]);
  }
  return stories;
}

/** Lets what has been sent arrive, and what it began come to rest. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
}

for (const transferPorts of ['any', 'single', [20_600, 20_604]] as const) {
  for (const worker of [false, true]) {
    describe(`TftpServer, the ends of its transfers, with transferPorts ${String(transferPorts)}${worker ? ' and a worker' : ''}`, () => {
      closePeersAfterEach();
      closeEnginesAfterEach();

      for (const seed of [1, 2, 3, 4]) {
        it(`tells each start and one end of it (seed ${seed})`, async () => {
          const random = seededRandom(seed);
          const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
          const clock = new VirtualClock();
          const storage = new MemoryStorage([
            ['large', Buffer.alloc(20_000)],
            ['small', Buffer.from('small')],
          ]);
          const limits = { maxTransfers: 5, requestRate: 20, retries: 1, progressInterval: 500 };
          const running = await startServer(
            { storage, transferPorts, worker, timeout: 1000, ...limits },
            { ...SERVER_SYSTEM, clock },
          );
          const { server, place, records } = running;
          const peers = await Promise.all(Array.from({ length: PEERS }, () => ScriptedPeer.bind()));
          for (let step = 0; step < STEPS; step += 1) {
            const peer = pick(peers);
            const chance = random();
            if (chance < 0.35) peer.send(pick(REQUESTS), place);
            else if (chance < 0.75) peer.send(pick(PACKETS), await lastPlace(peer, running));
            else if (chance < 0.93) clock.pass(pick([10, 300, 600, 1000, 5000, 20_000]));
            else if (chance < 0.95) server.abortAll({ host: '127.0.0.1' });
            else if (chance < 0.97) server.abort(server.transfers[0]?.id ?? '');
            else if (chance < 0.985) server.pause();
            else server.resume();
            if (step % 10 === 0) await settle();
          }
          await settle();
          await compareWithTransfers(running, clock);
          const closed = server.close();
          await settle();
          clock.pass(10_000);
          await closed;
          await settle();
          const stories = [...told(records).values()];
          should(stories.length).be.above(5);
          for (const story of stories) {
            should(story[0]!.event).equal('start');
            should(story.filter(({ event }) => event === 'start')).have.length(1);
            should(story.filter(isLast)).have.length(1);
            should(isLast(story.at(-1)!)).equal(true);
          }
          const { completed, failed, expected, probes } = server.counters;
          should(completed + failed + expected + probes).equal(stories.length);
          should(server.transfers).eql([]);
        });
      }
    });
  }
}

/** Where a peer has heard from last, or the listening port. */
async function lastPlace(peer: ScriptedPeer, { place }: RunningServer) {
  await settle();
  return peer.lastHeard ?? place;
}

/** What `transfers` lists is what has begun and not ended. */
async function compareWithTransfers({ server, records }: RunningServer, clock: VirtualClock) {
  clock.pass(1);
  await settle();
  const open = [...told(records).values()].filter((story) => !story.some(isLast));
  const ids = (list: readonly TransferRecord[]): string[] => list.map(({ id }) => id).sort();
  should(ids(server.transfers)).eql(ids(open.map(([first]) => first!)));
}
