/** What an address gets that never answers, and what a flood of requests does. Bytes are counted where they arrive. */

import dgram from 'node:dgram';
import { once } from 'node:events';
import should = require('should');
import { AbuseGuard } from '../../src/server/abuse-guard';
import { SERVER_SYSTEM } from '../../src/server/server-system';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { closeEnginesAfterEach, startServer } from '../helpers/engine';
import type { RunningServer } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import type { Place } from '../helpers/scripted-peer';
import { VirtualClock } from '../helpers/virtual-clock';
import { ack, data, error, oack, rrq, wrq } from '../helpers/wire';

const storage = new MemoryStorage([['large', Buffer.alloc(1_000_000)]]);

/** The data block that nobody asked a size for, with its header. */
const PLAIN_BLOCK = 516;

/** Many ports of 127.0.0.1 that send a request and answer nothing: victims whose addresses were forged. */
class Victims {
  packets = 0;
  bytes = 0;
  readonly #sockets: dgram.Socket[] = [];

  async bind(count: number): Promise<void> {
    this.packets = 0;
    this.bytes = 0;
    for (let n = 0; n < count; n += 1) {
      const socket = dgram.createSocket('udp4');
      socket.on('message', (bytes) => {
        this.packets += 1;
        this.bytes += bytes.length;
      });
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      this.#sockets.push(socket);
    }
  }

