/** Which transfers the sidebar lists, where they stand, and what it says if there are none. */

import should = require('should');
import { ended, row, snapshot } from './sidebar-data';
import { loadSidebarPage, plain } from './sidebar-page';
import type { Filter, Item } from './sidebar-page';

const { filter, list, notices, state: model } = loadSidebarPage().sidebar;

const ERROR = { code: 'ENOENT', tftpCode: 1, message: '' };
const STATE = model.fromSnapshot(
  snapshot({
    live: [
      row({ id: 'first' }),
      row({ id: 'second', filename: 'Boot/GRUB.efi', node: 'n2', host: '2001:db8::7' }),
    ],
    liveCount: 5,
    finished: [
      ended('good', { mac: '00:11:22:aa:bb:cc' }),
      ended('bad', { event: 'error', error: ERROR, servedAs: 'other/name' }),
      ended('expected', { event: 'error', error: { ...ERROR, expected: true } }),
      ended('probe', { event: 'probe' }),
      ended('stopped', { event: 'error', error: { ...ERROR, code: 'ECANCELED' } }),
    ],
  }),
  0,
);

function shown(part: Partial<Filter>): string[] {
  const items = filter.itemsOf(STATE, { ...filter.everything(), ...part });
  return plain(items)
    .filter(({ kind }) => kind === 'row')
    .map(({ key }) => key);
}

describe('the filter of the sidebar', () => {
  it('shows what runs above what is over, each under a heading', () => {
    const items = plain(filter.itemsOf(STATE, filter.everything()));
    const keys = [
      'first',
      'second',
      'heading-finished',
      'good',
      'bad',
      'expected',
      'probe',
      'stopped',
    ];
    should(items.map(({ key }) => key)).deepEqual(['heading-running', ...keys]);
    should(items[0]).containDeep({ group: 'running', count: 2, unlisted: 3 });
    should(items[4]).containDeep({ group: 'finished', place: 1, count: 5 });
  });

  it('has no heading above nothing', () => {
    const items = plain(filter.itemsOf(STATE, { text: '', node: '', outcome: 'probe' }));
    should(items.length).equal(9);
    const quiet = plain(filter.itemsOf(STATE, { text: '', node: '', outcome: 'quiet' }));
    should(quiet.map(({ key }) => key)).deepEqual(['heading-finished', 'expected', 'probe']);
  });

  it('finds text in files, peers, MAC addresses and the names of nodes, in any case', () => {
    should(shown({ text: ' grub ' })).deepEqual(['second']);
    should(shown({ text: '2001:DB8' })).deepEqual(['second']);
    should(shown({ text: 'AA:BB' })).deepEqual(['good']);
    should(shown({ text: 'other/' })).deepEqual(['bad']);
    should(shown({ text: 'phones' }))
      .containEql('first')
      .and.not.containEql('second');
    should(shown({ text: 'undefined' })).deepEqual([]);
  });

  it('shows the transfers of one node', () => {
    should(shown({ node: 'n2' })).deepEqual(['second']);
  });

  it('shows each transfer under all, and under one outcome', () => {
    const outcomes = ['running', 'completed', 'failed', 'quiet', 'cancelled'];
    should(plain(filter.CHOICES)).deepEqual(['all', ...outcomes]);
    const found = outcomes.flatMap((outcome) => shown({ outcome }));
    should(found).deepEqual(['first', 'second', 'good', 'bad', 'expected', 'probe', 'stopped']);
    should(shown({ outcome: 'failed', text: 'zzz' })).deepEqual([]);
  });

  it('is remembered, and wrong memories are not believed', () => {
    should(plain(filter.remembered())).deepEqual({ text: '', node: '', outcome: 'all' });
    filter.remember({ text: 'x', node: 'n1', outcome: 'failed' });
    should(plain(filter.remembered())).deepEqual({ text: 'x', node: 'n1', outcome: 'failed' });
    filter.remember({ text: 'x', node: 'n1', outcome: 'nonsense' });
    should(filter.remembered().outcome).equal('all');
    filter.remember(filter.everything());
  });
});

describe('the list of the sidebar', () => {
  const items = (...keys: string[]): Item[] =>
    keys.map((key) => ({ kind: 'row', key, group: key.startsWith('r') ? 'running' : 'finished' }));
  const laidOut = (...keys: string[]) => {
    const listed = items(...keys);
    return { items: listed, ...list.layOut(listed, () => 30) };
  };

  it('stacks items of different heights', () => {
    const { tops, height } = list.layOut(items('r1', 'f1', 'r2'), ({ key }) =>
      key === 'f1' ? 200 : 30,
    );
    should(plain(tops)).deepEqual([0, 30, 230]);
    should(height).equal(260);
  });

  it('knows which items can be seen, those at the edges too', () => {
    const { tops } = laidOut('r1', 'r2', 'r3', 'r4', 'r5');
    should(plain(list.between(tops, 0, 60))).deepEqual({ first: 0, end: 2 });
    should(plain(list.between(tops, 45, 91))).deepEqual({ first: 1, end: 4 });
    should(plain(list.between(tops, -120, 1000))).deepEqual({ first: 0, end: 5 });
    should(plain(list.between([], 0, 60))).deepEqual({ first: 0, end: 0 });
  });

  it('keeps still what is looked at while rows come and go above it', () => {
    const before = laidOut('r1', 'r2', 'f1', 'f2');
    should(list.shift(before, laidOut('r2', 'f0', 'f1', 'f2'), 65)).equal(0);
    should(list.shift(before, laidOut('r1', 'r2', 'r3', 'f1', 'f2'), 65)).equal(30);
    should(list.shift(before, laidOut('f1', 'f2'), 65)).equal(-60);
  });

  it('does not follow a row that ends and leaves for the other group', () => {
    const before = laidOut('r1', 'r2', 'r3');
    const after = laidOut('r2', 'r3', 'r1');
    after.items[2]!.group = 'finished';
    should(list.shift(before, after, 5)).equal(-30);
    should(list.shift(before, laidOut('f7'), 5)).equal(0);
  });
});

describe('the notice of the sidebar', () => {
  const facts = {
    ...{ state: STATE, problem: undefined, items: filter.itemsOf(STATE, filter.everything()) },
    countNodes: () => 1,
  };
  const idle = model.fromSnapshot(snapshot({ live: [], finished: [], liveCount: 0 }), 0);

  it('is none while there is a list', () => {
    should(notices.choose(facts)).be.undefined();
  });

  it('says what stands between the sidebar and the runtime', () => {
    should(notices.choose({ ...facts, problem: 'forbidden' })).equal('forbidden');
    should(notices.choose({ ...facts, state: model.empty() })).equal('loading');
  });

  it('says why the list is empty', () => {
    should(notices.choose({ ...facts, items: [] })).equal('filtered');
    const nothing = { ...facts, items: [], state: idle };
    should(notices.choose(nothing)).equal('nothing');
    should(notices.choose({ ...nothing, countNodes: () => 0 })).equal('noNodes');
  });
});
