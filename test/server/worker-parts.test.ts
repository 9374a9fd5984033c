/** What a server with a worker is made of. */

import { MessageChannel } from 'node:worker_threads';
import should = require('should');
import {
  CancelError,
  LocalError,
  PeerError,
  ProtocolError,
  TftpError,
  TimeoutError,
  isTftpError,
} from '../../src/protocol/errors';
import { describeError } from '../../src/net/transfer-record';
import { Counters } from '../../src/server/server-counters';
import { packError, unpackError, unpackTftpError } from '../../src/server/worker/packed-error';
import { Rpc, Transferred } from '../../src/server/worker/rpc';
import { sharedCopy } from '../../src/server/worker/shared-copy';
import { StorageList } from '../../src/server/worker/storage-host';
import { FileError } from '../../src/storage/file-error';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { gate } from '../helpers/engine';

/** What has gone through a port is a clone. */
function crossed(error: unknown): Error {
  return unpackError(structuredClone(packError(error)));
}

describe('an error that goes to another thread', () => {
  const context = { peer: '192.0.2.1:69', filename: 'f', block: 7, expected: true } as const;
  for (const error of [
    new TftpError('ENOUSER', 'who?', context),
    new PeerError(3, 'full', context),
    new PeerError(99, '', context),
    new ProtocolError('EBADOP', 'odd', context),
    new TimeoutError('late', context),
    new LocalError('ETOOLARGE', '/secret', { ...context, peerMessage: 'too large' }),
    new CancelError('enough', context),
    new FileError('denied', '/secret/path', new Error('EPERM')),
  ]) {
    it(`is the same ${error.name} with ${error.code} there`, () => {
      const copy = crossed(error);
      should(copy).be.instanceof(error.constructor);
      should(isTftpError(copy)).equal(true);
      should(Object.entries(copy)).eql(Object.entries(error));
      should([copy.name, copy.message, copy.stack]).eql([error.name, error.message, error.stack]);
      should(describeError(copy as TftpError)).eql(describeError(error));
    });
  }

  it('keeps the code of a system error, and what caused it', () => {
    const cause = Object.assign(new TypeError('inner'), { code: 'EPERM' });
    const copy = crossed(new Error('outer', { cause }));
    should(isTftpError(copy)).equal(false);
    should(copy.cause).have.properties({ message: 'inner', name: 'TypeError', code: 'EPERM' });
  });

  it('may be anything that was thrown', () => {
    should(crossed('text').message).equal('text');
    should(unpackTftpError(packError(undefined))).have.properties({ code: 'EIO' });
  });
});

describe('Rpc', () => {
  interface Calls {
    add(one: number, other: number): Promise<number>;
    note(text: string): void;
    bytes(): Promise<Transferred<Uint8Array>>;
    fail(): Promise<void>;
    never(): Promise<void>;
  }
  const ends: Rpc<Calls>[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end.close();
  });

  function connect(handlers: Partial<Calls>, onClose?: () => void) {
    const { port1, port2 } = new MessageChannel();
    const here = new Rpc<Calls>(port1, {}, onClose);
    const there = new Rpc<Calls>(port2, handlers);
    ends.push(here, there);
    return { here, there };
  }

  it('carries calls, results and failures', async () => {
    const { here } = connect({
      add: async (one, other) => one + other,
      fail: () => Promise.reject(new LocalError('ENOSPC', 'full')),
    });
    should(await here.call('add', [1, 2])).equal(3);
    const failure = await here.call('fail', []).catch((error: unknown) => error);
    should(failure).be.instanceof(LocalError).and.have.property('code', 'ENOSPC');
  });

  it('transfers memory', async () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const { here } = connect({ bytes: async () => new Transferred(bytes, [bytes.buffer]) });
    should([...(await here.call('bytes', []))]).eql([1, 2, 3]);
    should(bytes.length).equal(0);
  });

  it('handles at once, and in order, what has arrived', () => {
    const heard: string[] = [];
    const { here, there } = connect({ note: (text) => void heard.push(text) });
    here.notify('note', ['one']);
    here.notify('note', ['two']);
    should(heard).eql([]);
    there.drain();
    should(heard).eql(['one', 'two']);
    there.close();
    there.drain();
  });

  it('rejects what waits when either end is closed, and what comes after that', async () => {
    for (const end of ['here', 'there'] as const) {
      const closed = gate();
      const both = connect({ never: () => new Promise(() => undefined) }, closed.open);
      const waiting = both.here.call('never', []);
      both[end].close();
      await should(waiting).be.rejectedWith({ code: 'EIO' });
      await should(both.here.call('never', [])).be.rejectedWith({ code: 'EIO' });
      both.here.notify('note', ['nobody hears it']);
      await closed.opened;
    }
  });
});

describe('Counters', () => {
  it('are the same in two threads', () => {
    const counters = new Counters();
    const others = new Counters(counters.memory);
    others.add('requests');
    others.add('bytesSent', 2 ** 40);
    should(counters.values).have.properties({ requests: 1, bytesSent: 2 ** 40, failed: 0 });
  });
});

describe('StorageList', () => {
  it('gives a storage one key, also after many others', () => {
    const list = new StorageList();
    const storage = new MemoryStorage();
    const { key } = list.plan(storage);
    should(list.plan(storage).key).equal(key);
    should(list.find(key)).equal(storage);
    for (let others = 1; others <= 8; others += 1) list.plan(new MemoryStorage());
    should(() => list.find(key)).throw({ code: 'EIO' });
    should(list.find(list.plan(storage).key)).equal(storage);
  });

  it('keeps only the part of a portable storage that stays in the main thread', () => {
    const list = new StorageList();
    const home = new MemoryStorage();
    const portable = { module: '/m.js', name: 'make', data: 7 };
    const all = Object.assign(new MemoryStorage(), { portable });
    should(list.plan(all)).match({ portable, hosted: false });
    const parted = Object.assign(new MemoryStorage(), { portable: { ...portable, home } });
    const plan = list.plan(parted);
    should(plan).match({ portable, hosted: true });
    should(list.find(plan.key)).equal(home);
  });
});

describe('sharedCopy', () => {
  it('is made once for the same content, and anew for another', () => {
    const bytes = Buffer.from('abc');
    const copy = sharedCopy(bytes);
    should(Buffer.from(copy).toString()).equal('abc');
    should(sharedCopy(bytes).buffer).equal(copy.buffer);
    bytes[0] = 0x78;
    should(Buffer.from(sharedCopy(bytes)).toString()).equal('xbc');
    should(Buffer.from(copy).toString()).equal('abc');
    should(sharedCopy(Buffer.alloc(0)).length).equal(0);
  });
});
