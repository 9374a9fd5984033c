import should = require('should');
import { PeerLock, peerName } from '../../src/transfer/peer-lock';

const SERVER = { address: '192.0.2.1', port: 40_000 };
const OTHER_PORT = { address: '192.0.2.1', port: 40_001 };
const OTHER_HOST = { address: '192.0.2.2', port: 40_000 };

describe('PeerLock', () => {
  it('knows its peer by address and port, from the start on a server', () => {
    const lock = new PeerLock(SERVER);
    should(lock.peer).equal(SERVER);
    should(lock.standing({ ...SERVER })).equal('peer');
    should(lock.standing(OTHER_PORT)).equal('stranger');
    should(lock.standing(OTHER_HOST)).equal('stranger');
  });

  it('compares addresses, however they are written', () => {
    const lock = new PeerLock({ address: 'fe80::1%eth0', port: 69 });
    should(lock.standing({ address: 'FE80:0::1%25eth0', port: 69 })).equal('peer');
    should(lock.standing({ address: 'fe80::1%eth1', port: 69 })).equal('stranger');
    should(new PeerLock(SERVER).standing({ ...SERVER, address: '::ffff:192.0.2.1' })).equal('peer');
  });

  it('takes anybody as a candidate until a client locks one', () => {
    const lock = new PeerLock();
    should(lock.peer).be.undefined();
    should(lock.standing(SERVER)).equal('candidate');
    should(lock.standing(OTHER_HOST)).equal('candidate');
    lock.lock(SERVER);
    should(lock.standing(SERVER)).equal('peer');
    should(lock.standing(OTHER_HOST)).equal('stranger');
  });

  it('tells each stranger once', () => {
    const lock = new PeerLock(SERVER);
    should(lock.shouldTell(OTHER_PORT)).be.true();
    should(lock.shouldTell({ ...OTHER_PORT })).be.false();
    should(lock.shouldTell(OTHER_HOST)).be.true();
  });

  it('tells only the first eight strangers of a transfer', () => {
    const lock = new PeerLock(SERVER);
    const told = Array.from({ length: 20 }, (_, i) =>
      lock.shouldTell({ address: '198.51.100.9', port: 1_024 + i }),
    );
    should(told.filter(Boolean)).have.length(8);
    should(told.slice(0, 8)).not.containEql(false);
  });
});

describe('peerName', () => {
  it('writes address and port, with brackets around IPv6', () => {
    should(peerName({ address: '192.0.2.1', port: 69 })).equal('192.0.2.1:69');
    should(peerName({ address: '2001:db8::1', port: 69 })).equal('[2001:db8::1]:69');
  });
});
