import should = require('should');
import { UdpSocket } from '../../src/net/datagram-socket';
import type { DatagramSocket, SocketListener } from '../../src/net/datagram-socket';
import { SocketPool } from '../../src/net/socket-pool';
import { peerName } from '../../src/transfer/peer-lock';
import { failureOf } from '../helpers/engine';
import { FakeClock } from '../helpers/fake-clock';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ON_LINUX, skipUnless } from '../helpers/skip';
import { ack, data, error } from '../helpers/wire';

/** What a share has heard, line by line. */
class Hearer implements SocketListener {
  readonly #lines: string[] = [];
  #wake: (() => void) | undefined;

  message(datagram: Uint8Array): void {
    this.#hear(Buffer.from(datagram).toString('hex'));
  }

  unreachable(): void {
    this.#hear('unreachable');
  }

  failed({ message }: Error): void {
    this.#hear(message);
  }

  async next(): Promise<string> {
    if (this.#lines.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#lines.shift()!;
  }

  #hear(line: string): void {
    this.#lines.push(line);
    this.#wake?.();
  }
}

const datagram = (bytes: Uint8Array) => ({ datagrams: bytes, segmentSize: bytes.length });

describe('SocketPool', () => {
  closePeersAfterEach();
  let clock: FakeClock;
  let pool: SocketPool;
  const open: DatagramSocket[] = [];

  beforeEach(() => {
    clock = new FakeClock();
    pool = new SocketPool(clock, (at) => UdpSocket.bind({ ...at, port: 0 }));
  });

  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
    pool.close();
  });

  async function share(peer: ScriptedPeer, hearer = new Hearer()): Promise<DatagramSocket> {
    const socket = await pool.open('127.0.0.1', peer);
    socket.listen(hearer);
    open.push(socket);
    return socket;
  }

  it('lets transfers with different peers speak from one port, and tells them apart', async () => {
    const crowd = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const [peer, hearer] = [await ScriptedPeer.bind(), new Hearer()];
        return { peer, hearer };
      }),
    );
    const [first, ...others] = crowd;
    const { local } = await share(first!.peer, first!.hearer);
    for (const { peer, hearer } of others) {
      should((await share(peer, hearer)).local).eql(local);
    }
    for (const [i, { peer }] of crowd.entries()) peer.send(ack(i), local);
    for (const [i, { hearer }] of crowd.entries()) {
      should(await hearer.next()).equal(ack(i).toString('hex'));
    }
  });

  it('answers a crowd at once, each with what is for it, long and short', async () => {
    const peers = await Promise.all(Array.from({ length: 70 }, () => ScriptedPeer.bind()));
    const texts = peers.map((_, i) => 'x'.repeat((i * 37) % 1400));
    let socket: DatagramSocket | undefined;
    for (const [i, peer] of peers.entries()) {
      const own = await pool.open('127.0.0.1', peer);
      open.push(own);
      own.listen({
        message: () => own.send(datagram(data(i, texts[i])), peer),
        unreachable: () => undefined,
        failed: () => undefined,
      });
      socket = own;
      peer.send(ack(0), own.local);
    }
    for (const [i, peer] of peers.entries()) {
      should(Buffer.from((await peer.next()).bytes).equals(data(i, texts[i]))).equal(true);
    }
    should(socket!.local.port).be.above(0);
  });

  it('cuts what one transfer sends in windows, and leaves whole what others send', async () => {
    const [windows, whole] = [await ScriptedPeer.bind(), await ScriptedPeer.bind()];
    const sender = await share(windows);
    const other = await share(whole);
    should(other.local).eql(sender.local);
    const window = Buffer.concat([data(1, 'a'.repeat(8)), data(2, 'b'.repeat(8)), data(3, 'c')]);
    sender.send({ datagrams: window, segmentSize: 12 }, windows);
    other.send(datagram(data(1, 'd'.repeat(1000))), whole);
    sender.send(datagram(error(0, 'longer than a block')), windows);
    for (const block of ['DATA 1 8 B', 'DATA 2 8 B', 'DATA 3 1 B', 'ERROR 0 longer than a block']) {
      should(await windows.hear()).equal(block);
    }
    should(await whole.hear()).equal('DATA 1 1000 B');
  });

  it('sends to a crowd in order: a block, and then the rest of its window', async () => {
    const [windows, other] = [await ScriptedPeer.bind(), await ScriptedPeer.bind()];
    await share(other);
    const own = await pool.open('127.0.0.1', windows);
    open.push(own);
    const rest = Buffer.concat([data(2, 'b'.repeat(8)), data(3, 'c'.repeat(8))]);
    own.listen({
      message() {
        own.send(datagram(data(1, 'a'.repeat(8))), windows);
        own.send({ datagrams: rest, segmentSize: 12 }, windows);
        own.send(datagram(data(4, 'd')), windows);
      },
      unreachable: () => undefined,
      failed: () => undefined,
    });
    for (const round of [1, 2]) {
      windows.send(ack(round), own.local);
      for (const block of ['DATA 1 8 B', 'DATA 2 8 B', 'DATA 3 8 B', 'DATA 4 1 B']) {
        should(await windows.hear()).equal(block);
      }
    }
  });

  it('never serves the same address and port of a peer from one port twice', async () => {
    const peer = await ScriptedPeer.bind();
    const first = await share(peer);
    first.close();
    const second = await share(peer);
    should(second.local.port).not.equal(first.local.port);
    const other = await ScriptedPeer.bind();
    should([first.local.port, second.local.port]).containEql((await share(other)).local.port);
  });

  it('opens another port for each crowd of 64', async () => {
    const ports = new Map<number, number>();
    for (let i = 0; i < 130; i += 1) {
      const { port } = (await share(await ScriptedPeer.bind())).local;
      ports.set(port, (ports.get(port) ?? 0) + 1);
    }
    should([...ports.values()]).eql([64, 64, 2]);
  });

  it('opens one port for those who come at once', async () => {
    const peers = await Promise.all(Array.from({ length: 30 }, () => ScriptedPeer.bind()));
    const sockets = await Promise.all(peers.map((peer) => share(peer)));
    should(new Set(sockets.map(({ local }) => local.port)).size).equal(1);
  });

  it('goes on after a port that cannot be opened', async () => {
    const peer = await ScriptedPeer.bind();
    const at = { address: peer.address, port: peer.port };
    const failures = [pool.open('192.0.2.1', at), pool.open('192.0.2.1', at)].map(failureOf);
    for (const { code } of await Promise.all(failures)) should(code).equal('EADDRNOTAVAIL');
    should((await share(peer)).local.address).equal('127.0.0.1');
  });

  it('tells a stranger once that it is unknown, and never answers an ERROR', async () => {
    const { local } = await share(await ScriptedPeer.bind());
    const stranger = await ScriptedPeer.bind();
    stranger.send(error(0, 'no'), local);
    stranger.send(Buffer.from('junk'), local);
    should(await stranger.ask(ack(1), local)).equal('ERROR 5 Unknown transfer ID');
    const witness = await ScriptedPeer.bind();
    stranger.send(ack(2), local);
    should(await witness.ask(ack(1), local)).equal('ERROR 5 Unknown transfer ID');
    await stranger.expectSilence();
  });

  it('says nothing to a peer whose transfer has ended', async () => {
    const peer = await ScriptedPeer.bind();
    const socket = await share(peer);
    await share(await ScriptedPeer.bind());
    socket.close();
    peer.send(ack(1), socket.local);
    const witness = await ScriptedPeer.bind();
    should(await witness.ask(ack(1), socket.local)).equal('ERROR 5 Unknown transfer ID');
    await peer.expectSilence();
  });

  it('tells a transfer, and no other, that its peer is gone', async function () {
    skipUnless(this, ON_LINUX, 'only Linux tells');
    const [gone, there] = [await ScriptedPeer.bind(), await ScriptedPeer.bind()];
    const [ofGone, ofThere] = [new Hearer(), new Hearer()];
    const socket = await share(gone, ofGone);
    const other = await share(there, ofThere);
    const place = { address: gone.address, port: gone.port };
    socket.watch(place);
    gone.close();
    socket.send(datagram(data(1, 'x')), place);
    should(await ofGone.next()).equal('unreachable');
    there.send(ack(7), other.local);
    should(await ofThere.next()).equal(ack(7).toString('hex'));
  });

  it('still hears a peer that it watches', async () => {
    const [peer, hearer] = [await ScriptedPeer.bind(), new Hearer()];
    const socket = await share(peer, hearer);
    socket.watch(peer);
    peer.send(ack(3), socket.local);
    should(await hearer.next()).equal(ack(3).toString('hex'));
  });

  it('closes a port that nobody has used for a while', async () => {
    const socket = await share(await ScriptedPeer.bind());
    const { port } = socket.local;
    socket.close();
    should(clock.waits).eql([10_000, 10_000]); // from its opening on, and from its last transfer on
    clock.fire();
    const successor = await ScriptedPeer.bind({ port });
    should(peerName(successor)).equal(`127.0.0.1:${port}`);
  });

  it('closes at once when it is closed itself, but for transfers that go on', async () => {
    const [idle, busy] = [await ScriptedPeer.bind(), await ScriptedPeer.bind()];
    const first = await share(idle);
    first.close();
    const second = await share(idle);
    const hearer = new Hearer();
    const third = await share(busy, hearer);
    should(third.local).eql(first.local);
    pool.close();
    busy.send(ack(1), third.local);
    should(await hearer.next()).equal(ack(1).toString('hex'));
    third.close();
    second.close();
    for (const { port } of [first.local, second.local]) await ScriptedPeer.bind({ port });
  });
});
