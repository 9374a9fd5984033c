import should = require('should');
import { MAX_FINISHED, MAX_OLDER_FAILURES } from '../../src/node-red/finished-transfers';
import { MAX_LIVE, TransferMonitor, describeNode } from '../../src/node-red/transfer-monitor';
import { recordOf } from '../helpers/records';
import { VirtualClock } from '../helpers/virtual-clock';
import type { TransferRecord } from '../../src/net/transfer-record';
import type { MonitoredNode } from '../../src/node-red/monitored-transfer';
import type { MonitoredSource } from '../../src/node-red/transfer-monitor';

const NODE: MonitoredNode = { id: 'n', reveal: 'n', type: 'tftp-server', name: 'phones' };

describe('TransferMonitor', () => {
  let clock: VirtualClock;
  let monitor: TransferMonitor;
  let source: MonitoredSource;
  let cancelled: string[];
  beforeEach(() => {
    clock = new VirtualClock();
    monitor = new TransferMonitor(clock);
    cancelled = [];
    source = add(NODE);
  });

  function add(node: MonitoredNode): MonitoredSource {
    return monitor.add({ node, cancel: (id) => cancelled.push(id) > 0 });
  }

  const tell = (id: string, own: Partial<TransferRecord> = {}): void =>
    source.tell(recordOf({ id, ...own }));
  const liveIds = (): string[] => [...monitor.live.keys()];
  const finishedIds = (): string[] => monitor.finished().map(({ record }) => record.id);

  it('holds what runs, oldest first, and what has ended, newest first', () => {
    for (const id of ['a', 'b', 'c']) tell(id);
    tell('a', { event: 'progress', bytes: 10 });
    should(liveIds()).eql(['a', 'b', 'c']);
    should(monitor.find('a')!.record).have.properties({ event: 'progress', bytes: 10 });
    tell('b', { event: 'complete' });
    tell('a', { event: 'probe' });
    should(liveIds()).eql(['c']);
    should(monitor.liveCount).equal(1);
    should(finishedIds()).eql(['a', 'b']);
    should(monitor.finished(1).map(({ node }) => node)).eql([NODE]);
    should(monitor.find('b')!.record.event).equal('complete');
    should(monitor.find('d')).equal(undefined);
  });

  it('counts the ends by their kinds, and bytes as they move', () => {
    const error = { code: 'ENOENT', tftpCode: 1, message: 'File not found' };
    tell('a');
    tell('a', { event: 'progress', bytes: 1000, retransmits: 2 });
    tell('a', { event: 'complete', bytes: 1500, retransmits: 3 });
    tell('b', { operation: 'write' });
    tell('b', { operation: 'write', event: 'error', bytes: 70, error });
    const ends: Partial<TransferRecord>[] = [
      { event: 'probe' },
      { event: 'error', error: { ...error, expected: true } },
      { event: 'error', error: { ...error, code: 'ECANCELED' } },
    ];
    for (const [index, end] of ends.entries()) {
      tell(`c${index}`);
      tell(`c${index}`, end);
    }
    should(monitor.totals).eql({
      since: '2030-01-01T00:00:00.000Z',
      completed: 1,
      failed: 1,
      expected: 1,
      probes: 1,
      cancelled: 1,
      bytesDown: 1500,
      bytesUp: 70,
      retransmits: 3,
      rateDown: 0,
      rateUp: 0,
    });
    clock.pass(1000);
    should(monitor.totals).have.properties({ rateDown: 500, rateUp: 23 });
    clock.pass(4000);
    should(monitor.totals).have.properties({ rateDown: 0, rateUp: 0 });
    should(monitor.throughput.down.at(-1)).equal(1500);
    should(monitor.throughput.up.at(-1)).equal(70);
    should(monitor.throughput).have.property('end', 5000);
  });

  it('keeps ten minutes of throughput', () => {
    tell('a');
    tell('a', { event: 'progress', bytes: 5 });
    clock.pass(600_000);
    should(monitor.throughput.down).have.length(120);
    should(monitor.throughput.down[0]).equal(5);
    clock.pass(5000);
    should(monitor.throughput.down.every((bytes) => bytes === 0)).equal(true);
  });

  it('holds no more than its limits, and counts the rest', () => {
    for (let i = 0; i < MAX_LIVE + 5; i += 1) tell(`t${i}`);
    should(monitor.live.size).equal(MAX_LIVE);
    should(monitor.liveCount).equal(MAX_LIVE + 5);
    tell(`t${MAX_LIVE}`, { event: 'progress', bytes: 10 });
    should(monitor.totals.bytesDown).equal(0);
    tell(`t${MAX_LIVE}`, { event: 'complete', bytes: 20 });
    should(monitor.totals.bytesDown).equal(20);
    for (let i = 0; i < MAX_LIVE; i += 1) tell(`t${i}`, { event: 'complete' });
    should(monitor.liveCount).equal(4);
    should(monitor.finishedCount).equal(MAX_LIVE + 1);
    should(finishedIds()).have.length(MAX_FINISHED);
    should(finishedIds()[0]).equal(`t${MAX_LIVE - 1}`);
    should(finishedIds().at(-1)).equal(`t${MAX_LIVE - MAX_FINISHED}`);
  });

  it('holds failures while a crowd is served, the newest of them', () => {
    const error = { code: 'ETIMEDOUT', tftpCode: 0, message: 'No answer' };
    for (let i = 0; i <= MAX_OLDER_FAILURES; i += 1) {
      tell(`f${i}`);
      tell(`f${i}`, { event: 'error', error, trace: ['silent'] });
      tell(`c${i}`);
      tell(`c${i}`, { event: 'error', error: { ...error, code: 'ECANCELED' } });
    }
    const before = monitor.finishedCount;
    for (let i = 0; i < MAX_FINISHED; i += 1) {
      tell(`t${i}`);
      tell(`t${i}`, { event: 'complete' });
    }
    const ids = finishedIds();
    should(ids.slice(0, MAX_FINISHED)).matchEach(/^t/);
    should(ids.slice(MAX_FINISHED)).eql(
      Array.from({ length: MAX_OLDER_FAILURES }, (_, i) => `f${MAX_OLDER_FAILURES - i}`),
    );
    should(monitor.find('f1')!.record.trace).eql(['silent']);
    should(monitor.find('f0')).equal(undefined);
    should(monitor.finished(before)).have.length(MAX_FINISHED);
    should(monitor.finished(before - 2).map(({ record }) => record.id)[MAX_FINISHED]).equal(
      `f${MAX_OLDER_FAILURES}`,
    );
    should(monitor.finished(before - 1)).have.length(MAX_FINISHED);
  });

  it('takes one that was only counted when there is room, with all that it has moved', () => {
    for (let i = 0; i <= MAX_LIVE; i += 1) tell(`t${i}`);
    tell('t0', { event: 'complete' });
    tell(`t${MAX_LIVE}`, { event: 'progress', bytes: 30 });
    tell(`t${MAX_LIVE}`, { event: 'progress', bytes: 40 });
    should(liveIds().at(-1)).equal(`t${MAX_LIVE}`);
    should(monitor.liveCount).equal(MAX_LIVE);
    should(monitor.totals.bytesDown).equal(40);
  });

  it('cuts long texts', () => {
    const long = 'x'.repeat(100_000);
    const error = { code: 'EIO', tftpCode: 0, message: long };
    const texts = { filename: long, servedAs: long, host: long, error, trace: [long] };
    tell('a', { event: 'start' });
    tell('a', { event: 'error', ...texts });
    should(JSON.stringify(monitor.find('a')).length).be.below(5 * 512 + 1000);
    should(monitor.find('a')!.record.filename).equal(`${'x'.repeat(511)}…`);
    should(describeNode({ id: 'n', type: 't', name: long }).name.length).equal(512);
  });

  it('is not changed by what a flow does to a record', () => {
    const record = recordOf({
      event: 'error',
      retry: { attempt: 1, retries: 3 },
      error: { code: 'EIO', tftpCode: 0, message: 'm' },
      trace: ['line'],
    });
    const before = structuredClone(record);
    tell('a');
    source.tell(record);
    record.filename = 'other';
    record.options.blksize = 1;
    record.retry!.attempt = 9;
    record.error!.message = 'other';
    record.trace!.push('other');
    should(monitor.find('a')!.record).eql(before);
  });

  it('lets the live ones of a node vanish when it is closed, and keeps what has ended', () => {
    const other = add({ ...NODE, id: 'o' });
    tell('a');
    tell('b');
    other.tell(recordOf({ id: 'c' }));
    tell('b', { event: 'complete' });
    source.close();
    source.close();
    should(liveIds()).eql(['c']);
    should(monitor.liveCount).equal(1);
    should(finishedIds()).eql(['b']);
    should(monitor.nodes.map(({ id }) => id)).eql(['o', 'n']);
    tell('a', { event: 'error' });
    tell('d');
    should(liveIds()).eql(['c']);
    should(monitor.liveCount).equal(1);
    should(finishedIds()).eql(['b']);
  });

  it('names a node as it is now, not as it was when a transfer ended', () => {
    tell('a');
    tell('a', { event: 'complete' });
    source.close();
    add({ ...NODE, name: 'renamed' });
    should(monitor.nodes).eql([{ ...NODE, name: 'renamed' }]);
  });

  it('has the node of a live transfer cancel it', () => {
    tell('a');
    tell('b');
    tell('b', { event: 'complete' });
    should(monitor.cancel('a')).equal(true);
    should(monitor.cancel('b')).equal(false);
    should(monitor.cancel('c')).equal(false);
    should(cancelled).eql(['a']);
  });

  it('says which node of a subflow to show', () => {
    const node = { id: 'instance', type: 'tftp-get', _alias: 'template' };
    should(describeNode(node)).eql({
      id: 'instance',
      reveal: 'template',
      type: 'tftp-get',
      name: '',
    });
    should(describeNode({ id: 'a', type: 'tftp-get', name: 'N' }).reveal).equal('a');
  });

  it('takes a name that is no text', () => {
    should(describeNode({ id: 'a', type: 'tftp-get', name: 7 }).name).equal('7');
    should(describeNode({ id: 'a', type: 'tftp-get', name: {} }).name).equal('');
  });
});
