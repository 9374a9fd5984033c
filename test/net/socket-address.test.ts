import dgram from 'node:dgram';
import { once } from 'node:events';
import fc = require('fast-check');
import should = require('should');
import type { Peer } from '../../src/transfer/peer-lock';
import { OffloadSocket } from '../../src/net/offload';
import {
  AF_INET,
  AF_INET6,
  blankAddress,
  peerOf,
  socketAddress,
} from '../../src/net/socket-address';
import { systemCalls } from '../../src/net/system-calls';
import { HAS_IPV6, skipUnless } from '../helpers/skip';

/** The bytes behind the family, which is in the byte order of the machine. */
const hex = (address: string, port: number) =>
  socketAddress({ address, port })!.toString('hex').slice(4);

/** What becomes of an address on its way to the system and back. */
const round = (address: string, port = 69) => peerOf(socketAddress({ address, port })!);

describe('socketAddress', () => {
  it('has the bytes of sockaddr_in', () => {
    should(hex('192.0.2.1', 0x1234)).equal('1234c00002010000000000000000');
    should(familyOf(socketAddress({ address: '192.0.2.1', port: 0 })!)).equal(AF_INET);
  });

  it('has the bytes of sockaddr_in6: port, flow, address, zone', () => {
    should(hex('2001:db8::a:1', 0x1234)).equal(
      ['1234', '00000000', '20010db80000000000000000000a0001', '00000000'].join(''),
    );
    should(familyOf(socketAddress({ address: '::', port: 0 })!)).equal(AF_INET6);
  });

  for (const [spelling, written] of [
    ['::', '::'],
    ['::1', '::1'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1::', '1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['2001:DB8::00A:1', '2001:db8::a:1'],
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['::ffff:c000:201', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:192.0.2.1', '1:2:3:4:5:6:c000:201'],
  ] as const) {
    it(`reads ${spelling} as ${written}`, () => {
      should(round(spelling)).eql({ address: written, port: 69 });
    });
  }

  it('comes back as it was, whatever the address and the port', () => {
    const port = fc.nat(65_535);
    fc.assert(
      fc.property(fc.ipV4(), port, (address, at) => {
        should(round(address, at)).eql({ address, port: at });
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), port, (spelling, at) => {
        const once = round(spelling, at);
        should(round(once.address, at)).eql(once);
        should(hex(spelling, at)).equal(hex(once.address, at));
      }),
    );
  });

  it('leaves an address with a zone to others', () => {
    for (const address of ['fe80::1%eth0', 'fe80::1%2']) {
      should(socketAddress({ address, port: 69 })).be.undefined();
    }
  });
});

describe('peerOf', () => {
  it('gives a zone by its number', () => {
    const bytes = socketAddress({ address: 'fe80::1', port: 69 })!;
    new Uint32Array(bytes.buffer, bytes.byteOffset + 24, 1)[0] = 2;
    should(peerOf(bytes)).eql({ address: 'fe80::1%2', port: 69 });
  });

  it('does not mind what an earlier, longer address has left', () => {
    const room = blankAddress().fill(0xff);
    room.set(socketAddress({ address: '192.0.2.1', port: 69 })!);
    should(peerOf(room)).eql({ address: '192.0.2.1', port: 69 });
  });

  for (const address of ['127.0.0.1', '::1']) {
    it(`writes the sender of a datagram like node:dgram: ${address}`, async function () {
      skipUnless(this, systemCalls() !== undefined, 'the system calls need Linux and koffi');
      skipUnless(this, address === '127.0.0.1' || HAS_IPV6, 'this machine has no IPv6');
      const system = OffloadSocket.open({ address, port: 0 }, false)!;
      const node = dgram.createSocket(address === '::1' ? 'udp6' : 'udp4').bind(0, address);
      await once(node, 'listening');
      const answer = dgram.createSocket(address === '::1' ? 'udp6' : 'udp4').bind(0, address);
      await once(answer, 'listening');
      try {
        const datagrams = Buffer.from('hello');
        const heard = once(node, 'message');
        system.send({ datagrams, segmentSize: 5 }, node.address());
        const [, from]: [Buffer, dgram.RemoteInfo] = await heard.then(([a, b]) => [a, b]);
        await new Promise((sent) => node.send('back', from.port, from.address, sent));
        const received: unknown[] = [];
        const take = (datagram: Uint8Array, sender: Peer) =>
          void received.push(Buffer.from(datagram).toString(), sender);
        should(system.receive(take)).equal(1);
        should(received).eql(['back', { address, port: node.address().port }]);
        await new Promise((sent) => answer.send('other', from.port, from.address, sent));
        should(system.receive(take)).equal(1);
        should(received.slice(2)).eql(['other', { address, port: answer.address().port }]);
        should(system.receive(take)).equal(0);
      } finally {
        for (const socket of [node, answer]) socket.close();
        system.abandon();
      }
    });
  }
});

function familyOf(bytes: Buffer): number {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, 1)[0]!;
}
