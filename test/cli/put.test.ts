import should = require('should');
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../src/cli/main';
import { FakeIo } from './fake-io';
import { content, withFolder, withServer, withSilence } from './servers';
import type { TransferRecord } from '../../src/net/transfer-record';

const CONFIG = content(70_000);
const SHA256 = createHash('sha256').update(CONFIG).digest('hex');

describe('red-tftp put', () => {
  for (const length of [0, 1, 512, 70_000]) {
    it(`sends a file of ${length} bytes, byte for byte`, () =>
      withPut(async ({ url, files, file }) => {
        await writeFile(file, content(length));
        const io = new FakeIo();
        (await run(['put', file, `${url}up`], io)).should.equal(0);
        should(files.get('up')?.equals(content(length))).equal(true);
        (io.out + io.err).should.equal('');
      }));
  }

  it('sends the standard input, whose size nobody knows', () =>
    withPut(async ({ url, files }) => {
      const io = new FakeIo({ stdin: [CONFIG.subarray(0, 1000), CONFIG.subarray(1000)] });
      (await run(['put', '-', `${url}up`, '--json'], io)).should.equal(0);
      should(files.get('up')?.equals(CONFIG)).equal(true);
      const [start] = io.out.split('\n');
      should(recordOf(start).size).equal(null);
    }));

  it('tells the size of a file', () =>
    withPut(async ({ url, file }) => {
      const io = new FakeIo();
      (await run(['put', file, `${url}up`, '--json'], io)).should.equal(0);
      const [start] = io.out.split('\n');
      recordOf(start).should.match({
        event: 'start',
        operation: 'write',
        filename: 'up',
        size: 70_000,
      });
    }));

  it('ends with 4 and a record if the local file cannot be read', () =>
    withPut(async ({ url, file }) => {
      const io = new FakeIo();
      (await run(['put', `${file}.none`, `${url}up`, '--json'], io)).should.equal(4);
      io.err.should.match(/^red-tftp: [^\n]+\n$/);
      const last = recordOf(io.out.trimEnd().split('\n').at(-1));
      last.should.match({ event: 'error', error: { code: 'ENOFILE', tftpCode: 1 } });
    }));

  it('ends with 1 if the server accepts no files', () =>
    withPut(
      async ({ url, file }) => {
        const io = new FakeIo();
        (await run(['put', file, `${url}up`], io)).should.equal(1);
        io.err.should.match(/^red-tftp: [^\n]+ \(EACCES\); [^\n]+\n$/);
      },
      { write: false },
    ));

  it('ends with 3 if nobody answers', () =>
    withSilence(async (url) => {
      const flags = ['--timeout', '0.05', '--retries', '1'];
      const io = new FakeIo({ stdin: [CONFIG] });
      (await run(['put', '-', `${url}up`, ...flags], io)).should.equal(3);
    }));

  it('sends what has the right SHA-256', () =>
    withPut(async ({ url, file, files }) => {
      (await run(['put', file, `${url}up`, '--sha256', SHA256], new FakeIo())).should.equal(0);
      should(files.get('up')?.equals(CONFIG)).equal(true);
    }));

  for (const length of [1000, 70_000, 1428 * 16]) {
    it(`ends with 5 for another SHA-256 and leaves no file on the server (${length} bytes)`, () =>
      withPut(async ({ url, files }) => {
        const io = new FakeIo({ stdin: [content(length)] });
        const other = 'ab'.repeat(32);
        (await run(['put', '-', `${url}up`, '--sha256', other], io)).should.equal(5);
        io.err.should.match(/^red-tftp: The sha256 is [^\n]+\n$/);
        files.has('up').should.equal(false);
      }));
  }

  it('ends with 4 beyond --max-size, for files and for the standard input', () =>
    withPut(async ({ url, file, files, server }) => {
      const tooSmall = ['--max-size', '69999'];
      const fromFile = new FakeIo();
      (await run(['put', file, `${url}up`, ...tooSmall], fromFile)).should.equal(4);
      server.counters.requests.should.equal(0);
      const fromStdin = new FakeIo({ stdin: [CONFIG] });
      (await run(['put', '-', `${url}up`, ...tooSmall], fromStdin)).should.equal(4);
      for (const io of [fromFile, fromStdin]) io.err.should.match(/larger than [^\n]+--max-size/);
      files.has('up').should.equal(false);
      (await run(['put', file, `${url}up`, '--max-size', '70000'], new FakeIo())).should.equal(0);
    }));

  it('ends with 130 at SIGINT, and the server keeps nothing', () =>
    withPut(
      async ({ url, files, server }) => {
        const io = new FakeIo({ stdin: endless() });
        const told = new Promise<void>((resolve) => {
          server.on('transfer', ({ event, bytes }) => {
            if (bytes > 0) io.signals.emit('SIGINT');
            if (event === 'error') resolve();
          });
        });
        (await run(['put', '-', `${url}up`], io)).should.equal(130);
        await told;
        files.has('up').should.equal(false);
      },
      { progressInterval: 1 },
    ));
});

function* endless(): Iterable<Buffer> {
  for (;;) yield content(10_000);
}

interface PutTest {
  readonly url: string;
  readonly files: Map<string, Buffer>;
  readonly server: Parameters<Parameters<typeof withServer>[0]>[0]['server'];
  readonly file: string;
}

/** A server, and a local file with CONFIG. */
function withPut(
  use: (test: PutTest) => Promise<void>,
  options: Parameters<typeof withServer>[1] = {},
): Promise<void> {
  return withFolder(async (folder) => {
    const file = path.join(folder, 'config');
    await writeFile(file, CONFIG);
    await withServer(({ url, files, server }) => use({ url, files, server, file }), options);
  });
}

function recordOf(line: string | undefined): TransferRecord {
  return JSON.parse(line ?? '');
}
