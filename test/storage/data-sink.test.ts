import should = require('should');
import { createHash } from 'node:crypto';
import { PassThrough, Writable } from 'node:stream';
import { LocalError, type TftpError } from '../../src/protocol/errors';
import {
  BufferSink,
  digestSink,
  limitedSink,
  netasciiSink,
  streamSink,
  teeSink,
} from '../../src/storage/data-sink';
import type { DataSink } from '../../src/storage/storage';
import { failureOf, writeAll } from '../helpers/content';

/** A sink that tells what happened to it, and fails where it is told to. */
class TestSink extends BufferSink {
  readonly calls: string[] = [];
  failing: 'write' | 'commit' | undefined;

  override async write(chunk: Uint8Array): Promise<void> {
    if (this.failing === 'write') throw new LocalError('ENOSPC', 'full');
    await super.write(chunk);
  }

  override async commit(): Promise<void> {
    this.calls.push('commit');
    if (this.failing === 'commit') throw new LocalError('EIO', 'broken');
    await super.commit();
  }

  override async discard(): Promise<void> {
    this.calls.push('discard');
    await super.discard();
  }
}

describe('BufferSink', () => {
  it('keeps its own copy in memory that nothing else uses', async () => {
    const sink = new BufferSink();
    await writeAll(sink, 'some content', 5);
    await sink.commit();
    should(sink.data.toString()).equal('some content');
    should(sink.data.buffer.byteLength).equal(sink.data.length);
    should(sink.data.byteOffset).equal(0);
  });

  it('is empty before commit and after discard', async () => {
    const sink = new BufferSink();
    await sink.write(Buffer.from('abc'));
    should(sink.data).have.length(0);
    await sink.discard();
    await sink.discard();
    should(sink.data).have.length(0);
  });
});

describe('netasciiSink', () => {
  const netascii = 'one\r\ntwo\r\0three\r\0\r\nodd\rx\r';
  const text = 'one\ntwo\rthree\r\nodd\rx\r';

  for (const size of [1, 2, 3, Infinity]) {
    it(`translates chunks of ${size} bytes, and a CR at the end`, async () => {
      const inner = new BufferSink();
      const sink = netasciiSink(inner);
      await writeAll(sink, netascii, size);
      await sink.commit();
      should(inner.data.toString()).equal(text);
    });
  }

  it('discards the content if its last byte cannot be written', async () => {
    const inner = new TestSink();
    const sink = netasciiSink(inner);
    await sink.write(Buffer.from('a\r'));
    inner.failing = 'write';
    should(await failureOf(sink.commit())).have.property('code', 'ENOSPC');
    should(inner.calls).deepEqual(['discard']);
  });

  it('discards', async () => {
    const inner = new TestSink();
    await netasciiSink(inner).discard();
    should(inner.calls).deepEqual(['discard']);
  });
});

describe('limitedSink', () => {
  const tooLarge = (): TftpError => new LocalError('ETOOLARGE', 'The file is larger than 10 bytes');

  it('lets exactly the limit through', async () => {
    const inner = new BufferSink();
    const sink = limitedSink(inner, 10, tooLarge);
    await writeAll(sink, '0123456789', 5);
    await sink.commit();
    should(inner.data).have.length(10);
  });

  it('refuses the first byte more, and writes nothing of that chunk', async () => {
    const inner = new TestSink();
    const sink = limitedSink(inner, 10, tooLarge);
    await writeAll(sink, '01234567');
    should(await failureOf(sink.write(Buffer.from('89a')))).have.properties({
      code: 'ETOOLARGE',
      tftpCode: 3,
    });
    await inner.commit();
    should(inner.data.toString()).equal('01234567');
  });
});

describe('digestSink', () => {
  const sha256 = createHash('sha256').update('content').digest('hex');
  const md5 = createHash('md5').update('content').digest('hex');

  it('takes the SHA-256, and the MD5 only if it is expected', async () => {
    const plain = digestSink(new BufferSink());
    await writeAll(plain, 'content', 3);
    await plain.commit();
    should(plain.digests).deepEqual({ sha256 });
    const both = digestSink(new BufferSink(), { md5 });
    await writeAll(both, 'content');
    await both.commit();
    should(both.digests).deepEqual({ sha256, md5 });
  });

  it('takes the expected digits in any case', async () => {
    const inner = new TestSink();
    const sink = digestSink(inner, { sha256: ` ${sha256.toUpperCase()}\n`, md5 });
    await writeAll(sink, 'content');
    await sink.commit();
    should(inner.calls).deepEqual(['commit']);
  });

  for (const name of ['sha256', 'md5'] as const) {
    it(`discards content with another ${name}`, async () => {
      const inner = new TestSink();
      const expected = name === 'md5' ? md5 : sha256;
      const sink = digestSink(inner, { [name]: expected });
      await writeAll(sink, 'Content');
      const failure = await failureOf(sink.commit());
      should(failure).have.property('code', 'EDIGEST');
      const actual = createHash(name).update('Content').digest('hex');
      should(failure.message).containEql(expected).and.containEql(actual);
      should(inner.calls).deepEqual(['discard']);
    });
  }

  it('says what an expected checksum must look like', () => {
    should(() => digestSink(new BufferSink(), { sha256: 'abc' })).throw(LocalError, {
      code: 'EINVAL',
      message: "sha256 must be 64 hexadecimal digits, not 'abc'",
    });
    should(() => digestSink(new BufferSink(), { md5: 'z'.repeat(32) })).throw(LocalError, {
      code: 'EINVAL',
    });
  });
});

