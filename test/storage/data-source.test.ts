import should = require('should');
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, appendFileSync, writeFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { TftpError } from '../../src/protocol/errors';
import { FileError } from '../../src/storage/file-error';
import {
  bufferSource,
  dataSource,
  fileSource,
  netasciiSource,
  streamSource,
} from '../../src/storage/data-source';
import { failureOf, readAll } from '../helpers/content';
import { skip } from '../helpers/requirements';
import { useTempFolder } from '../helpers/temp-folder';

describe('bufferSource', () => {
  it('gives bytes as views of at most 64 KiB', async () => {
    const content = Buffer.alloc(150_000, 'x');
    const source = bufferSource(content);
    should(source.size).equal(150_000);
    const first = await source.read();
    should(first).have.length(65_536);
    should(first?.buffer).equal(content.buffer);
    should(await readAll(source)).have.length(150_000 - 65_536);
  });

  it('sends a string as UTF-8 and counts its bytes', async () => {
    const source = bufferSource('größe');
    should(source.size).equal(7);
    should((await readAll(source)).toString()).equal('größe');
  });

  it('has an end at once if it is empty', async () => {
    should(await bufferSource('').read()).be.undefined();
  });
});

describe('fileSource', () => {
  const folder = useTempFolder();

  it('reads a file of several chunks', async () => {
    const content = Buffer.alloc(600_000, 'abcdefg');
    writeFileSync(folder.file('big'), content);
    const source = await fileSource(folder.file('big'));
    should(source.size).equal(600_000);
    const first = await source.read();
    should(first).have.length(256 * 1024);
    const rest = await readAll(source);
    should(Buffer.concat([first ?? Buffer.alloc(0), rest]).equals(content)).be.true();
  });

  it('does not change a chunk by reading the next', async () => {
    writeFileSync(
      folder.file('big'),
      Buffer.concat([Buffer.alloc(262_144, 1), Buffer.alloc(9, 2)]),
    );
    const source = await fileSource(folder.file('big'));
    const first = await source.read();
    await source.read();
    should(first?.every((byte) => byte === 1)).be.true();
    await source.close();
  });

  it('reads an empty file, and through a link', async () => {
    writeFileSync(folder.file('empty'), '');
    symlinkSync('empty', folder.file('link'));
    const source = await fileSource(folder.file('link'));
    should(source.size).equal(0);
    should(await readAll(source)).have.length(0);
  });

  it('stops at the announced size if the file grows', async () => {
    writeFileSync(folder.file('log'), 'before');
    const source = await fileSource(folder.file('log'));
    appendFileSync(folder.file('log'), ' after');
    should((await readAll(source)).toString()).equal('before');
  });

  it('fails if the file became shorter', async () => {
    writeFileSync(folder.file('log'), 'long content');
    const source = await fileSource(folder.file('log'));
    truncateSync(folder.file('log'), 4);
    should(await source.read()).have.length(4);
    should(await failureOf(source.read())).have.property('code', 'EIO');
    await source.close();
  });

  it('names the path and what to do, and keeps the path from the peer', async () => {
    const failure = await failureOf(fileSource(folder.file('none')));
    should(failure).have.properties({ code: 'ENOFILE', tftpCode: 1 });
    should(failure.message).equal(`${folder.file('none')} does not exist: check the path`);
    should(failure instanceof FileError).be.true();
    should(failure).have.property('peerMessage', 'File not found');
  });

  it('refuses a folder', async () => {
    mkdirSync(folder.file('sub'));
    const failure = await failureOf(fileSource(folder.file('sub')));
    should(failure).have.property('code', 'ENOPERM');
    should(failure.message).match(/is not a regular file/);
  });

  it('refuses a pipe at once instead of waiting for a writer', async function () {
    if (process.platform === 'win32') skip(this, 'Windows has no mkfifo');
    execFileSync('mkfifo', [folder.file('fifo')]);
    should(await failureOf(fileSource(folder.file('fifo')))).have.property('code', 'ENOPERM');
  });

  it('can be closed twice', async () => {
    writeFileSync(folder.file('a'), 'a');
    const source = await fileSource(folder.file('a'));
    await source.close();
    await source.close();
    should(await failureOf(source.read())).have.property('code', 'EIO');
  });
});

