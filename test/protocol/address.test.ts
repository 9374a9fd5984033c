import fc = require('fast-check');
import should = require('should');
import { SocketAddress } from 'node:net';
import { addressParts, sameAddress, zoneSpellings } from '../../src/protocol/address';

describe('addressParts', () => {
  for (const [text, ip, zone] of [
    ['192.0.2.1', '192.0.2.1', undefined],
    ['::', '::', undefined],
    ['::1', '::1', undefined],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', undefined],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1', undefined],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1', undefined],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1', undefined],
    ['1:2:3:4:5:6::', '1:2:3:4:5:6::', undefined],
    ['::FFFF:192.0.2.1', '192.0.2.1', undefined],
    ['::ffff:c000:201', '192.0.2.1', undefined],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201', undefined],
    ['FE80::A%eth0', 'fe80::a', 'eth0'],
    ['fe80::a%25ETH0', 'fe80::a', '25ETH0'],
  ] as const) {
    it(`reads ${text}`, () => should(addressParts(text)).eql({ ip, zone }));
  }

  it('writes IPv6 as the system does', () => {
    const group = fc.oneof(fc.constant(0), fc.constant(0), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const long = groups.map((part) => part.toString(16).padStart(4, '0')).join(':');
        const { ip } = addressParts(long);
        const known = new SocketAddress({ address: long, family: 'ipv6' }).address;
        // It writes the addresses of old transition techniques with dots.
        if (!known.includes('.')) should(ip).equal(known);
        should(addressParts(known).ip).equal(ip);
      }),
    );
  });
});

describe('sameAddress', () => {
  for (const [one, other, same] of [
    ['192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    ['192.0.2.1', '::ffff:192.0.2.1', true],
    ['FD00::1', 'fd00:0:0:0:0:0:0:1', true],
    ['fd00::1', 'fd00::2', false],
    ['fe80::1%eth0', 'fe80::1%eth0', true],
    ['fe80::1%eth0', 'fe80::1', true],
    ['fe80::1', 'fe80::1%3', true],
    ['fe80::1%25eth0', 'fe80::1%eth0', true],
    ['fe80::1%eth0', 'FE80:0:0:0:0:0:0:1%25eth0', true],
    ['fe80::1%252', 'fe80::1%2', true],
    ['fe80::1%eth0', 'fe80::1%eth1', false],
    ['fe80::1%2', 'fe80::1%3', false],
    ['fe80::1%eth0', 'fe80::1%3', true], // only the system knows
    ['fe80::1%eth0', 'fe80::2%eth0', false],
  ] as const) {
    it(`${one} ${same ? 'is' : 'is not'} ${other}`, () => {
      should(sameAddress(one, other)).equal(same);
      should(sameAddress(other, one)).equal(same);
    });
  }
});

describe('zoneSpellings', () => {
  it('takes an escape off, and leaves a number 25', () => {
    should(zoneSpellings('eth0')).eql(['eth0']);
    should(zoneSpellings('25eth0')).eql(['25eth0', 'eth0']);
    should(zoneSpellings('25')).eql(['25']);
    should(zoneSpellings('252')).eql(['252', '2']);
  });
});
