import should = require('should');
import {
  bytesSetting,
  choiceSetting,
  flagSetting,
  millisecondsSetting,
  numberSetting,
  portsSetting,
  textSetting,
  withoutUndefined,
} from '../../src/node-red/setting';

describe('setting', () => {
  it('reads numbers, and knows blank ones', () => {
    should(numberSetting('n', ' 12 ')).equal(12);
    should(numberSetting('n', 1.5)).equal(1.5);
    for (const blank of ['', undefined, null]) should(numberSetting('n', blank)).be.undefined();
    for (const bad of ['x', ' ', '1e999', NaN, true, {}]) {
      should(() => numberSetting('n', bad)).throw({ code: 'EINVAL' });
    }
  });

  it('reads seconds and MiB', () => {
    should(millisecondsSetting('t', '0.0105', 0.01, 255)).equal(11);
    should(millisecondsSetting('t', '', 0.01, 255)).be.undefined();
    should(() => millisecondsSetting('t', '256', 0.01, 255)).throw(/0\.01 to 255 seconds/);
    should(bytesSetting('s', '0.5')).equal(524_288);
    should(bytesSetting('s', '')).be.undefined();
  });

  it('reads ports and ranges of them', () => {
    should(portsSetting('p', '50000')).equal(50_000);
    should(portsSetting('p', 50_000)).equal(50_000);
    should(portsSetting('p', ' 50000 - 50100 ')).eql([50_000, 50_100]);
    should(portsSetting('p', '')).be.undefined();
    should(() => portsSetting('p', '1-2-3')).throw(/50000-50100/);
  });

  it('reads text, flags and choices', () => {
    should([' a ', 5, null, {}, undefined].map(textSetting)).eql(['a', '5', '', '', '']);
    should([true, 'true', false, 'false', 1, ''].map(flagSetting)).eql([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    should(choiceSetting('c', 'b', ['a', 'b'])).equal('b');
    should(() => choiceSetting('c', undefined, ['a', 'b'])).throw(/c is undefined.*a, b/);
  });

  it('leaves out what is undefined, and keeps null', () => {
    const given: { a: undefined; b: null; c: number } = { a: undefined, b: null, c: 0 };
    should(Object.keys(withoutUndefined<object>(given))).eql(['b', 'c']);
  });
});
