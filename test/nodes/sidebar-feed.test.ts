/** The sidebar's line to the runtime, in a world without one. */

import should = require('should');
import { delta, ended, snapshot } from './sidebar-data';
import { loadSidebarPage } from './sidebar-page';
import type { Feed, SidebarState } from './sidebar-page';

interface Request {
  readonly what: string;
  answer(value: object): Promise<void>;
  refuse(status: number): Promise<void>;
}

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

const create = loadSidebarPage().sidebar.feed.create;

describe('the feed of the sidebar', () => {
  let requests: Request[];
  let timers: Set<Timer>;
  let now: number;
  let listener: ((topic: string, delta: object) => void) | undefined;
  let state: SidebarState | undefined;
  let finished: string[];
  let problem: string | undefined;
  let feed: Feed;

  beforeEach(() => {
    [requests, timers, now, listener, state] = [[], new Set(), 0, undefined, undefined];
    [finished, problem] = [[], undefined];
    feed = create({
      ajax,
      comms: {
        subscribe: (topic, callback) => {
          should(topic).equal('tftp/transfers');
          listener = callback;
        },
        unsubscribe: (_, callback) => {
          if (listener === callback) listener = undefined;
        },
      },
      now: () => now,
      setTimeout: (action, delay) => {
        const timer = { at: now + delay, action };
        timers.add(timer);
        return timer;
      },
      clearTimeout: (timer) => timers.delete(timer as Timer),
      onChange: (changed, ends) => {
        state = changed;
        finished.push(...ends.map(({ id }) => id));
      },
      onProblem: (found) => (problem = found),
    });
  });

  function ajax({ url, method = 'GET' }: { url: string; method?: string }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      requests.push({
        what: `${method} ${url}`,
        answer: (value) => settle(() => resolve(value)),
        // As jQuery does: it rejects with its request.
        refuse: (status) => settle(() => reject({ status })),
      });
    });
  }

  async function settle(action: () => void): Promise<void> {
    action();
    await new Promise(setImmediate);
  }

  /** Lets the time go on to the next timer, again and again. */
  function pass(ms: number): void {
    const end = now + ms;
    for (;;) {
      const next = [...timers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      timers.delete(next);
      now = next.at;
      next.action();
    }
    now = end;
  }

  function tell(changes: object): void {
    listener?.('tftp/transfers', delta(changes));
  }

  const asked = (): string[] => requests.map(({ what }) => what);

  async function showAndLoad(): Promise<void> {
    feed.show();
    await requests[0]!.answer(snapshot());
  }

  it('asks for nothing before it is shown', () => {
    pass(60_000);
    should(asked()).deepEqual([]);
    should(listener).be.undefined();
  });

  it('gets a snapshot when it is shown, and follows the deltas', async () => {
    await showAndLoad();
    should(asked()).deepEqual(['GET tftp/transfers']);
    should(state?.live.size).equal(1);
    tell({ finished: [ended('a')] });
    should(state?.live.size).equal(0);
    should(finished).deepEqual(['a']);
  });

  it('renews the lease every ten seconds', async () => {
    await showAndLoad();
    pass(20_000);
    should(asked()).deepEqual(['GET tftp/transfers', 'POST tftp/watch', 'POST tftp/watch']);
  });

  it('asks for nothing after it was hidden', async () => {
    await showAndLoad();
    feed.hide();
    pass(60_000);
    should(requests.length).equal(1);
    should(listener).be.undefined();
    should(timers.size).equal(0);
  });

  it('gets a new snapshot when it is shown again', async () => {
    await showAndLoad();
    feed.hide();
    feed.show();
    should(asked()).deepEqual(['GET tftp/transfers', 'GET tftp/transfers']);
  });

  it('does not mind to be shown or hidden twice', async () => {
    feed.hide();
    await showAndLoad();
    feed.show();
    should(requests.length).equal(1);
    should(timers.size).equal(1);
  });

  it('gets a new snapshot after a hole', async () => {
    await showAndLoad();
    tell({ sequence: 10 });
    should(asked().length).equal(2);
    await requests[1]!.answer(snapshot({ sequence: 10 }));
    should(state?.sequence).equal(10);
  });

  it('keeps what is told while a snapshot is under way', async () => {
    feed.show();
    tell({ sequence: 7 });
    tell({ sequence: 8, finished: [ended('a')] });
    await requests[0]!.answer(snapshot());
    should(state?.sequence).equal(8);
    should(state?.live.size).equal(0);
    should(requests.length).equal(1);
  });

  it('ignores the answer to a question from before it was hidden', async () => {
    feed.show();
    feed.hide();
    feed.show();
    await requests[0]!.answer(snapshot({ sequence: 3 }));
    should(state).be.undefined();
    await requests[1]!.answer(snapshot());
    should(state?.sequence).equal(7);
  });

  it('sees by the lease that deltas did not come, once they had the time to', async () => {
    await showAndLoad();
    pass(10_000);
    await requests[1]!.answer({ sequence: 9 });
    should(requests.length).equal(2);
    pass(1500);
    should(asked().at(-1)).equal('GET tftp/transfers');
  });

  it('waits for deltas that are under way', async () => {
    await showAndLoad();
    pass(10_000);
    await requests[1]!.answer({ sequence: 8 });
    tell({ sequence: 8 });
    pass(1500);
    should(requests.length).equal(2);
  });

  it('sees by the lease that Node-RED was restarted', async () => {
    await showAndLoad();
    pass(10_000);
    await requests[1]!.answer({ sequence: 1 });
    should(asked().at(-1)).equal('GET tftp/transfers');
  });

  for (const [status, name] of [
    [0, 'lost'],
    [500, 'lost'],
    [404, 'missing'],
  ] as const) {
    it(`tells of an answer with status ${status}, and tries again`, async () => {
      feed.show();
      await requests[0]!.refuse(status);
      should(problem).equal(name);
      pass(10_000);
      should(asked()).deepEqual(['GET tftp/transfers', 'GET tftp/transfers']);
      await requests[1]!.answer(snapshot());
      should(problem).be.undefined();
      should(state?.sequence).equal(7);
    });
  }

  for (const status of [401, 403]) {
    it(`asks no more after status ${status}, but when the user wants it`, async () => {
      feed.show();
      await requests[0]!.refuse(status);
      should(problem).equal('forbidden');
      pass(60_000);
      should(requests.length).equal(1);
      feed.load();
      should(requests.length).equal(2);
    });
  }

  it('believes no deltas while the connection is lost: the snapshot after it has them', async () => {
    await showAndLoad();
    pass(10_000);
    await requests[1]!.refuse(0);
    should(problem).equal('lost');
    tell({ sequence: 8, finished: [ended('a')] });
    should(finished).deepEqual([]);
  });

  it('asks for one transfer and cancels it, whatever its id is', () => {
    void feed.details('a/b?c');
    void feed.cancel('x');
    should(asked()).deepEqual(['GET tftp/transfers/a%2Fb%3Fc', 'DELETE tftp/transfers/x']);
  });
});
