import should = require('should');
import { NameFilter } from '../../src/server/name-filter';

describe('NameFilter', () => {
  for (const [patterns, included, excluded] of [
    [[], ['a', 'a/b'], []],
    [
      ['*.cfg', 'fw/**'],
      ['a.cfg', 'fw/x/y'],
      ['a.bin', 'A.CFG', 'x/a.cfg'],
    ],
    [['!secret/**'], ['a', 'x/secret/a'], ['secret/a', 'SECRET/a']],
    [['!a1.cfg', '*.cfg'], ['a2.cfg'], ['a1.cfg', 'b.bin']],
  ] as const) {
    it(`of ${JSON.stringify(patterns)}`, () => {
      const filter = new NameFilter(patterns);
      for (const name of included) should(filter.includes(name)).equal(true, name);
      for (const name of excluded) should(filter.includes(name)).equal(false, name);
      should(filter.isEmpty).equal(patterns.length === 0);
    });
  }
});
