/** Whatever ends a transfer of a node, the flow hears of it once: in real Node-RED. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should = require('should');
import { TftpClient } from '../../src/client/client';
import { missing } from '../helpers/requirements';
import { ScriptedPeer, closePeersAfterEach, freePort } from '../helpers/scripted-peer';
import { rrq } from '../helpers/wire';
import { NODE_RED_RELEASES, NodeRedRuntime, nodeFor } from './node-red-runtime';
import { PackedPackage } from './packed-package';

/** Transfers of each of the two nodes. */
const EACH = 25;

interface FlowNode {
  readonly id: string;
  readonly [property: string]: unknown;
}

const say = (id: string, text: string): FlowNode => ({
  ...{ id, type: 'function', z: 't', x: 0, y: 0, outputs: 1, wires: [[]] },
  func: `node.warn('SAY ' + ${text}); return null;`,
});

/** A server whose clients never answer, a get of devices that never answer, and who hears of them. */
function flows(
  { port, silent, root }: { port: number; silent: number; root: string },
  own: { retries?: string; d?: boolean; note?: string } = {},
): FlowNode[] {
  const { retries = '6', d, note = '' } = own;
  const node = { z: 't', x: 0, y: 0, retries, ...(d && { d }) };
  const told = "msg.payload.id + ' ' + (msg.payload.error || {}).code";
  return [
    { id: 't', type: 'tab', label: 'T' },
    {
      ...{ ...node, id: 's', type: 'tftp-server', address: '127.0.0.1', port: String(port), root },
      ...{ writes: 'folder', overwrite: 'replace', wires: [[], ['e']] },
    },
    {
      ...{ ...node, id: 'g', type: 'tftp-get', host: '127.0.0.1', port: String(silent) },
      ...{ filename: '', concurrency: '50', wires: [[], ['e']] },
    },
    { id: 'i', type: 'inject', z: 't', x: 0, y: 0, props: [], wires: [['m']] },
    {
      ...{ id: 'm', type: 'function', z: 't', x: 0, y: 0, outputs: 1, wires: [['g']] },
      func: `for (let i = 0; i < ${EACH}; i++) node.send({ filename: 'f' + i }); return null;`,
    },
    say('e', `'event ' + msg.event + ' ' + ${told}`),
    { id: 'c', type: 'catch', z: 't', x: 0, y: 0, scope: ['s', 'g'], wires: [['k']] },
    say('k', `'catch ' + ${told} + ' ' + msg.error.message`),
    { id: 'l', type: 'status', z: 't', x: 0, y: 0, scope: ['s'], wires: [['v']] },
    say('v', "'status ' + msg.status.text"),
    { id: 'x', type: 'comment', z: 't', x: 0, y: 0, name: note, info: '', wires: [] },
  ];
}

/** What has been told, as lists of ids. */
function toldIn(log: string): { starts: string[]; endings: string[]; caught: string[] } {
  const ids = (pattern: RegExp): string[] => [...log.matchAll(pattern)].map(([, id]) => id!);
  return {
    starts: ids(/SAY event start (\S+)/g),
    endings: ids(/SAY event (?:error|complete) (\S+) ECANCELED/g),
    caught: ids(/SAY catch (\S+) ECANCELED The (?:server was stopped|transfer was cancelled)/g),
  };
}