  send(request: Uint8Array, { port, address }: Place): void {
    for (const socket of this.#sockets) socket.send(request, port, address);
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }
}

describe('TftpServer and forged requests', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  const victims = new Victims();
  afterEach(() => victims.close());

  for (const [title, request, first] of [
    ['a read without options', rrq('large'), 'DATA 1 512 B'],
    [
      'a read with options',
      rrq('large', 'blksize', '1468', 'windowsize', '64'),
      'OACK blksize 1468 windowsize 64',
    ],
    ['a write', wrq('new'), 'ACK 0'],
    ['a write with options', wrq('new', 'blksize', '1468'), 'OACK blksize 1468'],
  ] as const) {
    it(`${title}, repeated ten times, draws three small packets`, async () => {
      const { place, record } = await startServer({ storage, timeout: 50, retries: 3 });
      const peer = await ScriptedPeer.bind();
      for (let n = 0; n < 10; n += 1) peer.send(request, place);
      let bytes = 0;
      for (let n = 0; n < 3; n += 1) {
        const heard = await peer.next();
        bytes += heard.bytes.length;
        if (n === 0) should(heard.bytes.length).be.belowOrEqual(PLAIN_BLOCK);
      }
      await record('error');
      await peer.expectSilence();
      should(bytes).be.belowOrEqual(3 * PLAIN_BLOCK);
      should(await peer.ask(request, place)).equal(first);
    });
  }

  it('an address that never answers gets a bounded number of bytes, however many requests come', async () => {
    const clock = new VirtualClock();
    const limits = { requestRate: 0, maxTransfers: 1000, maxPerHost: 100 };
    const { server, place } = await startServer(
      { storage, timeout: 1000, ...limits },
      { ...SERVER_SYSTEM, clock },
    );
    await victims.bind(300);
    for (const requests of [300, 600]) {
      victims.send(rrq('large'), place);
      await until(() => server.counters.requests === requests);
      await until(() => victims.packets >= 100);
      clock.pass(10_000);
    }
    await until(() => victims.packets >= 300);
    const budget = 100 * 3 * PLAIN_BLOCK + 20 * 8192;
    await until(() => server.transfers.length <= 100);
    should(victims.bytes).be.belowOrEqual(budget + 600 * rrq('large').length);
    should(server.counters.dropped).be.aboveOrEqual(300);
  });

  it('an address that answers is not held to that bound', async () => {
    const { place, record } = await startServer({ storage, requestRate: 0 });
    for (let n = 0; n < 150; n += 1) {
      const peer = await ScriptedPeer.bind();
      should(await peer.ask(rrq('large'), place)).equal('DATA 1 512 B');
      peer.send(error(0, 'enough'));
      await record('error');
      peer.close();
    }
  });

  it('requests over requestRate get no more bytes than they have, and are not told', async () => {
    const { place, server, records } = await startServer({ storage, requestRate: 5 });
    const peer = await ScriptedPeer.bind();
    for (let n = 0; n < 20; n += 1) {
      should(await peer.ask(rrq('none'), place)).equal('ERROR 1 File not found');
    }
    const told = records.length;
    await victims.bind(30);
    victims.send(rrq('none'), place);
    await until(() => server.counters.requests === 50);
    await until(() => server.counters.refused + server.counters.dropped === 50);
    await until(() => victims.packets === server.counters.refused - 20);
    should(victims.bytes).be.belowOrEqual(30 * rrq('none').length);
    // A second or two of a busy machine let some more through.
    should(records.length - told).be.below(2 * 15);
  });

  it('a host over requestRate is served with options, and begins to be told when it answers', async () => {
    const { place, record, records } = await startServer({ storage, requestRate: 1 });
    const peer = await ScriptedPeer.bind();
    for (let n = 0; n < 100; n += 1) await peer.ask(rrq('none'), place);
    const told = records.length;
    const request = rrq('large', 'blksize', '1468', 'windowsize', '2');
    should(await peer.ask(request, place)).equal('OACK blksize 1468 windowsize 2');
    should(records.length).equal(told);
    should(await peer.ask(ack(0))).equal('DATA 1 1468 B');
    await record(({ event, filename }) => event === 'start' && filename === 'large');
  });

  for (const transferPorts of ['any', 'single', [20_300, 20_399]] as const) {
    it(`a flood leaves running transfers alone, and newer requests are served, with transferPorts ${String(transferPorts)}`, async () => {
      const clock = new VirtualClock();
      const options = {
        storage,
        transferPorts,
        timeout: 60_000,
        requestRate: 0,
        maxTransfers: 100,
      };
      const running = await startServer(
        { ...options, maxPerHost: 1000 },
        { ...SERVER_SYSTEM, clock },
      );
      const { server, place, records } = running;
      const ended = countEnds(running);
      const runner = await ScriptedPeer.bind();
      should(await runner.ask(rrq('large'), place)).equal('DATA 1 512 B');
      should(await runner.ask(ack(1))).equal('DATA 2 512 B');
      const transfer = runner.other;

      await victims.bind(400);
      victims.send(rrq('large'), place);
      await until(() => server.counters.requests === 401 && server.transfers.length === 100);
      const newcomer = await ScriptedPeer.bind();
      newcomer.send(rrq('large'), place);
      await until(() => server.counters.requests === 402);
      await newcomer.expectSilence();
      should(server.counters).have.properties({ failed: 0, dropped: 302 });

      clock.pass(500);
      should(await newcomer.ask(rrq('large'), place)).equal('DATA 1 512 B');
      await until(() => ended() === 1);
      const evicted = records.find(({ event }) => event === 'error')!;
      should(evicted.error).have.properties({ code: 'EBUSY', expected: true });
      should(await newcomer.ask(ack(1))).equal('DATA 2 512 B');
      // Meanwhile it may have got a block again.
      runner.send(ack(2), transfer);
      while ((await runner.hear()) !== 'DATA 3 512 B');
      should(server.transfers).have.length(100);
      should(victims.bytes).be.belowOrEqual(400 * PLAIN_BLOCK);
      should(server.counters).have.properties({ failed: 0, expected: 1 });
    });
  }

  it('packets that are no request are never answered, whatever they are', async () => {
    const running = await startServer({ storage });
    const peer = await ScriptedPeer.bind();
    const strays = [data(1, 'x'), ack(0), error(5), oack('blksize', '8'), Buffer.from('junk')];
    for (const stray of strays) peer.send(stray, running.place);
    await until(() => running.server.counters.ignored === strays.length);
    await peer.expectSilence();
  });
});

