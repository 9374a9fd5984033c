import should = require('should');
import { Endpoint } from '../../src/udp/endpoint';
import type { BindOptions } from '../../src/udp/endpoint';
import type { Flow, FlowListener } from '../../src/udp/flow';
import { peerName } from '../../src/transfer/peer-lock';
import { runScript } from '../helpers/child';
import { failureOf } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { skipUnless, skipWithoutOffload } from '../helpers/skip';
import { ack, data, error, oack, rrq, wrq } from '../helpers/wire';

const run = (bytes: Uint8Array, segmentSize = bytes.length) => ({ datagrams: bytes, segmentSize });

describe('Endpoint', () => {
  closePeersAfterEach();
  const endpoints: Endpoint[] = [];
  let peer: ScriptedPeer;
  let heard: string[];
  let wake: () => void;

  beforeEach(async () => {
    peer = await ScriptedPeer.bind();
    heard = [];
    wake = () => undefined;
  });
  afterEach(() => {
    for (const endpoint of endpoints.splice(0)) endpoint.close();
  });

  async function bind(options: Partial<BindOptions> = {}): Promise<Endpoint> {
    const endpoint = await Endpoint.bind({ address: '127.0.0.1', port: 0, ...options });
    endpoints.push(endpoint);
    return endpoint;
  }

  /** Writes down what a listener of this name hears. */
  function listenerOf(name: string): FlowListener {
    const note = (what: string): void => {
      heard.push(`${name}: ${what}`);
      wake();
    };
    return {
      message: (datagram, from) =>
        note(`${Buffer.from(datagram).toString('hex')} from ${peerName(from)}`),
      unreachable: (gone) => note(`${peerName(gone)} is unreachable`),
      failed: ({ message }) => note(message),
    };
  }

  async function next(): Promise<string> {
    while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return heard.shift()!;
  }

  function flowTo(endpoint: Endpoint, to: ScriptedPeer, name: string): Flow {
    const flow = endpoint.flow({ address: to.address, port: to.port });
    flow.subscribe(listenerOf(name));
    return flow;
  }

  describe('bind', () => {
    it('says that a port is in use', async () => {
      const { port } = (await bind()).local;
      const failure = await failureOf(bind({ port }));
      should(failure).have.properties({ code: 'EADDRINUSE', name: 'LocalError' });
      should(failure.message).match(
        new RegExp(`^127.0.0.1:${port} is in use by .*choose another port$`),
      );
    });

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
        const { Endpoint } = engine('udp/endpoint');
        const start = fs.existsSync('/proc/sys/net/ipv4/ip_unprivileged_port_start')
          ? Number(fs.readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start'))
          : 1024;
        process.setgroups([]);
        process.setgid(65534);
        process.setuid(65534);
        Endpoint.bind({ address: '127.0.0.1', port: 69 }).then(
          (endpoint) => { endpoint.close(); console.log(start <= 69 ? 'allowed' : 'bound'); },
          (error) => console.log(error.code, error.message),
        );
      `);
      skipUnless(this, stdout !== 'allowed\n', 'this system lets everybody use port 69');
      should(stderr).equal('');
      should(stdout).match(
        /^ENOPERM No permission to use 127\.0\.0\.1:69: .*setcap .*sysctl net\.ipv4\.ip_unprivileged_port_start=69\).*systemd.*Docker .*single port.*-p 69:6969\/udp\n$/,
      );
    });

    it('gives each of many a port of its own, which nobody else can take', async function () {
      const many = await Promise.all(Array.from({ length: 20 }, () => bind()));
      should(new Set(many.map(({ local }) => local.port)).size).equal(20);
      const { port } = many[0]!.local;
      // Others may be willing to share: on Linux the last to come would get what is sent.
      const { stdout } = await runScript(`
        const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true });
        socket.on('error', ({ code }) => { console.log(code); socket.close(); });
        socket.bind(${port}, '127.0.0.1', () => { console.log('taken'); socket.close(); });
      `);
      should(stdout).equal('EADDRINUSE\n');
    });
  });

  it('sends a run as datagrams, the last one shorter', async () => {
    const endpoint = await bind();
    endpoint.send(run(Buffer.from('aaabbbc'), 3), peer);
    for (const text of ['aaa', 'bbb', 'c']) {
      const { bytes, from } = await peer.next();
      should(bytes.toString()).equal(text);
      should(from).eql(endpoint.local);
    }
  });

  it('reports a datagram that is too large for UDP to the flow that sent it, or to the endpoint', async () => {
    const endpoint = await bind();
    endpoint.subscribe(listenerOf('endpoint'));
    const flow = flowTo(endpoint, peer, 'flow');
    flow.send(run(Buffer.alloc(66_000)), peer);
    should(await next()).match(
      /^flow: Sending failed with EMSGSIZE: the block size is too large for this network/,
    );
    endpoint.send(run(Buffer.alloc(66_000)), peer);
    should(await next()).match(/^endpoint: Sending failed with EMSGSIZE/);
  });

  it('hears everybody as the flow of one transfer', async () => {
    const endpoint = await bind();
    endpoint.whole().subscribe(listenerOf('whole'));
    const stranger = await ScriptedPeer.bind();
    for (const sender of [peer, stranger, peer]) {
      sender.send(rrq('f'), endpoint.local);
      should(await next()).equal(`whole: ${rrq('f').toString('hex')} from ${peerName(sender)}`);
    }
  });

  it('does nothing once it is closed', async () => {
    const endpoint = await bind();
    const flow = endpoint.whole();
    flow.close();
    flow.close();
    endpoint.close();
    flow.send(run(Buffer.from('x')), peer);
    endpoint.send(run(Buffer.from('x')), peer);
    should(flow.coalesce()).equal(false);
    await peer.expectSilence();
    const { port } = endpoint.local;
    should((await bind({ port })).local.port).equal(port);
  });

  describe('its flows', () => {
    it('hand out what their peers send, but for requests', async () => {
      const endpoint = await bind();
      endpoint.subscribe(listenerOf('endpoint'));
      should(flowTo(endpoint, peer, 'flow').local).eql(endpoint.local);
      for (const [packet, whose] of [
        [ack(1), 'flow'],
        [rrq('f'), 'endpoint'],
        [data(1), 'flow'],
        [wrq('f'), 'endpoint'],
        [error(0), 'flow'],
        [oack(), 'flow'],
        [Buffer.alloc(0), 'flow'],
        [Buffer.from([1, 2]), 'flow'],
      ] as const) {
        peer.send(packet, endpoint.local);
        should(await next()).equal(`${whose}: ${packet.toString('hex')} from ${peerName(peer)}`);
      }
      const stranger = await ScriptedPeer.bind();
      stranger.send(ack(1), endpoint.local);
      should(await next()).equal(`endpoint: 00040001 from ${peerName(stranger)}`);
    });

    it('send from the same port, which stays open when one of them is closed', async () => {
      const endpoint = await bind();
      endpoint.subscribe(listenerOf('endpoint'));
      const flow = flowTo(endpoint, peer, 'flow');
      flow.send(run(ack(1)), peer);
      should(await peer.hear()).equal('ACK 1');
      should(peer.other).eql(endpoint.local);
      should(endpoint.flows).equal(1);
      flow.close();
      flow.close();
      should(endpoint.flows).equal(0);
      flow.send(run(ack(2)), peer);
      endpoint.send(run(ack(3)), peer);
      should(await peer.hear()).equal('ACK 3');
      peer.send(ack(4), endpoint.local);
      should(await next()).match(/^endpoint: 00040004/);
    });

    it('give a peer to the newest of them, whatever becomes of the older one', async () => {
      const endpoint = await bind();
      const older = flowTo(endpoint, peer, 'older');
      flowTo(endpoint, peer, 'newer');
      older.close();
      peer.send(ack(1), endpoint.local);
      should(await next()).match(/^newer: 00040001/);
    });

    it('go on when nobody listens to the endpoint any more', async () => {
      const endpoint = await bind();
      flowTo(endpoint, peer, 'flow');
      endpoint.subscribe(undefined);
      const stranger = await ScriptedPeer.bind();
      stranger.send(ack(1), endpoint.local);
      peer.send(ack(2), endpoint.local);
      should(await next()).match(/^flow: 00040002/);
      should(heard).eql([]);
    });

    it('leave whole what others send, when the windows of one are cut', async () => {
      const endpoint = await bind();
      const whole = await ScriptedPeer.bind();
      const sender = flowTo(endpoint, peer, 'sender');
      const other = flowTo(endpoint, whole, 'other');
      const window = Buffer.concat([data(1, 'a'.repeat(8)), data(2, 'b'.repeat(8)), data(3, 'c')]);
      sender.send(run(window, 12), peer);
      other.send(run(data(1, 'd'.repeat(1000))), whole);
      sender.send(run(error(0, 'longer than a block')), peer);
      for (const line of [
        'DATA 1 8 B',
        'DATA 2 8 B',
        'DATA 3 1 B',
        'ERROR 0 longer than a block',
      ]) {
        should(await peer.hear()).equal(line);
      }
      should(await whole.hear()).equal('DATA 1 1000 B');
    });

    it('answer a crowd at once, each in order and with what is for it, long and short', async () => {
      const endpoint = await bind({ receiveBuffer: 1 << 20 });
      const peers = await Promise.all(Array.from({ length: 70 }, () => ScriptedPeer.bind()));
      const rest = Buffer.concat([data(2, 'b'.repeat(1400)), data(3, 'c'.repeat(1400))]);
      for (const [i, one] of peers.entries()) {
        const flow = endpoint.flow({ address: one.address, port: one.port });
        flow.subscribe({
          ...listenerOf(`flow ${i}`),
          message() {
            flow.send(run(data(1, 'x'.repeat((i * 37) % 1400))), one);
            flow.send(run(rest, 1404), one);
            flow.send(run(data(4, 'd')), one);
          },
        });
      }
      for (const round of [1, 2]) {
        for (const one of peers) one.send(ack(round), endpoint.local);
        for (const [i, one] of peers.entries()) {
          const first = `DATA 1 ${(i * 37) % 1400} B`;
          for (const line of [first, 'DATA 2 1400 B', 'DATA 3 1400 B', 'DATA 4 1 B']) {
            should(await one.hear()).equal(line);
          }
        }
      }
      should(heard).eql([]);
    });
  });

  describe('a peer that is gone', () => {
    before(function () {
      skipWithoutOffload(this);
    });

    it('is told to its flow and to no other', async () => {
      const endpoint = await bind();
      endpoint.subscribe(listenerOf('endpoint'));
      const there = await ScriptedPeer.bind();
      const gone = { address: peer.address, port: peer.port };
      const flow = flowTo(endpoint, peer, 'flow');
      const other = flowTo(endpoint, there, 'other');
      peer.close();
      flow.send(run(data(1, 'x')), gone);
      // What the system says of the one must not cost the other its datagram.
      for (const block of [1, 2, 3]) other.send(run(data(block, 'y')), there);
      for (const block of [1, 2, 3]) should(await there.hear()).equal(`DATA ${block} 1 B`);
      should(await next()).equal(`flow: ${peerName(gone)} is unreachable`);
      there.send(ack(7), endpoint.local);
      should(await next()).match(/^other: 00040007/);
    });

    it('is heard to its end before', async () => {
      const endpoint = await bind();
      const gone = { address: peer.address, port: peer.port };
      const flow = endpoint.whole();
      flow.subscribe(listenerOf('whole'));
      peer.send(error(0, 'no more'), endpoint.local);
      await peer.expectSilence();
      peer.close();
      flow.send(run(ack(1)), gone);
      should(await next()).match(/^whole: 00050000/);
      should(await next()).equal(`whole: ${peerName(gone)} is unreachable`);
    });

    it('keeps no process busy', async () => {
      const { stdout } = await runScript(`
        const { Endpoint } = engine('udp/endpoint');
        const dgram = require('node:dgram');
        (async () => {
          const endpoint = await Endpoint.bind({ address: '127.0.0.1', port: 0 });
          const peer = dgram.createSocket('udp4');
          await new Promise((bound) => peer.bind(0, '127.0.0.1', bound));
          const { address, port } = peer.address();
          await new Promise((closed) => peer.close(closed));
          let refused = 0;
          const flow = endpoint.whole();
          flow.subscribe({ message() {}, failed() {}, unreachable: () => (refused += 1) });
          for (let i = 0; i < 20; i += 1) flow.send({ datagrams: Buffer.from('x'), segmentSize: 1 }, { address, port });
          const before = process.cpuUsage();
          await new Promise((passed) => setTimeout(passed, 500));
          const { user, system } = process.cpuUsage(before);
          console.log(refused > 0, user + system < 250_000);
          flow.close();
        })();
      `);
      should(stdout).equal('true true\n');
    });
  });
});