describe('streamSource', () => {
  it('reads bytes and text from a generator, and leaves out what is empty', async () => {
    function* chunks(): Generator<Uint8Array | string> {
      yield 'grö';
      yield Buffer.alloc(0);
      yield '';
      yield Buffer.from('ße');
    }
    const source = streamSource(chunks(), 7);
    should(source.size).equal(7);
    should((await readAll(source)).toString()).equal('größe');
  });

  it('reads a Node stream and destroys it at close', async () => {
    const stream = Readable.from([Buffer.from('one'), Buffer.from('two')]);
    const source = streamSource(stream);
    should(source.size).be.undefined();
    should((await source.read())?.toString()).equal('one');
    await source.close();
    should(stream.destroyed).be.true();
  });

  it('destroys a stream that was never read', async () => {
    const stream = new PassThrough();
    await streamSource(stream).close();
    should(stream.destroyed).be.true();
  });

  it('closes while a read waits for data that never comes', async () => {
    const stream = new PassThrough();
    const source = streamSource(stream);
    const read = source.read();
    await source.close();
    should(await failureOf(read)).have.property('code', 'EIO');
  });

  it('closes while a generator waits for data that never comes', async () => {
    async function* chunks(): AsyncGenerator<string> {
      yield await new Promise<string>(() => undefined);
    }
    const source = streamSource(chunks());
    void source.read();
    await source.close();
  });

  it('runs the clean-up of a generator at close', async () => {
    let cleaned = false;
    async function* chunks(): AsyncGenerator<string> {
      try {
        yield 'a';
        yield 'b';
      } finally {
        await new Promise(setImmediate);
        cleaned = true;
      }
    }
    const source = streamSource(chunks());
    await source.read();
    await source.close();
    should(cleaned).be.true();
  });

  it('tells of an error that came before the first read', async () => {
    const stream = new PassThrough();
    const source = streamSource(stream);
    const closed = new Promise((resolve) => {
      stream.once('close', resolve);
    });
    stream.destroy(new Error('/secret/path broke'));
    await closed;
    const failure = await failureOf(source.read());
    should(failure).have.property('code', 'EIO');
    should(failure.message).not.match(/secret/);
    should(failure.cause).have.property('message', '/secret/path broke');
    await source.close();
  });

  it('passes a TftpError on as it is', async () => {
    const stream = new Readable({ read() {} });
    const error = new TftpError('ENOSPC', 'no');
    stream.destroy(error);
    should(await failureOf(streamSource(stream).read())).equal(error);
  });

  it('says what is wrong with a chunk', async () => {
    const source = streamSource(Readable.from([{ a: 1 }]));
    should((await failureOf(source.read())).message).match(/type object: it must be bytes or text/);
    await source.close();
  });
});

describe('netasciiSource', () => {
  const text = 'one\ntwo\rthree\r\nfour';
  const netascii = 'one\r\ntwo\r\0three\r\0\r\nfour';

  for (const size of [1, 2, 3, 1000]) {
    it(`translates chunks of ${size} bytes`, async () => {
      const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      const source = netasciiSource(streamSource(chunks, text.length));
      should(source.size).be.undefined();
      should((await readAll(source)).toString()).equal(netascii);
    });
  }
});

describe('dataSource', () => {
  const folder = useTempFolder();

  it('takes bytes, text, a file, a stream and a source', async () => {
    writeFileSync(folder.file('a'), 'content');
    const source = bufferSource('content');
    const contents = [
      Buffer.from('content'),
      new Uint8Array(Buffer.from('content')),
      'content',
      { file: folder.file('a') },
      Readable.from(['con', 'tent']),
      source,
    ];
    for (const content of contents) {
      should((await readAll(await dataSource(content))).toString()).equal('content');
    }
    should(await dataSource(source)).equal(source);
  });
});
