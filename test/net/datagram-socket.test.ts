import should = require('should');
import { UdpSocket } from '../../src/net/datagram-socket';
import type { BindOptions } from '../../src/net/datagram-socket';
import type { TftpError } from '../../src/protocol/errors';
import type { Peer } from '../../src/transfer/peer-lock';
import { runScript } from '../helpers/child';
import { failureOf, gate } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ON_LINUX, skipUnless } from '../helpers/skip';

describe('UdpSocket', () => {
  closePeersAfterEach();
  const sockets: UdpSocket[] = [];
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });

  async function bind(options: Partial<BindOptions> = {}): Promise<UdpSocket> {
    const socket = await UdpSocket.bind({
      address: '127.0.0.1',
      port: 0,
      watchable: false,
      ...options,
    });
    sockets.push(socket);
    return socket;
  }

  describe('bind', () => {
    for (const watchable of [false, true]) {
      it(`says that a port is in use (watchable: ${watchable})`, async () => {
        const { port } = (await bind({ watchable })).local;
        const failure = await failureOf(bind({ port, watchable }));
        should(failure).have.properties({ code: 'EADDRINUSE', name: 'LocalError' });
        should(failure.message).match(
          new RegExp(`^127.0.0.1:${port} is in use by .*choose another port$`),
        );
      });
    }

    it('says that an address is not of this machine', async () => {
      const failure = await failureOf(bind({ address: '192.0.2.1' }));
      should(failure.code).equal('EADDRNOTAVAIL');
      should(failure.message).match(
        /^192\.0\.2\.1:0 is no address of this machine: choose another/,
      );
    });

    it('fails with an error of ours for what is no address at all', async () => {
      should((await failureOf(bind({ address: 'nonsense' }))).message).match(/^nonsense:0 /);
    });

    it('says how to get a port below 1024', async function () {
      skipUnless(this, process.getuid?.() === 0, 'only root can become a user without rights');
      const { stdout, stderr } = await runScript(`
        const fs = require('fs');
        const { UdpSocket } = engine('net/datagram-socket');
        const start = fs.existsSync('/proc/sys/net/ipv4/ip_unprivileged_port_start')
          ? Number(fs.readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start'))
          : 1024;
        process.setgroups([]);
        process.setgid(65534);
        process.setuid(65534);
        UdpSocket.bind({ address: '127.0.0.1', port: 69, watchable: false }).then(
          (socket) => { socket.close(); console.log(start <= 69 ? 'allowed' : 'bound'); },
          (error) => console.log(error.code, error.message),
        );
      `);
      skipUnless(this, stdout !== 'allowed\n', 'this system lets everybody use port 69');
      should(stderr).equal('');
      should(stdout).match(
        /^EACCES No permission to use 127\.0\.0\.1:69: .*setcap .*sysctl net\.ipv4\.ip_unprivileged_port_start=69\).*systemd.*Docker .*single port.*-p 69:6969\/udp\n$/,
      );
    });

    it('gives each of many sockets a port of its own', async () => {
      const many = await Promise.all(
        Array.from({ length: 20 }, () => bind({ watchable: true, receiveBuffer: 1 << 20 })),
      );
      should(new Set(many.map(({ local }) => local.port)).size).equal(20);
    });
  });

  /** What a socket hears next. */
  function listenTo(socket: UdpSocket) {
    const heard: Array<{ text: string; from: Peer }> = [];
    const failed: TftpError[] = [];
    const refused = gate();
    let wake: (() => void) | undefined;
    socket.listen({
      message(datagram, { address, port }) {
        heard.push({ text: Buffer.from(datagram).toString(), from: { address, port } });
        wake?.();
      },
      unreachable: () => refused.open(),
      failed(error) {
        failed.push(error);
        wake?.();
      },
    });
    const next = async <T>(queue: T[]): Promise<T> => {
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return queue.shift()!;
    };
    return {
      hear: () => next(heard),
      fail: () => next(failed),
      refused: refused.opened,
    };
  }

  it('sends a run as datagrams, the last one shorter', async () => {
    const peer = await ScriptedPeer.bind();
    const socket = await bind();
    socket.send({ datagrams: Buffer.from('aaabbbc'), segmentSize: 3 }, peer);
    for (const text of ['aaa', 'bbb', 'c']) {
      const { bytes, from } = await peer.next();
      should(bytes.toString()).equal(text);
      should(from).eql(socket.local);
    }
  });

  it('reports a datagram that is too large for UDP', async () => {
    const peer = await ScriptedPeer.bind();
    const socket = await bind();
    const { fail } = listenTo(socket);
    socket.send({ datagrams: Buffer.alloc(66_000), segmentSize: 66_000 }, peer);
    const failure = await fail();
    should(failure.code).equal('EIO');
    should(failure.message).match(/EMSGSIZE: the block size is too large/);
  });

  it('hears both the watched peer and strangers', async () => {
    const [peer, stranger] = [await ScriptedPeer.bind(), await ScriptedPeer.bind()];
    const socket = await bind({ watchable: true });
    const { hear } = listenTo(socket);
    socket.watch(peer);
    socket.watch(peer);
    for (const sender of [peer, stranger, peer]) {
      sender.send(Buffer.from('hello'), socket.local);
      should(await hear()).eql({
        text: 'hello',
        from: { address: '127.0.0.1', port: sender.port },
      });
    }
    socket.watch(stranger);
    for (const sender of [peer, stranger]) {
      sender.send(Buffer.from('again'), socket.local);
      should((await hear()).from.port).equal(sender.port);
    }
  });

  it('hears that a watched peer is gone', async function () {
    skipUnless(this, ON_LINUX, 'only on Linux is the port unreachable reported');
    const peer = await ScriptedPeer.bind();
    const socket = await bind({ watchable: true });
    const { refused } = listenTo(socket);
    socket.watch(peer);
    peer.close();
    socket.send({ datagrams: Buffer.from('x'), segmentSize: 1 }, peer);
    await refused;
  });

  it('does nothing once it is closed', async () => {
    const peer = await ScriptedPeer.bind();
    const socket = await bind({ watchable: true });
    socket.watch(peer);
    socket.close();
    socket.close();
    socket.watch(await ScriptedPeer.bind());
    socket.send({ datagrams: Buffer.from('x'), segmentSize: 1 }, peer);
    await peer.expectSilence();
    const { port } = socket.local;
    should((await bind({ port })).local.port).equal(port);
  });
});
