import should = require('should');
import { SinkWriter } from '../../src/net/sink-writer';
import { TftpError } from '../../src/protocol/errors';
import type { DataSink } from '../../src/storage/storage';
import { gate } from '../helpers/engine';

const KIB = 1024;
const full = new TftpError('ENOSPC', 'The disk is full');

/** A writer whose sink and listener write down what happens to them, in order. */
function writerTo(own: Partial<DataSink> = {}) {
  const log: string[] = [];
  const note = (what: string) => void log.push(what);
  const sink: DataSink = {
    async write(chunk) {
      note(`write ${chunk.length}`);
      await own.write?.(chunk);
    },
    async commit() {
      note('commit');
      await own.commit?.();
    },
    async discard() {
      note('discard');
      await own.discard?.();
    },
  };
  const ended = gate();
  const writer = new SinkWriter(sink, {
    written: (bytes) => note(`written ${bytes}`),
    committed() {
      note('committed');
      ended.open();
    },
    failed(error) {
      note(`failed ${error.code}`);
      ended.open();
    },
  });
  return { writer, log, ended: ended.opened };
}

describe('SinkWriter', () => {
  it('gathers blocks until a write is worth it', async () => {
    const { writer, log, ended } = writerTo();
    for (let i = 0; i < 65; i += 1) writer.push(Buffer.alloc(KIB));
    writer.end();
    await ended;
    should(log).eql([
      `write ${64 * KIB}`,
      `written ${64 * KIB}`,
      `write ${KIB}`,
      `written ${KIB}`,
      'commit',
      'committed',
    ]);
  });

  it('keeps the order of the bytes', async () => {
    const taken: Buffer[] = [];
    const { writer, ended } = writerTo({
      write: async (chunk) => void taken.push(Buffer.from(chunk)),
    });
    for (const text of ['one ', 'two ', 'three']) writer.push(Buffer.from(text));
    writer.end();
    await ended;
    should(Buffer.concat(taken).toString()).equal('one two three');
  });

  it('writes one chunk at a time, and takes more meanwhile', async () => {
    const slow = gate();
    const { writer, log, ended } = writerTo({ write: () => slow.opened });
    for (let i = 0; i < 3; i += 1) writer.push(Buffer.alloc(64 * KIB));
    writer.end();
    should(log).eql([`write ${64 * KIB}`]);
    slow.open();
    await ended;
    should(log).eql([
      `write ${64 * KIB}`,
      `written ${64 * KIB}`,
      `write ${128 * KIB}`,
      `written ${128 * KIB}`,
      'commit',
      'committed',
    ]);
  });

  it('commits an empty file without a write', async () => {
    const { writer, log, ended } = writerTo();
    writer.end();
    await ended;
    should(log).eql(['commit', 'committed']);
  });

  for (const [method, before] of [
    ['write', ['write 1']],
    ['commit', ['write 1', 'written 1', 'commit']],
  ] as const) {
    it(`stops when ${method} fails, and discards once`, async () => {
      const { writer, log, ended } = writerTo({ [method]: () => Promise.reject(full) });
      writer.push(Buffer.from('x'));
      writer.end();
      await ended;
      writer.push(Buffer.alloc(64 * KIB));
      writer.end();
      await writer.discard();
      await writer.discard();
      should(log).eql([...before, 'failed ENOSPC', 'discard']);
    });
  }

  it('turns a fault that is no TftpError into EIO', async () => {
    const { writer, log, ended } = writerTo({ write: () => Promise.reject(new Error('odd')) });
    writer.push(Buffer.from('x'));
    writer.end();
    await ended;
    should(log).eql(['write 1', 'failed EIO']);
  });

  it('does the same when the sink throws at once', async () => {
    const { writer, log, ended } = writerTo({
      write() {
        throw full;
      },
    });
    writer.push(Buffer.alloc(64 * KIB));
    await ended;
    await writer.discard();
    should(log).eql([`write ${64 * KIB}`, 'failed ENOSPC', 'discard']);
  });

  it('discards also while a write is stuck, and begins no other', async () => {
    const slow = gate();
    const { writer, log } = writerTo({ write: () => slow.opened });
    writer.push(Buffer.alloc(64 * KIB));
    writer.push(Buffer.alloc(64 * KIB));
    await writer.discard();
    should(log).eql([`write ${64 * KIB}`, 'discard']);
    slow.open();
    await slow.opened;
    await writer.discard();
    should(log).eql([`write ${64 * KIB}`, 'discard', `written ${64 * KIB}`]);
  });

  it('leaves a file alone whose commit was in flight and went well', async () => {
    const slow = gate();
    const { writer, log } = writerTo({ commit: () => slow.opened });
    writer.end();
    const discarded = writer.discard();
    slow.open();
    await discarded;
    should(log).eql(['commit', 'committed']);
  });
});
