import { once, EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import { parseServerConfig } from '../../src/node-red/node-config';
import { ServerNode } from '../../src/node-red/server-node';
import type { Clock } from '../../src/net/clock';
import type { ServerNodeOutlet } from '../../src/node-red/server-node';

describe('ServerNode', () => {
  it('tells once why it cannot start, and tries again every three seconds', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'tftp-node-'));
    const waits: number[] = [];
    const timers = new EventEmitter();
    let next = (): void => undefined;
    const clock: Clock = {
      now: () => 0,
      date: () => new Date(0),
      after(milliseconds, action) {
        waits.push(milliseconds);
        next = action;
        timers.emit('set');
        return { cancel: () => undefined, unref: () => undefined };
      },
      afterPending: (action) => action(),
    };
    const errors: unknown[] = [];
    const outlet: ServerNodeOutlet = {
      status: () => undefined,
      send: () => undefined,
      debug: () => undefined,
      error: (error) => errors.push(error),
    };
    const missing = { root: path.join(folder, 'missing'), address: '127.0.0.1', port: 0 };
    const red = { _: (key: string) => key, settings: {} };
    const node = new ServerNode(red, outlet, parseServerConfig(missing), clock);

    node.start();
    for (let attempt = 1; attempt <= 3; attempt++) {
      const failed = once(timers, 'set');
      next();
      await failed;
    }
    await node.close();
    await rm(folder, { recursive: true });
    should(waits).eql([0, 3000, 3000, 3000]);
    should(errors).have.length(1);
    should(errors[0]).have.properties({ code: 'ENOENT' });
  });
});
