import should = require('should');
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
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
import { movedSource } from '../../src/storage/file-source';
import { failureOf, readAll } from '../helpers/content';
import { skip } from '../helpers/requirements';
import { skipWithoutSymlinks } from '../helpers/skip';
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

  it('reads an empty file, and through a link', async function () {
    skipWithoutSymlinks(this);
    writeFileSync(folder.file('empty'), '');
    symlinkSync('empty', folder.file('link'));
    const source = await fileSource(folder.file('link'));
    should(source.size).equal(0);
    should(await readAll(source)).have.length(0);
  });

  it('reads a file without a size to its end', async function () {
    if (process.platform !== 'linux') skip(this, 'there is no /proc');
    const source = await fileSource('/proc/self/status');
    should(source.size).equal(0);
    should((await readAll(source)).toString()).match(/^Name:/);
  });

  describe('while the file changes', () => {
    const SIZE = 600_000;
    const file = (): string => folder.file('image');
    const write = (value: number, size = SIZE): void => {
      const descriptor = openSync(file(), 'r+');
      writeSync(descriptor, Buffer.alloc(size, value), 0, size, 0);
      closeSync(descriptor);
    };

    /** What was changed within one tick of the file system's clock looks the same. */
    function untilNextTick(): void {
      const opened = statSync(file(), { bigint: true }).ctimeNs;
      do writeFileSync(folder.file('clock'), 'x');
      while (statSync(folder.file('clock'), { bigint: true }).ctimeNs === opened);
    }

    /** The values of the bytes that are told as the whole file, when something happens in the middle. */
    async function valuesWhen(change: () => void): Promise<number[]> {
      writeFileSync(file(), Buffer.alloc(SIZE, 5));
      utimesSync(file(), 1000, 1000);
      const source = await fileSource(file());
      try {
        const first = await source.read(1000);
        untilNextTick();
        change();
        return [...new Set(Buffer.concat([first!, await readAll(source)]))];
      } finally {
        await source.close();
      }
    }

    /** Nothing of a content that was changed may look like its end. */
    async function shouldFailWhen(change: () => void): Promise<void> {
      const failure = await failureOf(valuesWhen(change));
      should(failure).have.properties({
        code: 'EIO',
        peerMessage: 'The file was changed while it was read',
      });
      should(failure.message).startWith(`${file()} was changed while it was read: `);
    }

    it('fails if it is overwritten in place', () => shouldFailWhen(() => write(9)));
    it('fails if one byte is written', () => shouldFailWhen(() => write(9, 1)));
    it('fails if it is written anew, of the same size', () =>
      shouldFailWhen(() => writeFileSync(file(), Buffer.alloc(SIZE, 9))));
    it('fails if it grows', () => shouldFailWhen(() => appendFileSync(file(), 'more')));
    it('fails if it becomes shorter', () => shouldFailWhen(() => truncateSync(file(), 4)));

    it('fails if it is overwritten in place and deleted', () =>
      shouldFailWhen(() => {
        write(9);
        unlinkSync(file());
      }));

    it('fails if the time of the write is set back', async function () {
      if (process.platform === 'win32') skip(this, 'on Windows others touch that time too');
      await shouldFailWhen(() => {
        write(9);
        utimesSync(file(), 1000, 1000);
      });
    });

    for (const [name, change] of [
      [
        'replaced by a rename',
        () => {
          writeFileSync(folder.file('new'), Buffer.alloc(SIZE, 9));
          renameSync(folder.file('new'), file());
        },
      ],
      ['renamed', () => renameSync(file(), folder.file('old'))],
      [
        'moved away and another takes its name',
        () => {
          renameSync(file(), folder.file('old'));
          writeFileSync(file(), Buffer.alloc(SIZE, 9));
        },
      ],
      ['deleted', () => unlinkSync(file())],
      ['linked', () => linkSync(file(), folder.file('link'))],
      ['given other permissions', () => chmodSync(file(), 0o600)],
    ] as const) {
      it(`reads the old content if it is ${name}`, async function () {
        const isOver = process.platform === 'win32' && name === 'replaced by a rename';
        if (isOver) skip(this, 'Windows renames nothing over an open file');
        should(await valuesWhen(change)).deepEqual([5]);
      });
    }

    it('fails in the thread that the open file was handed to', async () => {
      writeFileSync(file(), Buffer.alloc(SIZE, 5));
      const source = await fileSource(file());
      const content = source.handOver!();
      if (!('handle' in content)) throw new Error('It is no file');
      const { handle, ...values } = content;
      const moved = movedSource({ ...structuredClone(values), handle });
      await moved.read(1000);
      write(9);
      const failure = await failureOf(readAll(moved));
      should(failure).have.property('peerMessage', 'The file was changed while it was read');
    });
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
