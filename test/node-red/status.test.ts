import should = require('should');
import {
  StatusLine,
  busyStatus,
  bytesText,
  endStatus,
  serverStatus,
  startFailureStatus,
} from '../../src/node-red/status';
import { LocalError } from '../../src/protocol/errors';
import { failureRecords } from '../../src/node-red/messages';
import type { Clock } from '../../src/net/clock';
import type { TransferRecord } from '../../src/net/transfer-record';
import type { StatusTexts, TftpStatus } from '../../src/node-red/status';

const texts: StatusTexts = (key, values = {}) =>
  [key.replace(/^\w+\./, ''), ...Object.values(values)].join(' ');

function record(more: Partial<TransferRecord>): TransferRecord {
  const request = { operation: 'read', host: 'h', port: 69, filename: 'f' } as const;
  const [start] = failureRecords(request, new LocalError('EIO', 'no'));
  return { ...start, ...more };
}

describe('status', () => {
  const alone = { active: 1, queued: 0 };

  it('shows the share and the rate of a single transfer', () => {
    const half = record({ event: 'progress', percent: 42.9, rate: 1_234_567 });
    should(busyStatus(texts, alone, half)).eql({
      fill: 'blue',
      shape: 'dot',
      text: '42% 1.2 MB/s',
      event: 'progress',
      transfer: half,
    });
    should(busyStatus(texts, alone, record({ percent: 0 })).text).equal('0%');
    should(busyStatus(texts, alone, record({ bytes: 5_000, rate: 100 })).text).equal(
      '5.0 kB 100 B/s',
    );
  });

  it('shows how many there are, in less than 20 characters', () => {
    const text = (active: number, queued: number): string | undefined =>
      busyStatus(texts, { active, queued }, record({})).text;
    should(text(3, 0)).equal('active 3');
    should(text(1, 12)).equal('queued 1 12');
    should(text(5_000_000, 1_000_000)).equal('5000000 + 1000000');
  });

  it('shows a retry in yellow', () => {
    const retrying = record({ event: 'progress', retry: { attempt: 2, retries: 5 } });
    should(busyStatus(texts, alone, retrying)).have.properties({
      fill: 'yellow',
      shape: 'ring',
      text: 'retry 2 5',
    });
  });

  it('shows how a transfer has ended', () => {
    const complete = record({ event: 'complete', bytes: 1_400_000, elapsed: 2_140 });
    should(endStatus(texts, complete)).have.properties({ fill: 'green', text: '1.4 MB 2.1 s' });
    const failed = (code: string): TftpStatus =>
      endStatus(texts, record({ event: 'error', error: { code, tftpCode: 0, message: '' } }));
    should(failed('ETIMEDOUT')).have.properties({ fill: 'red', shape: 'ring', text: 'ETIMEDOUT' });
    should(failed('ECANCELED')).have.properties({ fill: 'grey', shape: 'ring', text: 'ECANCELED' });
    should(failed('EWHATEVER').text).equal('EUNDEF');
  });

  it('shows what a server does', () => {
    should(serverStatus(texts, 69, 0)).eql({ fill: 'green', shape: 'dot', text: ':69' });
    should(serverStatus(texts, 69, 2, record({})).text).equal('active 2');
    should(startFailureStatus(texts, { code: 'EADDRINUSE' }, 69).text).equal('portInUse 69');
    should(startFailureStatus(texts, { code: 'ENOPERM' }, 69).text).equal('noPermission 69');
    should(startFailureStatus(texts, { code: 'EADDRNOTAVAIL' }, 69).text).equal('EADDRNOTAVAIL');
    should(startFailureStatus(texts, { code: 'ENOFILE' }, 69).text).equal('ENOFILE');
    should(startFailureStatus(texts, { code: 'EIO' }, 69)).have.properties({
      fill: 'red',
      text: 'EIO',
    });
  });

  it('writes bytes short', () => {
    should([0, 999, 1000, 12_345, 123_456, 5e9, 3e15].map(bytesText)).eql([
      '0 B',
      '999 B',
      '1.0 kB',
      '12.3 kB',
      '123 kB',
      '5.0 GB',
      '3000 TB',
    ]);
  });
});

describe('StatusLine', () => {
  /** A clock whose timers are called by hand. */
  function handClock(): { clock: Clock; pass: () => void; waits: number[] } {
    const timers: (() => void)[] = [];
    const waits: number[] = [];
    const clock: Clock = {
      now: () => 0,
      date: () => new Date(0),
      after(milliseconds, action) {
        waits.push(milliseconds);
        timers.push(action);
        return { cancel: () => void timers.splice(0), unref: () => undefined };
      },
      afterPending: (action) => action(),
    };
    return { clock, waits, pass: () => timers.splice(0).forEach((action) => action()) };
  }

  function line(): {
    show: (text: string) => void;
    shown: unknown[];
    close: () => void;
  } & ReturnType<typeof handClock> {
    const time = handClock();
    const shown: unknown[] = [];
    const status = new StatusLine(({ text }) => shown.push(text), time.clock);
    return { ...time, shown, show: (text) => status.show({ text }), close: () => status.close() };
  }

  it('shows the first at once, and the last of those that come within half a second', () => {
    const { show, shown, pass, waits } = line();
    for (const text of ['a', 'b', 'c']) show(text);
    should(shown).eql(['a']);
    should(waits).eql([500]);
    pass();
    should(shown).eql(['a', 'c']);
    show('d');
    should(shown).eql(['a', 'c']);
    pass();
    should(shown).eql(['a', 'c', 'd']);
  });

  it('shows again at once after a quiet time', () => {
    const { show, shown, pass } = line();
    show('a');
    pass();
    show('b');
    should(shown).eql(['a', 'b']);
  });

  it('shows only what has changed', () => {
    const { show, shown, pass, waits } = line();
    show('a');
    pass();
    show('a');
    should(shown).eql(['a']);
    should(waits).eql([500]);
  });

  it('shows nothing after it was closed', () => {
    const { show, shown, pass, close } = line();
    show('a');
    show('b');
    close();
    pass();
    should(shown).eql(['a']);
  });
});
