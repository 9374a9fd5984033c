import should = require('should');
import { RoundTripTime } from '../../src/transfer/round-trip-time';

describe('RoundTripTime', () => {
  it('is the first timeout until something was measured', () => {
    should(new RoundTripTime(1_000).timeout).equal(1_000);
  });

  it('takes the first measurement R as SRTT = R and RTTVAR = R/2 (RFC 6298 section 2.2)', () => {
    const time = new RoundTripTime(1_000);
    time.measure(100);
    should(time.timeout).equal(100 + 4 * 50);
  });

  it('follows with alpha 1/8 and beta 1/4, the variation first (RFC 6298 section 2.3)', () => {
    const time = new RoundTripTime(1_000);
    time.measure(100);
    time.measure(100); // RTTVAR = 3/4 * 50 + 1/4 * 0 = 37.5
    should(time.timeout).equal(100 + 4 * 37.5);
    time.measure(200); // RTTVAR = 3/4 * 37.5 + 1/4 * 100 = 53.125, SRTT = 7/8 * 100 + 1/8 * 200
    should(time.timeout).equal(112.5 + 4 * 53.125);
    time.measure(0); // RTTVAR = 3/4 * 53.125 + 1/4 * 112.5 = 67.96875, SRTT = 7/8 * 112.5
    should(time.timeout).equal(98.4375 + 4 * 67.96875);
  });

  it('takes a round trip of nothing', () => {
    const time = new RoundTripTime(1_000);
    time.measure(0);
    should(time.timeout).equal(0);
  });
});
