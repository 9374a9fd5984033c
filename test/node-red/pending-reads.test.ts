import should = require('should');
import { PendingReads } from '../../src/node-red/pending-reads';
import { CancelError, LocalError } from '../../src/protocol/errors';
import { bufferSource } from '../../src/storage/data-source';
import { failureOf, readAll } from '../helpers/content';
import type { Clock } from '../../src/net/clock';
import type { Question } from '../../src/node-red/pending-reads';
import type { DataSource } from '../../src/storage/storage';

/** A clock whose only timer is let go off by the test. */
function manualClock() {
  const timers: { milliseconds: number; action: () => void; cancelled: boolean }[] = [];
  const clock: Clock = {
    now: () => 0,
    date: () => new Date(0),
    after(milliseconds, action) {
      const timer = { milliseconds, action, cancelled: false };
      timers.push(timer);
      return { cancel: () => (timer.cancelled = true), unref: () => undefined };
    },
    afterPending: (action) => action(),
  };
  return { clock, timers };
}

describe('PendingReads', () => {
  const content = async (): Promise<DataSource> => bufferSource('content');

  function ask(more: Partial<Question> = {}) {
    const { clock, timers } = manualClock();
    const reads = new PendingReads(clock);
    const stop = new AbortController();
    const openByName = async (name: string): Promise<DataSource> => bufferSource(`file ${name}`);
    const ids: string[] = [];
    const question = { timeout: 10_000, signal: stop.signal, openByName, ...more };
    const source = reads.ask(question, (id) => ids.push(id));
    // Some tests look at it late.
    source.catch(() => undefined);
    return { reads, stop, source, id: ids[0]!, timer: timers[0]! };
  }

  it('give what the flow answers', async () => {
    const { reads, source, id, timer } = ask();
    should(reads.size).equal(1);
    await reads.answer(id, content);
    should((await readAll(await source)).toString()).equal('content');
    should(reads.size).equal(0);
    should(timer).have.properties({ milliseconds: 10_000, cancelled: true });
  });

  it('may be answered by the name of another file', async () => {
    const { reads, source, id } = ask();
    await reads.answer(id, (openByName) => openByName('other'));
    should((await readAll(await source)).toString()).equal('file other');
  });

  it('may be refused', async () => {
    const { reads, source, id } = ask();
    const refusal = new LocalError('ENOUSER', 'who?');
    reads.refuse(id, refusal);
    should(await failureOf(source)).equal(refusal);
  });

  it('end when the answer cannot be opened, which both sides are told', async () => {
    const { reads, source, id } = ask();
    const failure = new LocalError('ENOENT', 'missing');
    should(await failureOf(reads.answer(id, () => Promise.reject(failure)))).equal(failure);
    should(await failureOf(source)).equal(failure);
    should((await failureOf(reads.answer(id, content))).message).match(/already answered/);
  });

  it('end at the deadline, and an answer that comes later is told so', async () => {
    const { reads, source, id, timer } = ask();
    timer.action();
    should(await failureOf(source)).have.properties({
      code: 'ENOANSWER',
      tftpCode: 0,
      message: 'The flow did not answer in time',
    });
    const late = await failureOf(reads.answer(id, content));
    should(late).have.property('code', 'ENOANSWER');
    should(late.message).match(/too late.*10 seconds/);
    should(() => reads.refuse(id, new LocalError('EACCES', 'no'))).throw(/too late/);
  });

  it('end when nobody waits any more, and an answer that comes later is told why', async () => {
    const { reads, source, id, stop, timer } = ask();
    const reason = new CancelError('The server was stopped');
    stop.abort(reason);
    should(await failureOf(source)).equal(reason);
    should(timer.cancelled).be.true();
    const late = await failureOf(reads.answer(id, content));
    should(late).have.property('code', 'ECANCELED');
    should(late.message).match(/no longer waiting.*The server was stopped/);
  });

  it('are not even told to the flow if nobody waits from the start', async () => {
    const { source, id } = ask({ signal: AbortSignal.abort(new CancelError()) });
    should(id).be.undefined();
    should((await failureOf(source)).code).equal('ECANCELED');
  });

  it('are answered once, also while the answer is being opened', async () => {
    const { reads, source, id } = ask();
    const first = reads.answer(id, content);
    let opened = 0;
    const second = reads.answer(id, () => {
      opened += 1;
      return content();
    });
    should(() => reads.refuse(id, new LocalError('EACCES', 'no'))).throw(/already answered/);
    should((await failureOf(second)).message).match(/already answered/);
    await first;
    should(opened).equal(0);
    should((await failureOf(reads.answer(id, content))).message).match(/already answered/);
    should(await source).have.property('size', 7);
  });

  it('close what was opened in vain', async () => {
    const { reads, source, id, timer } = ask();
    let closed = 0;
    const slow = { size: 1, read: async () => undefined, close: async () => void (closed += 1) };
    const late = reads.answer(id, async () => {
      timer.action();
      return slow;
    });
    should((await failureOf(late)).message).match(/too late/);
    should((await failureOf(source)).code).equal('ENOANSWER');
    should(closed).equal(1);
  });

  it('are known by id, and forgotten in the end', async () => {
    const { reads, id } = ask();
    should((await failureOf(reads.answer('nonsense', content))).message).match(/msg\._session/);
    await reads.answer(id, content);
    for (let times = 0; times < 1000; times += 1) {
      const question = { timeout: 1, signal: undefined, openByName: content };
      const refused = reads.ask(question, (other) => {
        queueMicrotask(() => reads.refuse(other, new LocalError('EACCES', 'no')));
      });
      await failureOf(refused);
    }
    should((await failureOf(reads.answer(id, content))).message).match(/No pending request/);
    should(reads.size).equal(0);
  });
});
