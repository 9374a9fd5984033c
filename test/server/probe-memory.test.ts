import should = require('should');
import { ProbeMemory } from '../../src/server/probe-memory';
import type { TransferRecord } from '../../src/net/transfer-record';
import { recordOf } from '../helpers/records';
import { VirtualClock } from '../helpers/virtual-clock';

const HOST = 'h';
const FILE = 'f';

describe('ProbeMemory', () => {
  let clock: VirtualClock;
  let memory: ProbeMemory;
  let told: (readonly [id: string, count: number])[];
  let lastId: number;

  beforeEach(() => {
    clock = new VirtualClock();
    told = [];
    lastId = 0;
    memory = new ProbeMemory(clock, ({ id }, count) => told.push([id, count]));
  });

  /** A request, and how its transfer ends. */
  function transfer(event: TransferRecord['event'], filename = FILE, host = HOST): void {
    memory.asked(host, filename);
    lastId += 1;
    for (const each of ['start', event] as const) {
      memory.heard(recordOf({ id: `${lastId}`, event: each, host, filename }));
    }
  }

  function probe(count: number): void {
    for (let n = 0; n < count; n += 1) transfer('probe');
  }

  it('tells the probe of the same client and file once, for 30 seconds', () => {
    transfer('probe');
    should(memory.asked(HOST, 'other')).equal(undefined);
    should(memory.asked('other', FILE)).equal(undefined);
    clock.pass(30_000);
    should(memory.asked(HOST, FILE)).equal('1');
    should(memory.asked(HOST, FILE)).equal(undefined);
    transfer('probe');
    clock.pass(30_001);
    should(memory.asked(HOST, FILE)).equal(undefined);
  });

  it('four probes in a row are nothing to tell of', () => {
    probe(4);
    clock.pass(60_000);
    should(told).deepEqual([]);
    should(clock.waiting).equal(0);
  });

  it('tells of five in a row that no read follows, once', () => {
    probe(5);
    clock.pass(2999);
    should(told).deepEqual([]);
    clock.pass(1);
    should(told).deepEqual([['5', 5]]);
    probe(20);
    clock.pass(20_000);
    probe(20);
    clock.pass(20_000);
    should(told).deepEqual([['5', 5]]);
  });

  it('tells how many there were by then', () => {
    for (let n = 0; n < 8; n += 1) {
      probe(1);
      clock.pass(1000);
    }
    clock.pass(2000);
    should(told).deepEqual([['8', 8]]);
  });

  it('tells of a client again that comes back after half a minute', () => {
    probe(5);
    clock.pass(30_001);
    probe(4);
    clock.pass(3000);
    should(told.length).equal(1);
    probe(1);
    clock.pass(3000);
    should(told.length).equal(2);
  });

  it('counts what is not more than 30 seconds apart', () => {
    for (let n = 0; n < 5; n += 1) {
      probe(1);
      clock.pass(30_001);
    }
    should(told).deepEqual([]);
    for (let n = 0; n < 5; n += 1) {
      clock.pass(20_000);
      probe(1);
    }
    clock.pass(3000);
    should(told.length).equal(1);
  });

  for (const end of ['complete', 'error'] as const) {
    it(`a read that ends with ${end} ends the row`, () => {
      probe(4);
      transfer(end);
      probe(4);
      clock.pass(10_000);
      should(told).deepEqual([]);
    });
  }

  it('clients behind one address that all ask for the size and then all read are no failure', () => {
    probe(12);
    clock.pass(2999);
    memory.asked(HOST, FILE);
    clock.pass(60_000);
    memory.heard(recordOf({ event: 'complete', host: HOST, filename: FILE }));
    clock.pass(60_000);
    should(told).deepEqual([]);
  });

  it('other files, other clients and uploads do not count', () => {
    for (let n = 0; n < 4; n += 1) {
      transfer('probe');
      transfer('probe', 'other');
      transfer('probe', FILE, 'other');
      memory.heard(recordOf({ event: 'complete', operation: 'write', host: HOST, filename: FILE }));
    }
    clock.pass(3000);
    should(told).deepEqual([]);
    probe(1);
    clock.pass(3000);
    should(told.map(([, count]) => count)).deepEqual([5]);
  });

  it('keeps a bounded number, and tells of none that it has forgotten', () => {
    probe(5);
    for (let n = 0; n < 2000; n += 1) transfer('probe', `${n}`);
    should(memory.size).equal(1000);
    should(memory.asked(HOST, '1999')).equal('2005');
    clock.pass(3000);
    should(told).deepEqual([]);
  });

  it('waits for nothing once it is closed', () => {
    probe(5);
    memory.close();
    should([memory.size, clock.waiting]).deepEqual([0, 0]);
    clock.pass(3000);
    should(told).deepEqual([]);
  });
});
