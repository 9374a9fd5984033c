import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import { parseServerConfig } from '../../src/node-red/node-config';
import { ServerNode } from '../../src/node-red/server-node';
import { FakeClock } from '../helpers/fake-clock';
import { NetworkNamespace } from '../helpers/network-namespace';
import { ROOT, run, succeeded } from '../helpers/program';
import { freePort, ScriptedPeer } from '../helpers/scripted-peer';
import { skipUnless } from '../helpers/skip';
import type { Worker } from 'node:worker_threads';
import type { NodeStatus } from 'node-red';
import type { TftpError } from '../../src/protocol/errors';
import type { ServerNodeOutlet } from '../../src/node-red/server-node';

describe('ServerNode', () => {
  let folder: string;
  let node: ServerNode;
  let clock: FakeClock;
  let errors: TftpError[];
  let statuses: NodeStatus[];
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tftp-node-'));
    clock = new FakeClock();
    errors = [];
    statuses = [];
  });
  afterEach(async () => {
    await node.close(false);
    await rm(folder, { recursive: true });
  });

  function start(settings: object): void {
    const outlet: ServerNodeOutlet = {
      id: 'node',
      type: 'tftp-server',
      status: (status) => statuses.push(status as NodeStatus),
      send: () => undefined,
      debug: () => undefined,
      log: () => undefined,
      warn: () => undefined,
      error: (error) => errors.push(error as TftpError),
    };
    const red = { _: (key: string) => key, settings: {} };
    node = new ServerNode(red, outlet, parseServerConfig({ root: folder, ...settings }), clock);
    node.start();
  }

  for (const [why, settings, code, status] of [
    ['its folder', { root: path.join(tmpdir(), 'tftp-none') }, 'ENOFILE', 'ENOFILE'],
    ['its address', { address: '192.0.2.1' }, 'EADDRNOTAVAIL', 'EADDRNOTAVAIL'],
  ] as const) {
    it(`tells once that ${why} is missing, and tries again every three seconds`, async () => {
      start({ address: '127.0.0.1', port: 0, ...settings });
      for (let attempt = 1; attempt <= 3; attempt++) await clock.fireAndWait();
      should(clock.waits).eql([0, 3000, 3000, 3000]);
      should(errors.map((error) => error.code)).eql([code]);
      should(statuses.map(({ fill, text }) => [fill, text?.split('.').at(-1)])).eql([
        ['red', status],
      ]);
    });
  }

  it('tells the way out of a port in use, and starts when it is free', async () => {
    const port = await freePort();
    const other = await ScriptedPeer.bind({ port });
    start({ address: '127.0.0.1', port });
    for (let attempt = 1; attempt <= 8; attempt += 1) await clock.fireAndWait();
    should(clock.waits).eql([0, 50, 100, 200, 400, 800, 1600, 3000, 3000]);
    should(errors[0]!.message).match(/in use by another .* choose another port$/);
    other.close();
    clock.fire();
    while (node.report.state !== 'listening') await new Promise(setImmediate);
    should(errors).have.length(1);
  });

  it('tries again if its worker keeps ending', async () => {
    const workers: Worker[] = [];
    const kill = (worker: Worker): void => {
      if (workers.push(worker) <= 4) worker.once('online', () => void worker.terminate());
    };
    process.on('worker', kill);
    try {
      start({ address: '127.0.0.1', port: await freePort(), worker: true });
      clock.fire();
      const listens = (): boolean => node.report.state === 'listening';
      while (workers.length <= 4 || !listens()) {
        if (clock.waiting) clock.fire();
        await new Promise(setImmediate);
      }
      should(errors.map(({ code }) => code)).matchEach('EIO');
    } finally {
      process.off('worker', kill);
    }
  });

  it('starts without a redeploy when its address appears', async function () {
    const network = await NetworkNamespace.create();
    start({ port: 0, address: '127.0.0.1' });
    skipUnless(this, network !== undefined, 'no rights for a network of its own');
    try {
      const script = `
        const { execFileSync } = require('node:child_process');
        const { ServerNode } = require('./dist/src/node-red/server-node');
        const { parseServerConfig } = require('./dist/src/node-red/node-config');
        const { FakeClock } = require('./dist/test/helpers/fake-clock');
        const clock = new FakeClock();
        const outlet = { status() {}, send() {}, debug() {}, error: ({ code }) => console.log(code) };
        const settings = { root: ${JSON.stringify(folder)}, address: '10.9.0.1', port: 6969 };
        const red = { _: (key) => key, settings: {} };
        const node = new ServerNode(red, outlet, parseServerConfig(settings), clock);
        node.start();
        (async () => {
          await clock.fireAndWait();
          await clock.fireAndWait();
          execFileSync('ip', ['address', 'add', '10.9.0.1/24', 'dev', 'lo']);
          clock.fire();
          while (node.report.state !== 'listening') await new Promise(setImmediate);
          console.log('listening');
          await node.close(false);
        })();
      `;
      const [ip, ...words] = [...network!.through, process.execPath, '-e', script];
      const { stdout } = succeeded(await run(ip, words, { cwd: ROOT }));
      should(stdout.toString()).equal('EADDRNOTAVAIL\nlistening\n');
    } finally {
      await network!.remove();
    }
  });
});