describe('AbuseGuard', () => {
  const MINUTE = 60_000;

  function inAMinute(may: (now: number) => boolean): number {
    let times = 0;
    for (let now = 0; now < MINUTE; now += 1) if (may(now)) times += 1;
    return times;
  }

  it('sends a bounded number of bytes a minute to a host that never answers', () => {
    const guard = new AbuseGuard({ requestRate: 0, maxPerHost: 50 });
    const sizes = { request: 20, answer: PLAIN_BLOCK };
    let bytes = 0;
    for (let now = 0; now < MINUTE; now += 1) {
      bytes += PLAIN_BLOCK * guard.openingSends('192.0.2.1', sizes, true, now);
    }
    should(bytes).be.within(640_000, 660_000);
  });

  it('sends at most 619,200 bytes more at once than came from a host that never answers', () => {
    for (const request of [10, 300]) {
      const guard = new AbuseGuard({ requestRate: 200, maxPerHost: 400 });
      const sizes = { request, answer: PLAIN_BLOCK };
      let excess = 0;
      for (let n = 0; n < 10_000; n += 1) {
        const sends = guard.openingSends('a', sizes, guard.isWithinRate('a', 0), 0);
        if (sends > 0) excess += sends * PLAIN_BLOCK - request;
      }
      should(excess).be.within(618_000, 619_200);
    }
  });

  it('sends what is no larger than its request once for each, whatever came before', () => {
    const guard = new AbuseGuard({ requestRate: 0, maxPerHost: 50 });
    const large = { request: 20, answer: PLAIN_BLOCK };
    while (guard.openingSends('a', large, true, 0) > 0);
    should(guard.openingSends('a', { request: 300, answer: 300 }, true, 0)).equal(1);
    should(guard.openingSends('a', { request: 0, answer: 64 }, false, 0)).equal(1);
    should(guard.openingSends('a', { request: 400, answer: 516 }, true, 0)).equal(0);
    should(guard.openingSends('b', { request: 400, answer: 516 }, true, 0)).equal(3);
  });

  it('has a request over the rate answered once, and not by much', () => {
    const guard = new AbuseGuard({ requestRate: 0, maxPerHost: 50 });
    should(guard.openingSends('a', { request: 30, answer: 30 }, false, 0)).equal(1);
    should(guard.openingSends('a', { request: 30, answer: PLAIN_BLOCK }, false, 0)).equal(1);
  });

  it('explains a bounded number of refusals a minute to a host, and as many to any other', () => {
    const guard = new AbuseGuard({ requestRate: 0, maxPerHost: 50 });
    should(inAMinute((now) => guard.mayExplain('192.0.2.1', now))).be.within(3950, 4000);
    while (guard.mayExplain('192.0.2.1', MINUTE));
    for (let n = 0; n < 10_000; n += 1) {
      should(guard.mayExplain(`host ${n}`, MINUTE)).equal(true);
    }
    should(guard.mayExplain('192.0.2.1', MINUTE)).equal(false);
  });

  it('lets a burst of four seconds through, and all if there is no limit', () => {
    const guard = new AbuseGuard({ requestRate: 10, maxPerHost: 1 });
    let asked = 0;
    for (let n = 0; n < 100; n += 1) if (guard.isWithinRate('a', 0)) asked += 1;
    should(asked).equal(40);
    const free = new AbuseGuard({ requestRate: 0, maxPerHost: 1 });
    should(inAMinute((now) => free.isWithinRate('a', now))).equal(MINUTE);
  });

  it('looks at eight requests over the rate at the same time', () => {
    const guard = new AbuseGuard({ requestRate: 1, maxPerHost: 1 });
    for (let n = 0; n < 8; n += 1) should(guard.beginExtra('a')).equal(true);
    should(guard.beginExtra('a')).equal(false);
    should(guard.beginExtra('b')).equal(true);
    guard.endExtra('a');
    should(guard.beginExtra('a')).equal(true);
  });

  it('trusts a host again that has answered', () => {
    const guard = new AbuseGuard({ requestRate: 0, maxPerHost: 200 });
    const sizes = { request: 0, answer: PLAIN_BLOCK };
    let begun = 0;
    while (guard.openingSends('a', sizes, true, 0) === 3) begun += 1;
    should(begun).equal(200);
    guard.answered('a');
    should(guard.openingSends('a', sizes, true, 0)).equal(3);
  });
});

/** How many transfers have ended so far. */
function countEnds({ server }: RunningServer): () => number {
  let ended = 0;
  server.on('transfer', ({ event }) => {
    if (event === 'error') ended += 1;
  });
  return () => ended;
}

/** Resolves when something is so that packets or timers of the server make so. */
function until(isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => (isSo() ? resolve() : void setTimeout(look, 5));
    look();
  });
}
