import should = require('should');
import { networkInterfaces } from 'node:os';
import { localAddresses, nearestAddress } from '../../src/udp/local-addresses';

describe('localAddresses', () => {
  it('knows every address of the interfaces', () => {
    const found = localAddresses().map(({ address }) => address.replace(/%.*/, ''));
    const all = Object.values(networkInterfaces()).flatMap((infos = []) => infos);
    should(found).eql(all.map(({ address }) => address));
  });

  it('knows the subnet of the loopback address', () => {
    should(localAddresses()).containEql({ address: '127.0.0.1', prefix: 8 });
  });
});

describe('nearestAddress', () => {
  const candidates = [
    { address: '10.0.0.1', prefix: 8 },
    { address: '10.1.2.1', prefix: 24 },
    { address: '192.168.0.1', prefix: 32 },
    { address: 'fe80::1%eth0', prefix: 64 },
    { address: 'fe80::2%eth1', prefix: 64 },
    { address: '2001:db8::1', prefix: 64 },
  ];
  for (const [other, nearest] of [
    ['10.1.2.9', '10.1.2.1'],
    ['10.1.3.9', '10.0.0.1'],
    ['192.168.0.2', undefined],
    ['fe80::9%eth1', 'fe80::2%eth1'],
    ['fe80::9%eth2', undefined],
    ['2001:db8::9', '2001:db8::1'],
    ['2001:db9::9', undefined],
  ] as const) {
    it(`of ${other} is ${nearest}`, () => {
      should(nearestAddress(other, candidates)?.address).equal(nearest);
    });
  }
});
