import fc = require('fast-check');
import should = require('should');
import { RetryTimer, retryPolicy } from '../../src/transfer/retry-policy';
import type { RetryPolicy } from '../../src/transfer/retry-policy';

const POLICY: RetryPolicy = {
  timeout: 1_000,
  minTimeout: 200,
  maxTimeout: 10_000,
  retries: 6,
  openingSends: 3,
  random: () => 0,
};

/** The waits of the first `count` attempts, in windows if nothing else was negotiated. */
function waits(
  policy: RetryPolicy,
  count: number,
  prepare: (timer: RetryTimer) => void = () => undefined,
): number[] {
  const timer = new RetryTimer(policy);
  timer.negotiate({ windowsize: 2 });
  prepare(timer);
  let now = 0;
  return Array.from({ length: count }, () => {
    timer.arm(now);
    const wait = timer.deadline! - now;
    now = timer.deadline!;
    timer.expired(now);
    return Math.round(1_000 * wait) / 1_000;
  });
}

/** When something is sent again to a peer that stays silent, and when it is given up. */
function schedule(policy: RetryPolicy, prepare: (timer: RetryTimer) => void): number[] {
  const timer = new RetryTimer(policy);
  prepare(timer);
  const times: number[] = [];
  for (let now = 0; ; now = timer.deadline!) {
    if (timer.expired(now)) times.push(Math.round(now));
    if (timer.exhausted(now)) return times;
    timer.arm(now);
  }
}

describe('RetryTimer', () => {
  it('doubles up to the longest timeout', () => {
    should(waits(POLICY, 7)).deepEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000]);
  });

  it('waits up to an eighth longer by chance, from the second time on', () => {
    const most = { ...POLICY, random: () => 1 };
    should(waits(most, 6)).deepEqual([1_000, 2_250, 4_500, 9_000, 11_250, 11_250]);
    const half = { ...POLICY, random: () => 0.5 };
    should(waits(half, 3)).deepEqual([1_000, 2_125, 4_250]);
  });

  it('is never shorter than the least, and never longer than the longest and its jitter', () => {
    const sample = fc.double({ min: 0, max: 60_000, noNaN: true });
    const random = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 8 }), random, fc.nat(5), (samples, r, attempts) => {
        const policy = { ...POLICY, retries: 100, random: () => r };
        const all = waits(policy, attempts + 1, (timer) => {
          for (const s of samples) timer.measure(s);
        });
        const base = all[0]!;
        should(base).be.aboveOrEqual(200);
        // The last one may be cut short by the end of all patience.
        for (const wait of all.slice(0, -1)) {
          const most = (Math.max(base, 10_000) * 9) / 8;
          should(wait).be.within(Math.min(base, 10_000) - 0.01, most + 0.01);
        }
      }),
    );
  });

  it('starts from the measured round trip, and not below the least timeout', () => {
    should(waits(POLICY, 2, (timer) => timer.measure(100))).deepEqual([300, 600]);
    should(waits(POLICY, 2, (timer) => timer.measure(1))).deepEqual([200, 400]);
  });

  for (const windowsize of [1, 16]) {
    it(`keeps to a negotiated timeout, whatever was measured: windowsize ${windowsize}`, () => {
      const negotiated = (timeout: number) => (timer: RetryTimer) => {
        timer.measure(0.1);
        timer.negotiate({ timeout, windowsize });
        timer.measure(9_000);
      };
      should(waits(POLICY, 2, negotiated(3_000))).deepEqual([3_000, 6_000]);
      should(waits(POLICY, 2, negotiated(50))).deepEqual([50, 100]);
      should(waits(POLICY, 2, negotiated(20_000))).deepEqual([20_000, 20_000]);
    });
  }

  it('is never below a second in lock-step, unless a shorter one is set', () => {
    const lockStep = (sample: number) => (timer: RetryTimer) => {
      timer.negotiate({ windowsize: 1 });
      timer.measure(sample);
    };
    should(waits(POLICY, 2, lockStep(1))).deepEqual([1_000, 2_000]);
    should(waits({ ...POLICY, timeout: 5_000 }, 1, lockStep(1))).deepEqual([1_000]);
    should(waits({ ...POLICY, timeout: 300 }, 2, lockStep(1))).deepEqual([300, 600]);
    should(waits(POLICY, 1, lockStep(1_000))).deepEqual([3_000]);
    should(waits({ ...POLICY, minTimeout: 2_000 }, 1, lockStep(1))).deepEqual([2_000]);
  });

  it('gives up a silent peer after 45 seconds by default, however short the round trips are', () => {
    const policy = retryPolicy({ timeout: 1_000, retries: 6 }, () => 0);
    should(schedule(policy, (timer) => timer.negotiate({ windowsize: 1 }))).deepEqual([
      1_000, 3_000, 7_000, 15_000, 25_000, 35_000, 45_000,
    ]);
    const quick = (timer: RetryTimer) => {
      timer.negotiate({ windowsize: 64 });
      timer.measure(1);
    };
    should(schedule(policy, quick)).deepEqual([
      200, 600, 1_400, 3_000, 6_200, 12_600, 22_600, 32_600, 42_600, 45_000,
    ]);
    const timer = new RetryTimer(policy);
    should(timer.retries).equal(6);
    quick(timer);
    should(timer.retries).equal(9);
  });

  it('waits for three timeouts where they are long, or for as many as are set', () => {
    const long = (timeout: number) => (timer: RetryTimer) =>
      timer.negotiate({ timeout, windowsize: 1 });
    should(schedule(POLICY, long(255_000))).deepEqual([255_000, 510_000, 765_000]);
    should(schedule({ ...POLICY, retries: 0 }, long(30_000))).deepEqual([30_000]);
    should(schedule(POLICY, long(3_000))).deepEqual([3_000, 9_000, 19_000, 29_000, 39_000, 45_000]);
  });

  it('waits for at most half a minute while the peer has not answered', () => {
    const timer = new RetryTimer(POLICY);
    timer.negotiate({ timeout: 255_000, windowsize: 1 });
    timer.halfOpen = true;
    timer.arm(5);
    should(timer.deadline).equal(30_005);
    timer.halfOpen = false;
    timer.arm(5);
    should(timer.deadline).equal(255_005);
    timer.listen();
    should(timer.deadline).equal(765_005);
  });

  it('gives up on time though it is armed again and again without progress', () => {
    const timer = new RetryTimer(POLICY);
    for (let now = 0; now <= 44_000; now += 500) timer.arm(now);
    should(timer.deadline).equal(45_000);
    timer.expired(45_000);
    should(timer.exhausted(45_000)).be.true();
    timer.progress();
    should(timer.exhausted(45_000)).be.false();
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