for (const release of NODE_RED_RELEASES) {
  describe(`transfers that Node-RED ends, in ${release.title}`, () => {
    closePeersAfterEach();
    let installed: PackedPackage | undefined;
    let runtime: NodeRedRuntime | undefined;
    let place: { port: number; silent: number; root: string };
    let node: string;

    before(async function () {
      const found = nodeFor(release);
      if (found === undefined) {
        missing(
          this,
          `${release.title} needs Node.js ${release.node.join('.')}: name one in TFTP_NODE_24`,
        );
      }
      node = found;
      installed = await PackedPackage.install();
    });

    beforeEach(async () => {
      const root = mkdtempSync(path.join(tmpdir(), 'tftp-endings-'));
      writeFileSync(path.join(root, 'firmware.bin'), Buffer.alloc(1_000_000));
      const silent = await ScriptedPeer.bind();
      place = { port: await freePort(), silent: silent.port, root };
      writeFileSync(
        path.join(installed!.userDirectory, 'flows.json'),
        JSON.stringify(flows(place)),
      );
      runtime = await NodeRedRuntime.start(release, node, installed!.userDirectory);
    });

    afterEach(async () => {
      await runtime?.stop();
      rmSync(place.root, { recursive: true });
    });

    after(() => installed?.remove());

    /**
     * Begins 50 transfers, once the server listens.
     *
     * @param after where in the log to look for that.
     * @returns the devices that read, where in the log the transfers begin, and their ids.
     */
    async function begin(after = 0): Promise<{
      devices: ScriptedPeer[];
      from: number;
      ids: string[];
    }> {
      const listens = `SAY status :${place.port}\n`;
      await runtime!.logs((log) => log.includes(listens), after, 'that the server listens');
      const from = runtime!.log.length;
      const devices = await Promise.all(Array.from({ length: EACH }, () => ScriptedPeer.bind()));
      for (const device of devices) {
        device.send(rrq('firmware.bin'), { address: '127.0.0.1', port: place.port });
      }
      await runtime!.inject('i');
      const all = 2 * EACH;
      await runtime!.logs((log) => toldIn(log).starts.length === all, from, `${all} starts`);
      return { devices, from, ids: toldIn(runtime!.log.slice(from)).starts.sort() };
    }

    async function eachEndsOnce(from: number, ids: readonly string[]): Promise<void> {
      const all = (log: string): boolean => {
        const { endings, caught } = toldIn(log);
        return endings.length >= ids.length && caught.length >= ids.length;
      };
      await runtime!.logs(all, from, `${ids.length} endings, and as many errors`);
      const { endings, caught } = toldIn(runtime!.log.slice(from));
      should(endings.sort()).eql(ids);
      should(caught.sort()).eql(ids);
    }

    async function devicesHear(devices: readonly ScriptedPeer[]): Promise<void> {
      for (const device of devices) {
        let heard = await device.hear();
        while (heard.startsWith('DATA')) heard = await device.hear();
        should(heard).equal('ERROR 0 The server was stopped');
      }
    }

    for (const kind of ['full', 'flows', 'nodes'] as const) {
      it(`by a deploy of the kind "${kind}" are told when the nodes run again`, async () => {
        const { devices, from, ids } = await begin();
        await runtime!.deploy(flows(place, { retries: '5' }), kind);
        await eachEndsOnce(from, ids);
        await devicesHear(devices);
        const next = await begin(from);
        await runtime!.deploy(flows(place, { retries: '4' }), kind);
        await eachEndsOnce(next.from, next.ids);
      });
    }

    for (const [what, changed] of [
      ['deleted', () => flows(place).filter(({ id }) => id !== 's' && id !== 'g')],
      ['disabled', () => flows(place, { d: true })],
    ] as const) {
      it(`because their nodes are ${what} are told at once, and never again`, async () => {
        const { devices, from, ids } = await begin();
        await runtime!.deploy(changed(), 'nodes');
        await eachEndsOnce(from, ids);
        await devicesHear(devices);
        const restored = runtime!.log.length;
        await runtime!.deploy(flows(place), 'nodes');
        const next = await begin(restored);
        should(next.ids.filter((id) => ids.includes(id))).be.empty();
        should(toldIn(runtime!.log.slice(next.from)).endings).be.empty();
      });
    }

    it('do not end by a deploy that leaves their nodes alone', async () => {
      const { from } = await begin();
      await runtime!.deploy(flows(place, { note: 'new' }), 'nodes');
      await runtime!.logs((log) => /Started modified nodes/.test(log), from, 'that it is done');
      should(toldIn(runtime!.log.slice(from)).endings).be.empty();
    });

    it('by its own end stand in the log', async () => {
      const { devices } = await begin();
      await runtime!.stop();
      const [server, get] = ['tftp-server:s', 'tftp-get:g'].map((name) =>
        runtime!.log.match(new RegExp(`\\[${name}\\] Transfers that ended.*: ${EACH} \\(`)),
      );
      should(server).not.be.null();
      should(get).not.be.null();
      await devicesHear(devices);
    });

    it('by kill -9 leave every upload that was acknowledged on the disk', async () => {
      for (let round = 0; round < 3; round += 1) {
        const done = new Map<string, Buffer>();
        const client = new TftpClient({ host: '127.0.0.1', port: place.port, retries: 0 });
        const killed = new AbortController();
        const upload = async (device: number): Promise<void> => {
          for (let number = 0; !killed.signal.aborted; number += 1) {
            const name = `${round}-${device}-${number}.bin`;
            const content = Buffer.alloc(20_000 + 3000 * number, name);
            const put = client.put(content, name, { timeout: 200 });
            const isStored = await put.then(
              () => true,
              () => false,
            );
            if (isStored) done.set(name, content);
          }
        };
        const uploads = Promise.all(Array.from({ length: 8 }, (_, device) => upload(device)));
        while (done.size < 40) await new Promise(setImmediate);
        await runtime!.kill();
        killed.abort();
        await uploads;
        client.close();
        for (const [name, content] of done) {
          should(readFileSync(path.join(place.root, name)).equals(content)).equal(true, name);
        }
        runtime = await NodeRedRuntime.start(release, node, installed!.userDirectory);
      }
    });
  });
}
