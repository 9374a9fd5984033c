/** What the sidebar knows: a snapshot, and what deltas make of it. */

import should = require('should');
import { TOTALS, delta, ended, row, snapshot } from './sidebar-data';
import { loadSidebarPage, plain } from './sidebar-page';
import type { SidebarState } from './sidebar-page';

const RECEIVED = Date.parse('2026-01-02T03:04:08.000Z');

describe('the state of the sidebar', () => {
  const { state: model } = loadSidebarPage().sidebar;
  let state: SidebarState;

  beforeEach(() => {
    state = model.fromSnapshot(snapshot(), RECEIVED);
  });

  it('holds a snapshot, and how far the clocks are apart', () => {
    should(state.sequence).equal(7);
    should(state.clockOffset).equal(2000);
    should([...state.live.keys()]).deepEqual(['a']);
    should(plain(state.finished).map(({ id }) => id)).deepEqual(['old']);
    should(state.nodes.get('n1')?.name).equal('Phones');
  });

  it('does not change the arrays of the snapshot', () => {
    const told = snapshot() as { throughput: { down: number[] } };
    const bucket = { end: 'later', down: 9, up: 8 };
    model.apply(model.fromSnapshot(told, 0), delta({ throughput: [bucket] }));
    should(told.throughput.down).deepEqual([1, 2, 3]);
  });

  it('moves rows on', () => {
    const progress = [['a', 750, 1000, 200, 150, 1250, 6000, 3, 2, 0]];
    should(model.apply(state, delta({ progress }))).equal(true);
    const moved = { event: 'progress', bytes: 750, percent: 75, rate: 200, averageRate: 150 };
    const rest = { eta: 1250, elapsed: 6000, retransmits: 3, duplicates: 2 };
    should(plain(state.live.get('a'))).containDeep({ ...moved, ...rest });
  });

  it('knows no percentage of a file of unknown size, and never more than 100', () => {
    model.apply(state, delta({ progress: [['a', 750, null, 1, 1, null, 1, 0, 0, 0]] }));
    should(state.live.get('a')?.percent).equal(null);
    const over = [['a', 1001, 1000, 1, 1, null, 1, 0, 0, 0]];
    model.apply(state, delta({ sequence: 9, progress: over }));
    should(state.live.get('a')?.percent).equal(100);
  });

  it('keeps the number of retries while the peer is silent, and forgets both when it answers', () => {
    state.live.get('a')!.retry = { attempt: 1, retries: 6 };
    model.apply(state, delta({ progress: [['a', 500, 1000, 0, 1, 1, 1, 0, 0, 2]] }));
    should(plain(state.live.get('a')?.retry)).deepEqual({ attempt: 2, retries: 6 });
    const answered = [['a', 500, 1000, 0, 1, 1, 1, 0, 0, 0]];
    model.apply(state, delta({ sequence: 9, progress: answered }));
    should(state.live.get('a')?.retry).be.undefined();
  });

  it('ignores the progress of a row that it does not know', () => {
    should(model.apply(state, delta({ progress: [['b', 1, 2, 3, 4, 5, 6, 7, 8, 0]] }))).equal(true);
    should(state.live.size).equal(1);
  });

  it('adds what starts at the end, with its node', () => {
    const node = { id: 'n3', reveal: 'n3', type: 'tftp-put', name: '' };
    model.apply(state, delta({ started: [row({ id: 'b', node: 'n3' })], nodes: [node] }));
    should([...state.live.keys()]).deepEqual(['a', 'b']);
    should(state.nodes.get('n3')?.type).equal('tftp-put');
  });

  it('puts what ends on top of what is over, and keeps a hundred', () => {
    model.apply(state, delta({ finished: [ended('a')], liveCount: 0 }));
    should(state.live.size).equal(0);
    should(state.liveCount).equal(0);
    should(plain(state.finished).map(({ id }) => id)).deepEqual(['a', 'old']);
    const many = Array.from({ length: 100 }, (_, index) => ended(`x${index}`));
    model.apply(state, delta({ sequence: 9, finished: many }));
    should(state.finished.length).equal(100);
    should(state.finished[0]?.id).equal('x0');
  });

  it('keeps fifty failures more than those, as the runtime does', () => {
    const error = { code: 'ETIMEDOUT', tftpCode: 0, message: 'No answer' };
    const failures = Array.from({ length: 51 }, (_, index) =>
      row({ id: `f${index}`, event: 'error', error }),
    );
    const many = Array.from({ length: 100 }, (_, index) => ended(`x${index}`));
    model.apply(state, delta({ finished: failures }));
    model.apply(state, delta({ sequence: 9, finished: many }));
    should(plain(state.finished).map(({ id }) => id)).deepEqual([
      ...many.map(({ id }) => id),
      ...failures.slice(0, 50).map(({ id }) => id),
    ]);
  });

  it('holds a transfer once that started and ended within a delta', () => {
    model.apply(state, delta({ started: [row({ id: 'b' })], finished: [ended('b')] }));
    should(state.live.has('b')).equal(false);
    should(plain(state.finished).map(({ id }) => id)).deepEqual(['b', 'old']);
  });

  it('drops what vanished without an end', () => {
    model.apply(state, delta({ gone: ['a'], liveCount: 0 }));
    should(state.live.size).equal(0);
    should(state.finished.length).equal(1);
  });

  it('shifts the throughput', () => {
    model.apply(state, delta({ throughput: [{ end: 'later', down: 9, up: 8 }] }));
    should(plain(state.throughput)).deepEqual({
      ...{ interval: 5000, end: 'later' },
      ...{ down: [2, 3, 9], up: [0, 0, 8] },
    });
  });

  it('takes no bucket of the throughput twice', () => {
    const known = { end: '2026-01-02T03:04:10.000Z', down: 3, up: 0 };
    model.apply(state, delta({ throughput: [known] }));
    should(plain(state.throughput.down)).deepEqual([1, 2, 3]);
    const next = { end: '2026-01-02T03:04:15.000Z', down: 4, up: 0 };
    model.apply(state, delta({ sequence: 9, throughput: [known, next] }));
    should(plain(state.throughput.down)).deepEqual([2, 3, 4]);
  });

  it('refuses a delta of a runtime that has started since', () => {
    const totals = { ...TOTALS, since: '2026-01-02T03:04:09.000Z' };
    should(model.apply(state, delta({ totals, finished: [ended('a')] }))).equal(false);
    should(state.live.size).equal(1);
  });

  it('refuses a delta after a hole, and changes nothing', () => {
    const before = plain(state);
    should(model.apply(state, delta({ sequence: 9, finished: [ended('a')] }))).equal(false);
    should(plain(state)).deepEqual(before);
    should(state.live.size).equal(1);
  });

  it('takes no delta twice', () => {
    should(model.apply(state, delta({ sequence: 7, finished: [ended('a')] }))).equal(true);
    should(state.live.size).equal(1);
  });

  it('tells failures from what is normal', () => {
    const error = { code: 'ENOENT', tftpCode: 1, message: '' };
    should(model.outcomeOf({ event: 'start' })).equal('running');
    should(model.outcomeOf({ event: 'progress' })).equal('running');
    should(model.outcomeOf({ event: 'complete' })).equal('completed');
    should(model.outcomeOf({ event: 'probe' })).equal('probe');
    should(model.outcomeOf({ event: 'error', error })).equal('failed');
    should(model.outcomeOf({ event: 'error', error: { ...error, expected: true } })).equal(
      'expected',
    );
    const cancelled = { ...error, code: 'ECANCELED' };
    should(model.outcomeOf({ event: 'error', error: cancelled })).equal('cancelled');
  });
});
