import should = require('should');
import { FlightRecorder } from '../../src/transfer/flight-recorder';
import { readTrace } from '../../src/transfer/trace-line';

describe('readTrace', () => {
  it('reads what the flight recorder writes', () => {
    const recorder = new FlightRecorder();
    recorder.sent(100, 'RRQ', undefined, 40, 'again');
    recorder.received(100.5, 'DATA', 1, 512, 'after a gap, ignored', 4);
    recorder.received(101, 'ACK', 17, 0, '');
    recorder.sent(102, 'ERROR 4', undefined, 30, 'a text (with\n12 B)');
    recorder.received(103, 'OACK', undefined, 0, '');
    recorder.received(103, 'junk', undefined, 3, 'ignored');
    recorder.note(104, 'gave up after 3 timeouts');
    should(readTrace(recorder.lines())).eql([
      { at: 0, direction: 'out', packet: 'RRQ', note: 'again' },
      { at: 0.5, direction: 'in', packet: 'DATA', number: 1, note: 'after a gap, ignored' },
      { at: 1, direction: 'in', packet: 'ACK', number: 17, note: '' },
      { at: 2, direction: 'out', packet: 'ERROR', number: 4, note: 'a text (with\n12 B)' },
      { at: 3, direction: 'in', packet: 'OACK', note: '' },
      { at: 3, direction: 'in', packet: 'junk', note: 'ignored' },
      { at: 4, direction: 'note', packet: '', note: 'gave up after 3 timeouts' },
    ]);
  });

  it('leaves out what is no entry', () => {
    should(readTrace(['… 5 earlier entries left out', '', 'ACK 3', '+1.0 ms ~~ ACK 1'])).eql([]);
  });
});
