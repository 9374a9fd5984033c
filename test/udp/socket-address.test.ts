import dgram from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import fc = require('fast-check');
import should = require('should');
import type { Peer } from '../../src/transfer/peer-lock';
import { KernelSocket } from '../../src/udp/kernel-socket';
import { zoneName } from '../../src/udp/local-addresses';
import {
  ADDRESS_LENGTH,
  AF_INET,
  AF_INET6,
  peerOf,
  socketAddress,
} from '../../src/udp/socket-address';
import { systemCalls } from '../../src/udp/system-calls';
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

  it('has the number of a zone, and none for an interface that there is not', () => {
    should(hex('fe80::1%2', 0x1234)).equal(
      ['1234', '00000000', 'fe800000000000000000000000000001', '02000000'].join(''),
    );
    should(socketAddress({ address: 'fe80::1%no-such-interface', port: 69 })).be.undefined();
  });

  it('knows a zone by name and by number', function () {
    const zoned = Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
      infos.flatMap((info) =>
        info.family === 'IPv6' && info.scopeid > 0 ? [[name, info.scopeid] as const] : [],
      ),
    );
    const [first] = zoned;
    skipUnless(this, first !== undefined, 'no interface has a link-local address');
    const [name, number] = first!;
    should(hex(`fe80::1%${name}`, 69)).equal(hex(`fe80::1%${number}`, 69));
    should(round(`fe80::1%${number}`).address).equal(`fe80::1%${name}`);
  });
});

describe('peerOf', () => {
  it('gives a zone by the name of its interface, as node:dgram does, or else by its number', () => {
    const bytes = socketAddress({ address: 'fe80::1%2', port: 69 })!;
    should(peerOf(bytes)).eql({ address: `fe80::1%${zoneName(2)}`, port: 69 });
    const unknown = socketAddress({ address: 'fe80::1%999999', port: 69 })!;
    should(peerOf(unknown)).eql({ address: 'fe80::1%999999', port: 69 });
  });

  it('does not mind what an earlier, longer address has left', () => {
    const room = Buffer.alloc(ADDRESS_LENGTH, 0xff);
    room.set(socketAddress({ address: '192.0.2.1', port: 69 })!);
    should(peerOf(room)).eql({ address: '192.0.2.1', port: 69 });
  });

  for (const address of ['127.0.0.1', '::1']) {
    it(`writes the sender of a datagram like node:dgram: ${address}`, async function () {
      skipUnless(this, systemCalls() !== undefined, 'the system calls need Linux and koffi');
      skipUnless(this, address === '127.0.0.1' || HAS_IPV6, 'this machine has no IPv6');
      const system = KernelSocket.open({ address, port: 0 }, false)!;
      const node = dgram.createSocket(address === '::1' ? 'udp6' : 'udp4').bind(0, address);
      await once(node, 'listening');
      const answer = dgram.createSocket(address === '::1' ? 'udp6' : 'udp4').bind(0, address);
      await once(answer, 'listening');
      try {
        const datagrams = Buffer.from('hello');
        const heard = once(node, 'message');
        const run = { datagrams, segmentSize: 5 };
        should(system.send({ run, peer: node.address(), failed })).equal('whole');
        const [, from]: [Buffer, dgram.RemoteInfo] = await heard.then(([a, b]) => [a, b]);
        await new Promise((sent) => node.send('back', from.port, from.address, sent));
        const received: unknown[] = [];
        const message = (datagram: Uint8Array, sender: Peer) =>
          void received.push(Buffer.from(datagram).toString(), sender);
        system.subscribe({ message, unsent: failed, refused: failed });
        should(system.receive()).equal(1);
        should(received).eql(['back', { address, port: node.address().port }]);
        await new Promise((sent) => answer.send('other', from.port, from.address, sent));
        should(system.receive()).equal(1);
        should(received.slice(2)).eql(['other', { address, port: answer.address().port }]);
        should(system.receive()).equal(0);
      } finally {
        for (const socket of [node, answer]) socket.close();
        system.abandon();
      }
    });
  }
});

function failed(): never {
  throw new Error('nothing of this may happen');
}

function familyOf(bytes: Buffer): number {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, 1)[0]!;
}