describe('teeSink', () => {
  it('gives both the same', async () => {
    const [first, second] = [new BufferSink(), new BufferSink()];
    const sink = teeSink(first, second);
    await writeAll(sink, 'content', 2);
    await sink.commit();
    should(first.data.toString()).equal('content');
    should(second.data.toString()).equal('content');
  });

  it('does not commit the second if the first fails', async () => {
    const [first, second] = [new TestSink(), new TestSink()];
    first.failing = 'commit';
    should(await failureOf(teeSink(first, second).commit())).have.property('code', 'EIO');
    should(second.calls).deepEqual(['discard']);
  });

  it('waits for both before it tells of a failure', async () => {
    let release = (): void => undefined;
    const slow: DataSink = {
      write: () =>
        new Promise((resolve) => {
          release = resolve;
        }),
      commit: async () => undefined,
      discard: async () => undefined,
    };
    const broken = new TestSink();
    broken.failing = 'write';
    let settled = false;
    const failure = failureOf(teeSink(broken, slow).write(Buffer.from('a'))).finally(() => {
      settled = true;
    });
    await new Promise(setImmediate);
    should(settled).be.false();
    release();
    should(await failure).have.property('code', 'ENOSPC');
  });

  it('discards both', async () => {
    const [first, second] = [new TestSink(), new TestSink()];
    await teeSink(first, second).discard();
    should([first.calls, second.calls]).deepEqual([['discard'], ['discard']]);
  });
});

describe('streamSink', () => {
  it('ends the stream on commit and waits until it has finished', async () => {
    const chunks: Buffer[] = [];
    let finished = false;
    const stream = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk);
        setImmediate(done);
      },
      final: (done) => {
        finished = true;
        setImmediate(done);
      },
    });
    const sink = streamSink(stream);
    await writeAll(sink, 'some content', 5);
    await sink.commit();
    should(finished).be.true();
    should(Buffer.concat(chunks).toString()).equal('some content');
  });

  it('waits while the stream is full', async () => {
    const stream = new PassThrough({ highWaterMark: 4 });
    const sink = streamSink(stream);
    let written = false;
    const write = sink.write(Buffer.from('12345678')).finally(() => {
      written = true;
    });
    await new Promise(setImmediate);
    should(written).be.false();
    should(String(stream.read())).equal('12345678');
    await write;
    await sink.discard();
  });

  it('keeps what a slow reader has not yet seen from the caller', async () => {
    const stream = new PassThrough();
    await writeAll(streamSink(stream), 'content');
    should(String(stream.read())).equal('content');
  });

  it('tells of an error at the next call, and never leaves it unhandled', async () => {
    const broken = new Error('/a/path');
    const stream = new Writable({
      write: (_chunk, _encoding, done) => void setImmediate(done, broken),
    });
    const closed = new Promise((resolve) => {
      stream.once('close', resolve);
    });
    const sink = streamSink(stream);
    await sink.write(Buffer.from('a'));
    await closed;
    const failure = await failureOf(sink.write(Buffer.from('b')));
    should(failure).have.property('code', 'EIO');
    should(failure.message).not.match(/path/);
    should(await failureOf(sink.commit())).equal(failure);
    await sink.discard();
    await sink.discard();
  });

  it('calls a full disk by its name', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(full) });
    const sink = streamSink(stream);
    const failure = await failureOf(sink.write(Buffer.from('a')));
    should(failure).have.properties({ code: 'EDISKFULL', tftpCode: 3 });
    should(failure.cause).equal(full);
  });

  it('knows why a stream had failed before it was given one', async () => {
    const stream = new PassThrough();
    const broken = new Error('broken');
    stream.on('error', () => undefined);
    stream.destroy(broken);
    await new Promise(setImmediate);
    const failure = await failureOf(streamSink(stream).write(Buffer.from('a')));
    should(failure.cause).equal(broken);
  });

  it('fails if somebody else closes the stream, before and during a call', async () => {
    const closed = new PassThrough();
    closed.destroy();
    should(await failureOf(streamSink(closed).write(Buffer.from('a')))).have.property(
      'code',
      'EIO',
    );
    const stream = new PassThrough({ highWaterMark: 1 });
    const write = streamSink(stream).write(Buffer.from('abc'));
    stream.destroy();
    should(await failureOf(write)).have.property('code', 'EIO');
  });

  it('destroys the stream on discard, and ends a write in flight', async () => {
    const stream = new PassThrough({ highWaterMark: 1 });
    const sink = streamSink(stream);
    const write = failureOf(sink.write(Buffer.from('abc')));
    await sink.discard();
    should(stream.destroyed).be.true();
    should(await write).have.property('code', 'ECANCELED');
    should(await failureOf(sink.commit())).have.property('code', 'ECANCELED');
  });
});
