import should = require('should');
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, readFile, readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TftpClient } from '../../src/client/client';
import { run } from '../../src/cli/main';
import { WORKER_FLAGS } from '../helpers/worker';
import { FakeIo } from './fake-io';
import { content, withFolder } from './servers';

const LOOPBACK = ['--address', '127.0.0.1', '--port', '0'];

describe('red-tftp serve', () => {
  it('serves a folder, refuses uploads, and ends with 0 at a signal', () =>
    withServe(LOOPBACK, async ({ client, folder, io }) => {
      await writeFile(path.join(folder, 'f'), content(5000));
      (await client.get('f')).data.equals(content(5000)).should.equal(true);
      await client.put('x', 'up').should.be.rejectedWith({ code: 'EACCES' });
      (await readdir(folder)).should.deepEqual(['f']);
      await io.printed(/read f: 5/);
      await io.printed(/write up: failed/);
      io.out.should.match(/^listening on 127\.0\.0\.1:\d+\n/);
      io.out.should.match(/read f: 5\.0 kB in /);
      io.out.should.match(/write up: failed: .* \(EACCES\)\n/);
      io.err.should.equal('');
    }));

  it('knows with --expect what is normal', () =>
    withServe([...LOOPBACK, '--expect', 'set:ipxe', '--expect', 'x*'], async ({ client, io }) => {
      for (const name of ['autoexec.ipxe', 'x1', 'other']) {
        await client.get(name).should.be.rejectedWith({ code: 'ENOENT' });
      }
      await io.printed(/read autoexec\.ipxe: expected: /);
      await io.printed(/read x1: expected: /);
      await io.printed(/read other: failed: /);
    }));

  it('takes uploads with --writable, and keeps what is there', () =>
    withServe([...LOOPBACK, '--writable'], async ({ client, folder }) => {
      await client.put('one', 'up');
      await client.put('two', 'up').should.be.rejectedWith({ code: 'EEXIST' });
      (await readFile(path.join(folder, 'up'), 'utf8')).should.equal('one');
    }));

  it('replaces files with --overwrite replace', () =>
    withServe([...LOOPBACK, '--writable', '--overwrite', 'replace'], async ({ client, folder }) => {
      await client.put('one', 'up');
      await client.put('two', 'up');
      (await readFile(path.join(folder, 'up'), 'utf8')).should.equal('two');
    }));

  it('refuses uploads beyond --max-upload', () =>
    withServe([...LOOPBACK, '--writable', '--max-upload', '1k'], async ({ client, folder, io }) => {
      await client.put(content(1025), 'up').should.be.rejectedWith({ code: 'ENOSPC' });
      await io.printed(/up: failed: .* \(ETOOLARGE\); .*, raise --max-upload\n/);
      await client.put(content(1024), 'fits');
      (await readdir(folder)).should.deepEqual(['fits']);
    }));

  it('grants blocks and windows up to its limits', () =>
    withServe([...LOOPBACK, '--blksize-max', '1000', '--windowsize-max', '4'], async (serve) => {
      await writeFile(path.join(serve.folder, 'f'), content(5000));
      const { record } = await serve.client.get('f');
      record.options.should.match({ blksize: 1000, windowsize: 4 });
    }));

  it('speaks from the listening port with --single-port', () =>
    withServe([...LOOPBACK, '--single-port', '--json'], async ({ client, folder, io }) => {
      await writeFile(path.join(folder, 'f'), content(5000));
      (await client.get('f')).data.equals(content(5000)).should.equal(true);
      const port = Number(/"port":(\d+)/.exec(io.out)![1]);
      io.out.should.match(new RegExp(`"event":"start".*"localPort":${port},`));
    }));

  it('speaks from the ports of --port-range', () =>
    withServe([...LOOPBACK, '--port-range', '20770:20779', '--json'], async (serve) => {
      await writeFile(path.join(serve.folder, 'f'), content(5000));
      await serve.client.get('f');
      serve.io.out.should.match(/"event":"start".*"localPort":2077\d,/);
    }));

  it('serves only the networks of --allow', () =>
    withServe(
      [...LOOPBACK, '--allow', '192.0.2.0/24', '--allow', '198.51.100.7'],
      async (serve) => {
        await writeFile(path.join(serve.folder, 'f'), content(5000));
        const impatient = { timeout: 50, retries: 0 };
        await serve.client.get('f', impatient).should.be.rejected();
      },
    ));

  it('refuses the networks of --deny', () =>
    withServe([...LOOPBACK, '--deny', '192.0.2.1', '--deny', '127.0.0.0/8'], async (serve) => {
      await writeFile(path.join(serve.folder, 'f'), content(5000));
      await serve.client.get('f').should.be.rejectedWith({ code: 'EACCES' });
    }));

  it('gives each client its folder with --unique-root', () =>
    withServe([...LOOPBACK, '--unique-root', 'ip'], async ({ client, folder }) => {
      await writeFile(path.join(folder, 'f'), 'shared');
      (await client.get('f')).data.toString().should.equal('shared');
      await mkdir(path.join(folder, '127.0.0.1'));
      await writeFile(path.join(folder, '127.0.0.1', 'f'), 'own');
      (await client.get('f')).data.toString().should.equal('own');
    }));

  it('serves everybody with --allow any, and warns if everybody may write', () =>
    withServe([...LOOPBACK, '--allow', 'any', '--writable'], async ({ client, io }) => {
      io.err.should.match(/^red-tftp: with --writable and --allow any everybody [^\n]+\n$/);
      await client.put('x', 'up');
    }));

  it('prints lines of JSON with --json, the first one when it is ready', () =>
    withServe([...LOOPBACK, '--json'], async ({ client, folder, io }) => {
      await writeFile(path.join(folder, 'f'), content(5000));
      await client.get('f');
      await io.printed(/"event":"complete"/);
      await client.get('none').should.be.rejected();
      await io.printed(/"event":"error"/);
      const lines = io.out.trimEnd().split('\n');
      const [listening, ...records] = lines.map((line): { event: string } => JSON.parse(line));
      should(listening).match({ event: 'listening', address: '127.0.0.1', family: 'ipv4' });
      const endings = records.filter(({ event }) => event === 'complete' || event === 'error');
      endings.should.match([
        { event: 'complete', role: 'server', operation: 'read', filename: 'f', bytes: 5000 },
        { event: 'error', filename: 'none', error: { code: 'ENOENT', tftpCode: 1 } },
      ]);
    }));

  it('tells with --json of an address that guesses names, and of requests without a slot', () =>
    withServe([...LOOPBACK, '--json', '--max-transfers', '1'], async ({ client, folder, io }) => {
      const guesses = Array.from({ length: 100 }, (_, n) => `guess-${n}`);
      for (const name of guesses) await client.get(name).should.be.rejected();
      await io.printed(/"event":"alarm","host":"127\.0\.0\.1","misses":100,"names":/);
      await writeFile(path.join(folder, 'f'), content(5000));
      const crowd = Array.from({ length: 3 }, () => client.get('f'));
      await Promise.all(crowd);
      await io.printed(/"event":"problem","code":"EBUSY"/);
      io.err.should.match(/^red-tftp: Requests that found no free slot/);
    }));

  it('goes on serving when nobody reads its output any more', () =>
    withServe(LOOPBACK, async ({ client, folder, io }) => {
      await writeFile(path.join(folder, 'f'), content(5000));
      io.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      await client.get('f');
      await client.get('f');
    }));

  it('maps names with --map, and reads the file again at SIGHUP', () =>
    withFolder(async (rules) => {
      const map = path.join(rules, 'map');
      await writeFile(map, 'rg \\\\ /\nr ^ a/\n');
      await withServe([...LOOPBACK, '--map', map], async ({ client, folder, io }) => {
        for (const name of ['a', 'b']) {
          await mkdir(path.join(folder, name, 'sub'), { recursive: true });
          await writeFile(path.join(folder, name, 'sub', 'f'), name);
        }
        const got = async (): Promise<string> => (await client.get('sub\\f')).data.toString();
        const hangUp = async (): Promise<string> => {
          io.signals.emit('SIGHUP');
          return String((await once(io.stderr, 'data'))[0]);
        };
        (await got()).should.equal('a');
        await writeFile(map, 'r \\\\ /\nr ^ b/\n');
        (await hangUp()).should.equal(`red-tftp: ${map} was read again; it has 2 rules\n`);
        (await got()).should.equal('b');
        io.out.should.match(/ read sub\\f as a\/sub\/f: 1 B/);
        await writeFile(map, 'r (\n\nq\n');
        const problem = await hangUp();
        problem.should.startWith(`red-tftp: the old name rules stay: ${map}: `);
        problem.should.match(/line 1: .*; line 3: .*\n$/);
        (await got()).should.equal('b');
      });
    }));

  it('does not start with rules that are wrong, or missing', () =>
    withFolder(async (folder) => {
      const map = path.join(folder, 'map');
      const io = new FakeIo();
      (await run(['serve', ...LOOPBACK, '--map', map], io)).should.equal(4);
      io.err.should.equal(
        `red-tftp: There is no map file ${map}: create it, or name another one\n`,
      );
      await writeFile(map, 'a x\nra x\n');
      (await run(['serve', ...LOOPBACK, '--map', map], io)).should.equal(2);
      io.err.should.endWith(`: line 2: r and a cannot be combined\n`);
      io.signals.listenerCount('SIGHUP').should.equal(0);
    }));

  it('removes what interrupted uploads have left', () =>
    withFolder(async (root) => {
      const leftover = path.join(root, '.up.0123456789abcdef.tftp-part');
      await writeFile(leftover, 'half of it');
      await utimes(leftover, 0, 0);
      await serving(root, LOOPBACK, () => Promise.resolve());
      (await readdir(root)).length.should.equal(1);
      await serving(root, [...LOOPBACK, '--writable'], () => Promise.resolve());
      (await readdir(root)).should.deepEqual([]);
    }));

  it('ends with 4 if there is no such folder', () =>
    withFolder(async (folder) => {
      const io = new FakeIo();
      const root = path.join(folder, 'none');
      (await run(['serve', ...LOOPBACK, '--root', root], io)).should.equal(4);
      io.err.should.match(/^red-tftp: There is no folder [^\n]+; give another --root\n$/);
    }));

  it('ends with 4 if the port is taken, and says what to do', async () => {
    const socket = createSocket('udp4');
    socket.bind({ port: 0, address: '127.0.0.1', exclusive: true });
    await once(socket, 'listening');
    try {
      const io = new FakeIo();
      const port = `${socket.address().port}`;
      (await run(['serve', '--address', '127.0.0.1', '--port', port], io)).should.equal(4);
      io.err.should.match(/^red-tftp: [^\n]+ in use[^\n]+\n$/);
    } finally {
      socket.close();
    }
  });

  it('ends with 4 if the address is not of this machine', async () => {
    const io = new FakeIo();
    (await run(['serve', '--address', '192.0.2.1', '--port', '0'], io)).should.equal(4);
    io.err.should.match(/^red-tftp: 192\.0\.2\.1[^\n]+ no address of this machine[^\n]+\n$/);
  });
});

interface ServeTest {
  readonly client: TftpClient;
  readonly folder: string;
  readonly io: FakeIo;
}

/** Runs the command with a folder of its own, then stops it with SIGTERM, which must end it with 0. */
function withServe(
  flags: readonly string[],
  use: (test: ServeTest) => Promise<void>,
): Promise<void> {
  return withFolder((folder) => serving(folder, flags, use));
}

async function serving(
  folder: string,
  flags: readonly string[],
  use: (test: ServeTest) => Promise<void>,
): Promise<void> {
  const io = new FakeIo();
  const ended = run(['serve', '--root', folder, ...WORKER_FLAGS, ...flags], io);
  const first = await Promise.race([once(io.stdout, 'data'), ended]);
  if (typeof first === 'number') throw new Error(`serve ended with ${first}: ${io.err}`);
  const port = Number(/(?:127\.0\.0\.1:|"port":)(\d+)/.exec(io.out)?.[1]);
  try {
    await use({ client: new TftpClient({ host: '127.0.0.1', port }), folder, io });
  } finally {
    io.signals.emit('SIGTERM');
  }
  (await ended).should.equal(0);
}
