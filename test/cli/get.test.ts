import should = require('should');
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { run } from '../../src/cli/main';
import { ScriptedPeer } from '../helpers/scripted-peer';
import { ON_LINUX, skipUnless } from '../helpers/skip';
import { error, oack } from '../helpers/wire';
import { FakeIo } from './fake-io';
import { content, withFolder, withServer, withSilence } from './servers';
import type { TransferRecord } from '../../src/net/transfer-record';

const FIRMWARE = content(100_000);

describe('red-tftp get', () => {
  for (const length of [0, 1, 511, 512, 513, 100_000]) {
    it(`fetches ${length} bytes to a file, byte for byte`, () =>
      withGet(async ({ url, files, target, folder }) => {
        files.set('f', content(length));
        const io = new FakeIo();
        (await run(['get', `${url}f`, '-o', target], io)).should.equal(0);
        (await readFile(target)).equals(content(length)).should.equal(true);
        (await readdir(folder)).should.deepEqual(['target']);
        io.out.should.equal('');
        io.err.should.equal('');
      }));
  }

  it('takes 4 GiB at most unless told otherwise', async () => {
    const limit = 4 * 1024 ** 3;
    for (const [size, more, code] of [
      [limit + 1, [], 4],
      [limit + 1, ['--max-size', '5G'], 1],
      [limit, [], 1],
    ] as const) {
      const peer = await ScriptedPeer.bind();
      const io = new FakeIo();
      const url = `tftp://127.0.0.1:${peer.port}/disk.img`;
      const exit = run(['get', url, '-o', '-', ...more], io);
      await peer.hear();
      peer.send(oack('tsize', String(size)));
      const heard = await peer.hear();
      should(heard).match(code === 4 ? /^ERROR 3 .*limit of 4294967296 bytes/ : /^ACK 0/);
      if (code === 1) peer.send(error(0, 'enough'));
      should(await exit).equal(code);
      peer.close();
    }
  });

  it('writes nothing but the file to stdout with -o -', () =>
    withGet(async ({ url }) => {
      const io = new FakeIo();
      (await run(['get', `${url}fw`, '-o', '-'], io)).should.equal(0);
      io.outBytes.equals(FIRMWARE).should.equal(true);
      io.err.should.equal('');
    }));

  it('names the file as the server does, in the current folder', () =>
    withGet(async ({ url, files, folder }) => {
      files.set('boot/red-tftp.bin', FIRMWARE);
      const before = process.cwd();
      process.chdir(folder);
      try {
        (await run(['get', `${url}boot/red-tftp.bin`], new FakeIo())).should.equal(0);
      } finally {
        process.chdir(before);
      }
      (await readdir(folder)).should.deepEqual(['red-tftp.bin']);
    }));

  it('ends with 1 and the words of the server if there is no such file', () =>
    withGet(async ({ url, target, folder }) => {
      const io = new FakeIo();
      (await run(['get', `${url}none`, '-o', target], io)).should.equal(1);
      io.err.should.match(
        /^red-tftp: 127\.0\.0\.1:\d+ says "[^"]+" \(ENOENT\); [^\n]+; --trace shows the packets\n$/,
      );
      (await readdir(folder)).should.deepEqual([]);
    }));

  it('shows the packets of a failed transfer with --trace', () =>
    withGet(async ({ url, target }) => {
      const io = new FakeIo();
      (await run(['get', `${url}none`, '-o', target, '--trace'], io)).should.equal(1);
      io.err.should.not.containEql('--trace');
      io.err.should.match(/\n.*RRQ[^\n]*\n.*ERROR 1/);
    }));

  it('ends with 3 if nobody answers', () =>
    withFolder((folder) =>
      withSilence(async (url, heard) => {
        const io = new FakeIo();
        const flags = ['--timeout', '0.05', '--retries', '1', '-o', path.join(folder, 'f')];
        (await run(['get', `${url}f`, ...flags], io)).should.equal(3);
        io.err.should.match(
          /^red-tftp: [^\n]+; check the host, the port and the firewall[^\n]+\n$/,
        );
        heard.length.should.equal(2);
        (await readdir(folder)).should.deepEqual([]);
      }),
    ));

  it('asks for the options of its flags, and for none with --no-options', () =>
    withSilence(async (url, heard) => {
      const last = ['--retries', '0', '-o', '-'];
      const asking = ['--blksize', '600', '--windowsize', '3', '--timeout', '0.02'];
      await run(['get', `${url}f`, ...asking, ...last], new FakeIo());
      should(heard[0]).startWith('\0\u0001f\0octet\0');
      should(heard[0]).containEql('blksize\x00600\0').and.containEql('windowsize\x003\0');
      await run(['get', `${url}f`, '--no-options', '--mode', 'netascii', ...last], new FakeIo());
      should(heard[1]).equal('\0\u0001f\0netascii\0');
      await run(['get', `${url}f`, '--windowsize', 'auto', ...last], new FakeIo());
      should(heard[2]).containEql('windowsize\x0064\0');
      await run(['get', `${url}f`, '--rollover', '1', '--timeout', '0.02', ...last], new FakeIo());
      should(heard[3]).containEql('rollover\x001\0');
      await run(['get', `${url}f`, '--rollover', '0', '--timeout', '0.02', ...last], new FakeIo());
      should(heard[4]).containEql('rollover\x000\0');
    }));

  it('takes an answer from another address with --any-address alone', async function () {
    skipUnless(this, ON_LINUX, 'only Linux has 127.0.0.2 without setting it up');
    const [asked, other] = [createSocket('udp4'), createSocket('udp4')];
    try {
      for (const [socket, address] of [
        [asked, '127.0.0.1'],
        [other, '127.0.0.2'],
      ] as const) {
        socket.bind(0, address);
        await once(socket, 'listening');
      }
      asked.on('message', (_, { port, address }) => {
        other.send(Buffer.from('\0\u0003\0\u0001content'), port, address);
      });
      const url = `tftp://127.0.0.1:${asked.address().port}/f`;
      const quick = ['-o', '-', '--timeout', '0.02', '--retries', '0'];
      const refused = new FakeIo();
      (await run(['get', url, ...quick], refused)).should.equal(3);
      refused.err.should.match(/127\.0\.0\.2 answered/);
      const taken = new FakeIo();
      (await run(['get', url, ...quick, '--any-address'], taken)).should.equal(0);
      taken.out.should.equal('content');
    } finally {
      asked.close();
      other.close();
    }
  });

  it('ends with 4 if the local file cannot be written', () =>
    withGet(async ({ url, folder }) => {
      const io = new FakeIo();
      const target = path.join(folder, 'no', 'such', 'folder');
      (await run(['get', `${url}fw`, '-o', target], io)).should.equal(4);
      io.err.should.match(/^red-tftp: [^\n]*no such folder|folder[^\n]+\n$/);
    }));

  it('ends with 4 beyond --max-size, and leaves nothing', () =>
    withGet(async ({ url, target, folder }) => {
      const io = new FakeIo();
      (await run(['get', `${url}fw`, '-o', target, '--max-size', '97k'], io)).should.equal(4);
      io.err.should.match(/larger than [^\n]+; give a larger --max-size/);
      (await readdir(folder)).should.deepEqual([]);
      (
        await run(['get', `${url}fw`, '-o', target, '--max-size', '98k'], new FakeIo())
      ).should.equal(0);
    }));

  it('ends with 5 for another SHA-256, and leaves the old file as it was', () =>
    withGet(async ({ url, target, folder }) => {
      await writeFile(target, 'old');
      const io = new FakeIo();
      const other = 'ab'.repeat(32);
      (await run(['get', `${url}fw`, '-o', target, '--sha256', other], io)).should.equal(5);
      io.err.should.match(/^red-tftp: The sha256 is [^\n]+\n$/);
      (await readFile(target, 'utf8')).should.equal('old');
      (await readdir(folder)).should.deepEqual(['target']);
    }));

  it('replaces the old file if the SHA-256 is right', () =>
    withGet(async ({ url, target }) => {
      await writeFile(target, 'old');
      const right = createHash('sha256').update(FIRMWARE).digest('hex').toUpperCase();
      (await run(['get', `${url}fw`, '-o', target, '--sha256', right], new FakeIo())).should.equal(
        0,
      );
      (await readFile(target)).equals(FIRMWARE).should.equal(true);
    }));

  it('prints a record a line with --json, the last one tells the end', () =>
    withGet(async ({ url, target }) => {
      const io = new FakeIo({ isTTY: true });
      (await run(['get', `${url}fw`, '-o', target, '--json'], io)).should.equal(0);
      const records = recordsOf(io.out);
      should(records[0]).match({
        event: 'start',
        role: 'client',
        operation: 'read',
        filename: 'fw',
      });
      should(records.at(-1)).match({ event: 'complete', bytes: 100_000, size: 100_000 });
      io.err.should.not.containEql('\u001B');
    }));

  it('prints the records on stderr with -o -, and nothing else there', () =>
    withGet(async ({ url }) => {
      const good = new FakeIo();
      (await run(['get', `${url}fw`, '-o', '-', '--json'], good)).should.equal(0);
      good.outBytes.equals(FIRMWARE).should.equal(true);
      should(recordsOf(good.err).at(-1)?.event).equal('complete');
      const bad = new FakeIo();
      (await run(['get', `${url}none`, '-o', '-', '--json', '--trace'], bad)).should.equal(1);
      should(recordsOf(bad.err).at(-1)).match({
        event: 'error',
        error: { code: 'ENOENT', tftpCode: 1 },
      });
    }));

  it('says how it went on a terminal, and leaves no progress bar behind', () =>
    withGet(async ({ url, target }) => {
      const io = new FakeIo({ isTTY: true });
      (await run(['get', `${url}fw`, '-o', target], io)).should.equal(0);
      const [last] = io.err.split('\r\u001B[K').slice(-1);
      should(last).match(/^fw: 100\.0 kB in \d+\.\d s, [^\n]+\/s\n$/);
      io.out.should.equal('');
    }));

  it('ends with 4 and without a word if the reader of stdout goes away', () =>
    withGet(async ({ url, files }) => {
      files.set('long', content(3_000_000));
      const io = new FakeIo();
      const pipe = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
      io.stdout.once('data', () => io.stdout.destroy(pipe));
      (await run(['get', `${url}long`, '-o', '-'], io)).should.equal(4);
      io.err.should.equal('');
    }));

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends with ${exitCode} at ${signal}, tells the server and leaves nothing`, () =>
      withGet(async ({ url, files, server, target, folder }) => {
        files.set('long', content(30_000_000));
        const io = new FakeIo();
        const told = new Promise<TransferRecord>((resolve) => {
          server.on('transfer', (record) => {
            // Before the first block it would look like a probe.
            if (record.bytes > 0) io.signals.emit(signal);
            if (record.event === 'error') resolve(record);
          });
        });
        (await run(['get', `${url}long`, '-o', target], io)).should.equal(exitCode);
        io.err.should.match(/^red-tftp: [^\n]*cancelled[^\n]*\n$/);
        (await told).bytes.should.be.within(1, 29_999_999);
        (await readdir(folder)).should.deepEqual([]);
        io.signals.eventNames().should.deepEqual([]);
      }));
  }
});

interface GetTest {
  readonly url: string;
  readonly files: Map<string, Buffer>;
  readonly server: Parameters<Parameters<typeof withServer>[0]>[0]['server'];
  readonly folder: string;
  readonly target: string;
}

/** A server with the file `fw`, and an empty folder for what is fetched. */
function withGet(use: (test: GetTest) => Promise<void>): Promise<void> {
  return withFolder((folder) =>
    withServer(
      async ({ url, files, server }) => {
        files.set('fw', FIRMWARE);
        await use({ url, files, server, folder, target: path.join(folder, 'target') });
      },
      { progressInterval: 1 },
    ),
  );
}

function recordsOf(text: string): TransferRecord[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line): TransferRecord => JSON.parse(line));
}
