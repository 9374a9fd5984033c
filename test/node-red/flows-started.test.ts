import { EventEmitter } from 'node:events';
import should = require('should');
import { afterFlowsStarted } from '../../src/node-red/flows-started';

describe('afterFlowsStarted', () => {
  it('calls each once at the next start, unless it was forgotten, with one listener for all', () => {
    const events = new EventEmitter();
    const calls: string[] = [];
    const add = (name: string): (() => void) => afterFlowsStarted(events, () => calls.push(name));
    add('a');
    const forget = add('b');
    for (let count = 0; count < 20; count += 1) add('c');
    should(events.listenerCount('flows:started')).equal(1);
    forget();
    events.emit('flows:started');
    should(calls).eql(['a', ...Array<string>(20).fill('c')]);
    add('d');
    events.emit('flows:started');
    events.emit('flows:started');
    should(calls.slice(21)).eql(['d']);
  });
});
