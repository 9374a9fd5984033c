import should = require('should');
import { checkNumber } from '../../src/net/check-setting';

describe('checkNumber', () => {
  for (const value of [1, 5, 9]) {
    it(`takes ${value} from 1 to 9`, () => checkNumber('n', value, 1, 9));
  }

  for (const value of [0, 10, 1.5, NaN, Infinity, '5', null, undefined, 5n]) {
    it(`refuses ${typeof value} ${String(value)}, and says what it must be`, () => {
      should(() => void Reflect.apply(checkNumber, undefined, ['n', value, 1, 9])).throw(
        `n is ${String(value)}: it must be a whole number from 1 to 9`,
        { code: 'EINVAL', name: 'LocalError' },
      );
    });
  }
});
