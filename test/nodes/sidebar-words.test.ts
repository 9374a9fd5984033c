/** Numbers and sentences of the sidebar, and its chart. */

import should = require('should');
import { TFTP_ERROR_CODES } from '../../src/protocol/errors';
import { loadSidebarPage, plain } from './sidebar-page';

describe('the words of the sidebar', () => {
  const { words } = loadSidebarPage().sidebar;
  const german = loadSidebarPage('de').sidebar.words;

  it('tell bytes in the unit that fits', () => {
    const told = [0, 1, 999, 1000, 1234, 99_950, 1e6, 123_456_789, 2e12, 5e15].map(words.bytes);
    should(told.slice(0, 5)).deepEqual(['0 bytes', '1 byte', '999 bytes', '1 kB', '1.2 kB']);
    should(told.slice(5)).deepEqual(['100 kB', '1 MB', '123 MB', '2 TB', '5,000 TB']);
  });

  it('tell rates in kilobytes at least', () => {
    should([0, 512, 1_250_000].map(words.rate)).deepEqual(['0 kB/s', '0.5 kB/s', '1.3 MB/s']);
  });

  it('tell time spans shortly', () => {
    const told = [0, 35, 4200, 9970, 42_000, 59_700, 185_000, 3_600_000, 90_061_000];
    should(told.map((ms) => words.duration(ms))).deepEqual([
      ...['0ms', '35ms', '4.2s', '10s', '42s', '1:00', '3:05', '1:00:00', '1d 1h'],
    ]);
  });

  it('call it 100 % when all has arrived, and not before', () => {
    should([0, 42.9, 99.9, 100].map(words.percent)).deepEqual(['0%', '42%', '99%', '100%']);
  });

  it('speak the language of the editor', () => {
    should(german.bytes(1234).replace(/\s/, ' ')).equal('1,2 kB');
    german.duration(4200).should.startWith('4,2');
  });

  it('speak that of the browser where the editor has one that is none', () => {
    should(loadSidebarPage('not a language').sidebar.words.bytes(2000)).match(/2/);
  });

  it('have a reason for each error, and never a code', () => {
    const reasons = TFTP_ERROR_CODES.map((code) => words.reason({ code }));
    for (const reason of reasons) reason.should.not.match(/E[A-Z]{3}|tftp\.|^$/);
    should(new Set(reasons).size).equal(reasons.length);
    should(words.reason({ code: 'EWHATEVER' })).equal(words.reason({ code: 'EUNDEF' }));
    should(words.reason({ code: 'EUNDEF', by: 'flow' })).equal('refused by the flow');
  });

  it('name nodes', () => {
    const node = { id: 'n', reveal: 'n', type: 'tftp-get', name: '' };
    should(words.nodeName(node)).equal('tftp get');
    should(words.nodeName({ ...node, name: 'Phones' })).equal('Phones');
    should(words.nodeName(undefined)).equal('');
  });

  it('say what happened, and leave out what they have no sentence for', () => {
    const values = { host: '192.0.2.1', block: 17_042, blocks: 28_041, silence: 9.53 };
    const told = words.sentence({ key: 'silentInTheMiddle', values }) ?? '';
    told.should.containEql('192.0.2.1').and.containEql('17,042').and.containEql('9.5 s');
    const refused = words.sentence({ key: 'nothingListens', values: { host: 'x', port: 1069 } });
    should(refused).containEql('1069');
    should(words.sentence({ key: 'of-another-version', values: {} })).be.undefined();
  });
});

describe('the chart of the sidebar', () => {
  const { chart } = loadSidebarPage().sidebar;
  const throughput = { interval: 5000, end: '', down: [0, 5000, 10_000], up: [0, 0, 0] };

  it('has a scale that is round', () => {
    const values = [0, 1, 1.1, 2, 3, 6, 10, 4_200_000];
    should(values.map(chart.niceCeiling)).deepEqual([0, 1, 2, 2, 5, 10, 10, 5_000_000]);
  });

  it('draws bytes per second, the newest to the right', () => {
    const { top, paths } = plain(chart.draw(throughput, 100, 42));
    should(top).equal(2000);
    should(paths.down.line).equal('M0,42L50,22L100,2');
    should(paths.down.area).equal('M0,42L50,22L100,2L100,42L0,42Z');
    should(paths.up.line).equal('');
  });

  it('draws nothing where nothing was transferred', () => {
    const { top, paths } = chart.draw({ ...throughput, down: [0, 0, 0] }, 100, 42);
    should(top).equal(0);
    should(paths.down.area).equal('');
    should(chart.draw({ ...throughput, down: [], up: [] }, 100, 42).paths.up.line).equal('');
  });
});
