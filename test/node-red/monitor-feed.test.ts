import should = require('should');
import { LEASE, MonitorFeed, PAUSE } from '../../src/node-red/monitor-feed';
import { TransferMonitor } from '../../src/node-red/transfer-monitor';
import { recordOf } from '../helpers/records';
import { VirtualClock } from '../helpers/virtual-clock';
import type { TransferRecord } from '../../src/net/transfer-record';
import type { Delta } from '../../src/node-red/monitor-feed';
import type { MonitoredSource } from '../../src/node-red/transfer-monitor';

const NODE = { id: 'n', reveal: 'n', type: 'tftp-get', name: '' };

describe('MonitorFeed', () => {
  let clock: VirtualClock;
  let monitor: TransferMonitor;
  let source: MonitoredSource;
  let feed: MonitorFeed;
  let deltas: Delta[];
  beforeEach(() => {
    clock = new VirtualClock();
    monitor = new TransferMonitor(clock);
    source = monitor.add({ node: NODE, cancel: () => false });
    deltas = [];
    feed = new MonitorFeed(monitor, (delta) => deltas.push(structuredClone(delta)), clock);
  });

  const tell = (id: string, own: Partial<TransferRecord> = {}): void =>
    source.tell(recordOf({ id, ...own }));
  const ids = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id);

  it('sets no timer, makes no row and tells nothing while nobody looks', () => {
    let looked = 0;
    const watched = new Proxy(monitor, {
      get(target, property) {
        looked += 1;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    feed = new MonitorFeed(watched, (delta) => deltas.push(delta), clock);
    for (let i = 0; i < 1000; i += 1) tell(`t${i}`);
    clock.pass(60_000);
    should(looked).equal(0);
    should(clock.waiting).equal(0);
    feed.watch();
    should(looked).be.above(0);
    clock.pass(LEASE + PAUSE);
    should(clock.waiting).equal(0);
    looked = 0;
    deltas = [];
    tell('a');
    clock.pass(60_000);
    should([looked, deltas.length]).eql([0, 0]);
  });

  it('tells all in a snapshot', () => {
    tell('a');
    tell('b', { bytes: 5, retry: { attempt: 2, retries: 6 }, servedAs: 's', mac: 'm' });
    tell('a', { event: 'complete', bytes: 9, finished: '2030-01-01T00:00:01.000Z', trace: ['x'] });
    clock.pass(5000);
    const snapshot = feed.snapshot();
    should(snapshot).have.properties({
      sequence: 1,
      now: '2030-01-01T00:00:05.000Z',
      nodes: [NODE],
      liveCount: 1,
      totals: monitor.totals,
    });
    should(snapshot.throughput).have.properties({
      interval: 5000,
      end: '2030-01-01T00:00:05.000Z',
    });
    should(snapshot.throughput.down.slice(-2)).eql([0, 14]);
    const { options, localAddress: _, localPort: __, ...row } = recordOf({ id: 'b' });
    should(snapshot.live).eql([
      {
        ...row,
        ...options,
        node: 'n',
        bytes: 5,
        retry: { attempt: 2, retries: 6 },
        servedAs: 's',
        mac: 'm',
      },
    ]);
    should(ids(snapshot.finished)).eql(['a']);
    should(snapshot.finished[0]).not.have.property('trace');
    should(snapshot.finished[0]).have.property('finished', '2030-01-01T00:00:01.000Z');
  });

  it('tells what begins, moves and ends, twice a second at most, and only what has changed', () => {
    feed.snapshot();
    tell('a');
    clock.pass(PAUSE - 1);
    should(deltas).be.empty();
    clock.pass(1);
    should(deltas).have.length(1);
    should(deltas[0]).have.properties({ sequence: 2, liveCount: 1, progress: [], finished: [] });
    should(ids(deltas[0]!.started)).eql(['a']);
    should(deltas[0]).not.have.properties('nodes', 'gone', 'throughput');

    clock.pass(PAUSE);
    should(deltas).have.length(1);

    for (let bytes = 1; bytes <= 100; bytes += 1) tell('a', { event: 'progress', bytes });
    clock.pass(PAUSE);
    should(deltas).have.length(2);
    should(deltas[1]!.started).be.empty();
    should(deltas[1]!.progress).eql([['a', 100, 100_000, 0, 0, null, 0, 0, 0, 0]]);

    tell('a', { event: 'complete' });
    clock.pass(PAUSE);
    should(ids(deltas[2]!.finished)).eql(['a']);
    should(deltas[2]).have.properties({ sequence: 4, liveCount: 0 });
    should(deltas[2]).not.have.property('gone');
  });

  it('tells with the first retry how many there are, and then only which one it is', () => {
    tell('a');
    feed.snapshot();
    tell('a', { event: 'progress', retry: { attempt: 1, retries: 6 } });
    clock.pass(PAUSE);
    should(deltas[0]!.started[0]!.retry).eql({ attempt: 1, retries: 6 });

    tell('a', { event: 'progress', retry: { attempt: 2, retries: 6 } });
    clock.pass(PAUSE);
    should(deltas[1]!.started).be.empty();
    should(deltas[1]!.progress[0]!.at(-1)).equal(2);
  });

  it('tells a row as a whole when its options are settled', () => {
    tell('a', { options: { blksize: 512, windowsize: 1 } });
    feed.snapshot();
    for (const own of [
      { options: { blksize: 1428, windowsize: 1 } },
      { options: { blksize: 512, windowsize: 8 } },
      { port: 99 },
    ]) {
      tell('a', { options: { blksize: 512, windowsize: 1 }, event: 'progress', ...own });
      clock.pass(PAUSE);
      should(deltas.at(-1)!.progress).be.empty();
      should(ids(deltas.at(-1)!.started)).eql(['a']);
    }
  });

  it('tells what began and ended between two deltas only as ended', () => {
    feed.snapshot();
    tell('a');
    tell('a', { event: 'complete' });
    clock.pass(PAUSE);
    should(deltas[0]!.started).be.empty();
    should(ids(deltas[0]!.finished)).eql(['a']);
    should(deltas[0]).not.have.property('gone');
  });

  it('tells which live rows vanish: their node is closed, or too many have ended', () => {
    tell('a');
    tell('b');
    feed.snapshot();
    tell('b', { event: 'complete' });
    for (let i = 0; i < 100; i += 1) {
      tell(`t${i}`);
      tell(`t${i}`, { event: 'complete' });
    }
    clock.pass(PAUSE);
    should(deltas[0]!.gone).eql(['b']);
    should(deltas[0]!.finished).have.length(100);
    source.close();
    clock.pass(PAUSE);
    should(deltas[1]).have.properties({ gone: ['a'], liveCount: 0, finished: [] });
  });

  it('tells of nodes that come, and that come anew', () => {
    feed.snapshot();
    const other = { ...NODE, id: 'o' };
    const added = monitor.add({ node: other, cancel: () => false });
    clock.pass(PAUSE);
    should(deltas[0]!.nodes).eql([other]);
    added.close();
    monitor.add({ node: { ...other, name: 'new' }, cancel: () => false });
    clock.pass(PAUSE);
    should(deltas[1]!.nodes).eql([{ ...other, name: 'new' }]);
  });

  it('tells a bucket of the chart when it is complete', () => {
    feed.snapshot();
    tell('a');
    tell('a', { event: 'progress', bytes: 700 });
    clock.pass(4999);
    should(deltas.some(({ throughput }) => throughput)).equal(false);
    clock.pass(1);
    should(deltas.at(-1)!.throughput).eql([{ end: '2030-01-01T00:00:05.000Z', down: 700, up: 0 }]);
    deltas = [];
    clock.pass(5000);
    should(deltas.map(({ throughput }) => throughput)).eql([
      [{ end: '2030-01-01T00:00:10.000Z', down: 0, up: 0 }],
    ]);
  });

  it('tells all buckets that were missed by a process that stood still', () => {
    feed.snapshot();
    tell('a');
    tell('a', { event: 'progress', bytes: 700 });
    const stuck = new VirtualClock(12_000);
    Object.assign(clock, { now: stuck.now });
    clock.pass(PAUSE);
    should(deltas[0]!.throughput!.map(({ down }) => down)).eql([700, 0]);
  });

  it('follows the time of day only when it is set', () => {
    const { end } = feed.snapshot().throughput;
    clock.setDay(400);
    should(feed.snapshot().throughput.end).equal(end);
    clock.setDay(3_600_000);
    should(feed.snapshot().throughput.end).equal('2030-01-01T01:00:00.400Z');
  });

  it('leaves a hole in the sequence where nobody looked', () => {
    should(feed.snapshot().sequence).equal(1);
    clock.pass(LEASE - 1);
    const told = deltas.length;
    should(feed.watch()).equal(1 + told);
    clock.pass(LEASE - 1);
    tell('a');
    clock.pass(PAUSE);
    const last = deltas.at(-1)!.sequence;
    clock.pass(60_000);
    should(feed.watch()).equal(last + 1);
    tell('b');
    clock.pass(PAUSE);
    should(deltas.at(-1)!.sequence).equal(last + 2);
    should(ids(deltas.at(-1)!.started)).eql(['b']);
  });

  it('goes on when publishing throws', async () => {
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    let calls = 0;
    feed = new MonitorFeed(
      monitor,
      () => {
        calls += 1;
        throw new Error('no editor');
      },
      clock,
    );
    feed.snapshot();
    tell('a');
    clock.pass(PAUSE);
    tell('b');
    clock.pass(PAUSE);
    should(calls).equal(2);
    should((await warned).message).match(/no editor/);
  });

  it('tells of a thousand live transfers in one delta', () => {
    feed.snapshot();
    for (let i = 0; i < 1000; i += 1) tell(`t${i}`);
    clock.pass(PAUSE);
    for (let i = 0; i < 1000; i += 1) tell(`t${i}`, { event: 'progress', bytes: i + 1 });
    clock.pass(PAUSE);
    should(deltas.map(({ started, progress }) => [started.length, progress.length])).eql([
      [1000, 0],
      [0, 1000],
    ]);
    should(feed.snapshot().live).have.length(1000);
  });
});
