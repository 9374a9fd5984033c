import should = require('should');
import { TransferQueue } from '../../src/node-red/transfer-queue';

/** A task that ends when it is told to. */
function task(): { run: () => Promise<string>; end: (value: string) => void; started: boolean } {
  let end = (_value: string): void => undefined;
  const result = new Promise<string>((resolve) => (end = resolve));
  const made = {
    started: false,
    end: (value: string) => end(value),
    run: () => {
      made.started = true;
      return result;
    },
  };
  return made;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('TransferQueue', () => {
  const never = new AbortController().signal;

  it('runs as many as it may, the others in their order', async () => {
    const queue = new TransferQueue(2, 10);
    const tasks = [task(), task(), task(), task()];
    const ends = tasks.map(({ run }) => queue.run(run, never));
    await turn();
    should(tasks.map(({ started }) => started)).eql([true, true, false, false]);
    should([queue.active, queue.queued]).eql([2, 2]);
    tasks[1]!.end('second');
    should(await ends[1]).equal('second');
    await turn();
    should(tasks.map(({ started }) => started)).eql([true, true, true, false]);
    for (const { end } of tasks) end('over');
    await Promise.all(ends);
    should([queue.active, queue.queued]).eql([0, 0]);
  });

  it('refuses more than may wait', async () => {
    const queue = new TransferQueue(1, 1);
    const first = task();
    const ends = [queue.run(first.run, never), queue.run(() => Promise.resolve(''), never)];
    await should(queue.run(task().run, never)).be.rejectedWith({ code: 'EQUEUEFULL' });
    first.end('');
    await Promise.all(ends);
  });

  it('goes on after a task that failed', async () => {
    const queue = new TransferQueue(1, 1);
    const failed = queue.run(() => Promise.reject(new Error('no')), never);
    const next = queue.run(() => Promise.resolve('yes'), never);
    await should(failed).be.rejectedWith('no');
    should(await next).equal('yes');
    should(queue.active).equal(0);
  });

  it('does not begin what is cancelled already', async () => {
    const queue = new TransferQueue(1, 1);
    const late = task();
    await should(queue.run(late.run, AbortSignal.abort())).be.rejectedWith({ code: 'ECANCELED' });
    should([late.started, queue.active, queue.queued]).eql([false, 0, 0]);
  });

  it('forgets a task that is cancelled while it waits', async () => {
    const queue = new TransferQueue(1, 2);
    const [first, second, third] = [task(), task(), task()];
    const cancel = new AbortController();
    const running = queue.run(first.run, never);
    const waiting = queue.run(second.run, cancel.signal);
    const last = queue.run(third.run, never);
    cancel.abort();
    await should(waiting).be.rejectedWith({ code: 'ECANCELED' });
    should(queue.queued).equal(1);
    first.end('');
    third.end('');
    await Promise.all([running, last]);
    should([second.started, third.started]).eql([false, true]);
  });
});
