import should = require('should');
import { WindowMemory } from '../../src/client/window-memory';

const HOUR = 3_600_000;

describe('WindowMemory', () => {
  let windows: WindowMemory;
  beforeEach(() => {
    windows = new WindowMemory();
  });

  const window = (now = 0): number => windows.windowFor('192.0.2.1', now);
  /** A transfer with the window that is due. */
  function transfer(blocks: number, stalls: number, now = 0): void {
    windows.learn('192.0.2.1', { windowsize: window(now), blocks, stalls }, now);
  }
  function transfers(count: number, blocks: number, stalls: number): void {
    for (let i = 0; i < count; i += 1) transfer(blocks, stalls);
  }

  it('asks an unknown host for 64 blocks, and never for more', () => {
    should(window()).equal(64);
    transfers(100, 1000, 0);
    should(window()).equal(64);
  });

  it('asks for four fifths of what came through between two stalls', () => {
    transfer(1000, 50);
    should(window()).equal(16);
  });

  it('asks for half where more than every fourth window stalled, and came through in the end', () => {
    transfer(6400, 25);
    should(window()).equal(64);
    transfer(6400, 26);
    should(window()).equal(32);
  });

  it('asks for one block at least', () => {
    transfer(10, 100);
    should(window()).equal(1);
    transfers(16, 100, 0);
    should(window()).equal(2);
  });

  it('waits until small files have told enough', () => {
    transfers(2, 20, 1);
    should(window()).equal(64);
    transfer(20, 1);
    should(window()).equal(10);
  });

  it('does not go on where a smaller window stalls as often', () => {
    transfer(1000, 50);
    transfers(20, 1000, 60);
    should(window()).equal(16);
    transfer(1000, 200);
    should(window()).equal(4);
  });

  it('asks for half as much again after sixteen transfers without fault', () => {
    transfer(1000, 50);
    transfers(15, 1000, 1);
    should(window()).equal(16);
    transfer(1000, 1);
    should(window()).equal(24);
    transfers(32, 1000, 0);
    should(window()).equal(54);
    transfers(16, 1000, 0);
    should(window()).equal(64);
  });

  it('is twice as patient after each trial that failed', () => {
    transfer(1000, 50);
    transfers(16, 1000, 0);
    transfer(1000, 50);
    should(window()).equal(16);
    transfers(31, 1000, 0);
    should(window()).equal(16);
    transfer(1000, 0);
    should(window()).equal(24);
  });

  it('does not ask for more after files that did not fill the window', () => {
    transfer(1000, 50);
    transfers(1000, 15, 0);
    should(window()).equal(16);
  });

  it('learns from the window that was granted', () => {
    windows.learn('192.0.2.1', { windowsize: 32, blocks: 1000, stalls: 100 }, 0);
    should(window()).equal(8);
  });

  it('learns nothing from a server without windows, and from a transfer without blocks', () => {
    windows.learn('192.0.2.1', { windowsize: 1, blocks: 1000, stalls: 900 }, 0);
    windows.learn('192.0.2.1', { windowsize: 64, blocks: 0, stalls: 7 }, 0);
    should(window()).equal(64);
  });

  it('tells hosts apart', () => {
    transfer(1000, 50);
    should(windows.windowFor('192.0.2.2', 0)).equal(64);
  });

  it('forgets a host that was not used for six hours', () => {
    transfer(1000, 50);
    transfer(1000, 0, 5 * HOUR);
    should(window(11 * HOUR)).equal(16);
    should(window(11 * HOUR + 1)).equal(64);
    transfer(1000, 0, 11 * HOUR + 1);
    should(window(11 * HOUR + 1)).equal(64);
  });

  it('forgets the host that was not used for the longest time when it knows a thousand', () => {
    const bad = { windowsize: 64, blocks: 1000, stalls: 50 };
    for (let host = 1; host <= 1000; host += 1) windows.learn(`host ${host}`, bad, host);
    windows.learn('host 1', { ...bad, stalls: 0 }, 1001);
    windows.learn('host 1001', bad, 1002);
    should(windows.windowFor('host 1', 1003)).equal(16);
    should(windows.windowFor('host 2', 1003)).equal(64);
    should(windows.windowFor('host 3', 1003)).equal(16);
  });
});
