import should = require('should');
import { RedTftpServer } from '../helpers/red-tftp-server';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import type { Place } from '../helpers/scripted-peer';
import { ack, rrq } from '../helpers/wire';
import { TestFolders, content } from './test-files';

const READERS = 30;
const STALLED = 20;
const BLOCKS = 300;

/** Reads a file in lock-step, and tells all that is no block of it. */
async function read(server: Place): Promise<string[]> {
  const reader = await ScriptedPeer.bind();
  const odd: string[] = [];
  reader.send(rrq('f'), server);
  for (let block = 1; block <= BLOCKS;) {
    const heard = await reader.hear();
    if (heard.startsWith(`DATA ${block} `)) {
      reader.send(ack(block));
      block += 1;
    } else if (!heard.startsWith(`DATA ${block - 1} `)) {
      odd.push(heard);
    }
  }
  return odd;
}

/** Asks, acknowledges some blocks, and falls silent; again and again, each time from another port. */
async function stall(server: Place, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const client = await ScriptedPeer.bind();
    client.send(rrq('f'), server);
    for (const block of [1, 2, 3]) {
      await client.hear();
      client.send(ack(block));
    }
    // The fourth block, and its repetition.
    await client.hear();
    await client.hear();
  }
}

/** In processes of their own, so that packets come at any moment. */
describe('clients that stall beside others', () => {
  closePeersAfterEach();
  let folders: TestFolders;

  before(() => {
    folders = new TestFolders();
    folders.serve('f', content(BLOCKS * 512 - 1));
  });
  after(() => folders.remove());

  for (const flags of [[], ['--single-port']]) {
    it(`disturb nobody ${flags.join(' ')}`, async () => {
      const quick = ['--timeout', '0.03', '--retries', '2', ...flags];
      const server = await RedTftpServer.start(folders.server, { flags: quick });
      const place = { address: '127.0.0.1', port: server.port };
      let over = false;
      const stalled = Array.from({ length: STALLED }, () => stall(place, () => over));
      const ended = Promise.allSettled(stalled);
      try {
        for (let round = 0; round < 4; round += 1) {
          const odd = await Promise.all(Array.from({ length: READERS }, () => read(place)));
          should(odd.flat()).eql([]);
        }
      } finally {
        over = true;
        await ended;
        await server.stop();
      }
    });
  }
});
