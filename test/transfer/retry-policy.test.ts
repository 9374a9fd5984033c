import fc = require('fast-check');
import should = require('should');
import { RetryTimer } from '../../src/transfer/retry-policy';
import type { RetryPolicy } from '../../src/transfer/retry-policy';

const POLICY: RetryPolicy = {
  timeout: 1_000,
  minTimeout: 200,
  maxTimeout: 10_000,
  retries: 6,
  openingSends: 3,
  random: () => 0,
};

/** The waits of the first `count` attempts. */
function waits(
  policy: RetryPolicy,
  count: number,
  prepare?: (timer: RetryTimer) => void,
): number[] {
  const timer = new RetryTimer(policy);
  prepare?.(timer);
  return Array.from({ length: count }, () => {
    timer.arm(0);
    const wait = timer.deadline!;
    timer.expired(wait);
    return wait;
  });
}

describe('RetryTimer', () => {
  it('doubles up to the longest timeout', () => {
    should(waits(POLICY, 6)).deepEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  });

  it('waits up to an eighth longer by chance, from the second time on', () => {
    const most = { ...POLICY, random: () => 1 };
    should(waits(most, 5)).deepEqual([1_000, 2_250, 4_500, 9_000, 11_250]);
    const half = { ...POLICY, random: () => 0.5 };
    should(waits(half, 3)).deepEqual([1_000, 2_125, 4_250]);
  });

  it('is never shorter than the least, and never longer than the longest and its jitter', () => {
    const sample = fc.double({ min: 0, max: 60_000, noNaN: true });
    const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(
        fc.array(sample, { maxLength: 8 }),
        random,
        fc.nat(40),
        (samples, r, attempts) => {
          const all = waits({ ...POLICY, random: () => r }, attempts + 1, (timer) => {
            for (const s of samples) timer.measure(s);
          });
          const base = all[0]!;
          should(base).be.aboveOrEqual(200);
          for (const wait of all) {
            should(wait).be.within(Math.min(base, 10_000), (Math.max(base, 10_000) * 9) / 8);
          }
        },
      ),
    );
  });

  it('starts from the measured round trip, and not below the least timeout', () => {
    should(waits(POLICY, 2, (timer) => timer.measure(100))).deepEqual([300, 600]);
    should(waits(POLICY, 2, (timer) => timer.measure(1))).deepEqual([200, 400]);
  });

  it('takes a negotiated timeout, shorter than the least or longer than the longest', () => {
    should(waits(POLICY, 2, (timer) => timer.negotiate(3_000))).deepEqual([3_000, 6_000]);
    should(waits(POLICY, 2, (timer) => timer.negotiate(50))).deepEqual([50, 100]);
    should(waits(POLICY, 2, (timer) => timer.negotiate(20_000))).deepEqual([20_000, 20_000]);
  });

  it('forgets what it measured before the negotiation, and only then', () => {
    const prepare = (timeout: number | undefined) => (timer: RetryTimer) => {
      timer.measure(100);
      timer.negotiate(timeout);
    };
    should(waits(POLICY, 1, prepare(3_000))).deepEqual([3_000]);
    should(waits(POLICY, 1, prepare(undefined))).deepEqual([300]);
  });

  it('expires once, not before its deadline', () => {
    const timer = new RetryTimer(POLICY);
    should(timer.expired(5)).be.false();
    timer.arm(10);
    should(timer.deadline).equal(1_010);
    should(timer.expired(1_009.9)).be.false();
    should(timer.attempt).equal(0);
    should(timer.expired(1_010)).be.true();
    should(timer.attempt).equal(1);
    should(timer.deadline).be.undefined();
    should(timer.expired(9_999)).be.false();
    should(timer.attempt).equal(1);
  });

  it('begins anew with progress', () => {
    const timer = new RetryTimer(POLICY);
    timer.arm(0);
    timer.expired(1_000);
    timer.progress();
    should(timer.attempt).equal(0);
    timer.arm(1_000);
    should(timer.deadline).equal(2_000);
  });

  it('waits for nothing when it is disarmed', () => {
    const timer = new RetryTimer(POLICY);
    timer.arm(0);
    timer.disarm();
    should(timer.deadline).be.undefined();
    should(timer.expired(9_999)).be.false();
  });
});
