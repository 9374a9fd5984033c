import should = require('should');
import { contentOf } from '../../src/node-red/content';

describe('contentOf', () => {
  it('refuses what has no bytes', () => {
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (const value of [undefined, null, Symbol('s'), () => 1, circular]) {
      should(() => contentOf(value)).throw({ code: 'EINVAL' });
    }
  });
});
