import should = require('should');
import { FlowQuestions, FlowStorage } from '../../src/node-red/flow-storage';
import { PendingReads } from '../../src/node-red/pending-reads';
import { bufferSource } from '../../src/storage/data-source';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { failureOf, readAll, requestFor, writeAll } from '../helpers/content';

describe('FlowStorage', () => {
  const base = new MemoryStorage([['own', Buffer.from('from the folder')]]);

  function flowStorage(baseFirst: boolean) {
    const pending = new PendingReads();
    const asked: string[] = [];
    const tell = ({ filename }: { filename: string }, id: string): void => {
      asked.push(filename);
      queueMicrotask(() => {
        void pending.answer(id, async () => bufferSource('from the flow'));
      });
    };
    const flow = new FlowQuestions(base, { timeout: 1000, tell }, pending);
    return { storage: new FlowStorage(base, flow, baseFirst), asked };
  }

  it('asks the flow for each file', async () => {
    const { storage, asked } = flowStorage(false);
    for (const name of ['own', 'other', '../outside']) {
      const content = await readAll(await storage.openForReading(requestFor(name)));
      should(content.toString()).equal('from the flow');
    }
    should(asked).eql(['own', 'other', '../outside']);
  });

  it('asks it only for what is missing, if the folder comes first', async () => {
    const { storage, asked } = flowStorage(true);
    const contents = [];
    for (const name of ['own', 'other']) {
      contents.push(String(await readAll(await storage.openForReading(requestFor(name)))));
    }
    should(contents).eql(['from the folder', 'from the flow']);
    should(asked).eql(['other']);
  });

  it('does not ask it for what the folder refuses', async () => {
    const { storage, asked } = flowStorage(true);
    const failure = await failureOf(storage.openForReading(requestFor('../outside')));
    should(failure.code).equal('EACCES');
    should(asked).be.empty();
  });

  it('does not ask it whether a file is there', async () => {
    for (const [baseFirst, expected] of [
      [true, [true, false, true]],
      [false, [true, true, true]],
    ] as const) {
      const { storage, asked } = flowStorage(baseFirst);
      const can = [
        await storage.canOpen(requestFor('own'), 'read'),
        await storage.canOpen(requestFor('other'), 'read'),
        await storage.canOpen(requestFor('other'), 'write'),
      ];
      should(can).eql(expected);
      should(asked).be.empty();
    }
  });

  it('leaves writes to the folder', async () => {
    const { storage } = flowStorage(false);
    const sink = await storage.openForWriting(requestFor('new'));
    await writeAll(sink, 'uploaded');
    await sink.commit();
    should(base.files.get('new')!.toString()).equal('uploaded');
  });
});
