import should = require('should');
import { FlightRecorder, RECORDED } from '../../src/transfer/flight-recorder';

describe('FlightRecorder', () => {
  it('is empty at first', () => {
    should(new FlightRecorder().lines()).deepEqual([]);
  });

  it('writes a line for each entry, with times from the first one on', () => {
    const recorder = new FlightRecorder();
    recorder.sent(5_000, 'RRQ', undefined, 40, '');
    recorder.received(5_012.34, 'ACK', 17, 4, 'in order');
    recorder.sent(5_013, 'DATA', 18, 512, '', 21);
    recorder.sent(5_014, 'DATA', 22, 512, 'again', 22);
    recorder.received(5_015, 'OACK', undefined, 0, '');
    recorder.received(5_016, 'ACK', 0, 0, '');
    recorder.note(6_000, 'gave up after 7 timeouts');
    should(recorder.lines()).deepEqual([
      '+0.0 ms -> RRQ (40 B)',
      '+12.3 ms <- ACK 17 (4 B) in order',
      '+13.0 ms -> DATA 18…21 (512 B)',
      '+14.0 ms -> DATA 22 (512 B) again',
      '+15.0 ms <- OACK',
      '+16.0 ms <- ACK 0',
      '+1000.0 ms -- gave up after 7 timeouts',
    ]);
  });

  it('keeps the last entries in order, and says how many it left out', () => {
    for (const count of [RECORDED - 1, RECORDED, RECORDED + 1, 3 * RECORDED + 5]) {
      const recorder = new FlightRecorder();
      for (let i = 0; i < count; i += 1) recorder.received(i, 'DATA', i, 0, '');
      const first = Math.max(0, count - RECORDED);
      const kept = Array.from({ length: count - first }, (_, i) => first + i);
      should(recorder.lines()).deepEqual([
        ...(first > 0 ? [`… ${first} earlier entries left out`] : []),
        ...kept.map((i) => `+${i}.0 ms <- DATA ${i}`),
      ]);
    }
  });

  it('leaves nothing of an old entry in a reused place', () => {
    const recorder = new FlightRecorder();
    for (let i = 0; i < RECORDED; i += 1) recorder.sent(0, 'DATA', 1, 512, 'again', 4);
    for (let i = 0; i < RECORDED; i += 1) recorder.note(1, 'quiet');
    should(recorder.lines().slice(1)).deepEqual(Array(RECORDED).fill('+1.0 ms -- quiet'));
  });
});
