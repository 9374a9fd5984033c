import should = require('should');
import { EventEmitter } from 'node:events';
import { Interruption } from '../../src/cli/interruption';

describe('Interruption', () => {
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`aborts at the first ${signal} and leaves the second one to the system`, () => {
      const signals = new EventEmitter();
      const interruption = new Interruption(signals);
      should(interruption.signal.aborted).equal(false);
      signals.emit(signal);
      interruption.signal.aborted.should.equal(true);
      interruption.exitCode.should.equal(exitCode);
      signals.listenerCount('SIGINT').should.equal(0);
      signals.listenerCount('SIGTERM').should.equal(0);
    });
  }

  it('listens no more once it is disposed of', () => {
    const signals = new EventEmitter();
    new Interruption(signals).dispose();
    signals.eventNames().should.deepEqual([]);
  });
});
