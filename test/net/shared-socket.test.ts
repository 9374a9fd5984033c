import should = require('should');
import { UdpSocket } from '../../src/net/datagram-socket';
import { SharedSocket } from '../../src/net/shared-socket';
import type { SocketListener } from '../../src/net/datagram-socket';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ack, data, error, oack, rrq, wrq } from '../helpers/wire';

describe('SharedSocket', () => {
  closePeersAfterEach();
  let socket: SharedSocket;
  let peer: ScriptedPeer;
  let heard: string[];
  let wake: () => void;
  beforeEach(async () => {
    const address = '127.0.0.1';
    socket = new SharedSocket(await UdpSocket.bind({ address, port: 0, watchable: false }));
    peer = await ScriptedPeer.bind();
    heard = [];
    wake = () => undefined;
    socket.listen(hearer('whole'));
  });
  afterEach(() => socket.close());

  function hearer(name: string): SocketListener {
    const tell = (what: string): void => {
      heard.push(`${name} ${what}`);
      wake();
    };
    return {
      message: (datagram) => tell(Buffer.from(datagram).toString('hex')),
      unreachable: () => tell('unreachable'),
      failed: ({ message }) => tell(message),
    };
  }

  async function next(): Promise<string> {
    while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return heard.shift()!;
  }

  it('hands a share what its peer sends, but for requests', async () => {
    const share = socket.share(peer);
    share.listen(hearer('share'));
    should(share.local).eql(socket.local);
    for (const [packet, whose] of [
      [ack(1), 'share'],
      [rrq('f'), 'whole'],
      [data(1), 'share'],
      [wrq('f'), 'whole'],
      [error(0), 'share'],
      [oack(), 'share'],
      [Buffer.alloc(0), 'share'],
      [Buffer.from([1, 2]), 'share'],
    ] as const) {
      peer.send(packet, socket.local);
      should(await next()).equal(`${whose} ${packet.toString('hex')}`);
    }
    const stranger = await ScriptedPeer.bind();
    stranger.send(ack(1), socket.local);
    should(await next()).equal('whole 00040001');
    const sameAddress = await ScriptedPeer.bind({ address: '127.0.0.1' });
    sameAddress.send(ack(2), socket.local);
    should(await next()).equal('whole 00040002');
  });

  it('sends from the same port, and stays open when a share is closed', async () => {
    const share = socket.share(peer);
    share.send({ datagrams: ack(1), segmentSize: 4 }, peer);
    should(await peer.hear()).equal('ACK 1');
    should(peer.other).eql(socket.local);
    should(socket.busy).equal(true);
    share.close();
    share.close();
    should(socket.busy).equal(false);
    share.send({ datagrams: ack(2), segmentSize: 4 }, peer);
    socket.send({ datagrams: ack(3), segmentSize: 4 }, peer);
    should(await peer.hear()).equal('ACK 3');
    peer.send(ack(4), socket.local);
    should(await next()).equal('whole 00040004');
  });

  it('gives a peer to its newest share, whatever becomes of the older one', async () => {
    const older = socket.share(peer);
    older.listen(hearer('older'));
    const newer = socket.share(peer);
    newer.listen(hearer('newer'));
    older.close();
    peer.send(ack(1), socket.local);
    should(await next()).equal('newer 00040001');
  });

  it('tells a share alone what it cannot send', async () => {
    const share = socket.share(peer);
    share.listen(hearer('share'));
    const large = { datagrams: Buffer.alloc(66_000), segmentSize: 66_000 };
    share.send(large, peer);
    should(await next()).match(/^share Sending failed with EMSGSIZE/);
    socket.send(large, peer);
    should(await next()).match(/^whole Sending failed with EMSGSIZE/);
  });

  it('goes on for its shares when nobody listens to the whole any more', async () => {
    const share = socket.share(peer);
    share.listen(hearer('share'));
    socket.listen(undefined);
    const stranger = await ScriptedPeer.bind();
    stranger.send(ack(1), socket.local);
    peer.send(ack(2), socket.local);
    should(await next()).equal('share 00040002');
    should(heard).eql([]);
  });
});
