import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import should = require('should');
import { UploadMemory } from '../../src/node-red/upload-memory';
import { UploadStorage } from '../../src/node-red/upload-storage';
import { requestFor } from '../helpers/content';

const shared = (): SharedArrayBuffer => new SharedArrayBuffer(8);
const refusal = { code: 'ENOSPC', tftpCode: 3, message: /"Upload memory"/ };

describe('UploadMemory', () => {
  it('is one for all servers, each of which has its own limit', () => {
    const all = shared();
    const one = new UploadMemory(100, all);
    const other = new UploadMemory(50, all);
    one.take(40);
    other.take(10);
    should(() => other.take(1)).throw(refusal);
    one.take(50);
    should(() => one.check(1)).throw(refusal);
    should(one.held).equal(100);
    one.give(60);
    other.take(10);
    should(other.held).equal(50);
  });

  it('has room again when a server has no uploads any more', () => {
    const all = shared();
    const one = new UploadMemory(100, all);
    const other = new UploadMemory(100, all);
    one.take(60);
    other.take(30);
    one.clear();
    should(other.held).equal(30);
  });

  it('forgets what a thread that is gone has held', async () => {
    const all = shared();
    const memory = new UploadMemory(100, all);
    new UploadMemory(100, all).take(5);
    const code = `
      const { UploadMemory } = require(${JSON.stringify(require.resolve('../../src/node-red/upload-memory'))});
      const { workerData, parentPort } = require('node:worker_threads');
      const memory = UploadMemory.inThread(workerData);
      memory.take(20);
      UploadMemory.inThread(workerData).take(10);
      parentPort.postMessage(memory.held);`;
    const held = async (): Promise<unknown> => {
      const worker = new Worker(code, { eval: true, workerData: memory.data });
      const [answer] = (await once(worker, 'message')) as unknown[];
      await worker.terminate();
      return answer;
    };
    should(await held()).equal(35);
    should(await held()).equal(35);
  });
});

describe('UploadStorage', () => {
  const write = { ...requestFor('f'), size: undefined };

  it('counts what unfinished uploads hold, until they are whole or given up', async () => {
    const memory = new UploadMemory(10, shared());
    const storage = new UploadStorage(undefined, 'message', memory);
    const first = await storage.openForWriting(write);
    const second = await storage.openForWriting(write);
    await first.write(Buffer.alloc(6));
    await should(second.write(Buffer.alloc(5))).be.rejectedWith(refusal);
    await second.write(Buffer.alloc(4));
    await should(storage.openForWriting({ ...write, size: 1 })).be.rejectedWith(refusal);
    await first.commit();
    should([memory.held, first.data?.length]).eql([4, 6]);
    await second.discard();
    await second.discard();
    should(memory.held).equal(0);
  });
});
