/** The command as the system runs it: what no replaced stream or signal can show. */

import should = require('should');
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RED_TFTP } from '../helpers/program';
import { skip } from '../helpers/requirements';
import { content, withFolder, withServer } from './servers';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Writable } from 'node:stream';

describe('the process red-tftp', () => {
  it('writes a file to a pipe and reads one from a pipe', () =>
    withServer(async ({ url, files }) => {
      const file = content(1_000_000);
      const put = start('put', '-', `${url}f`);
      put.stdin.end(file);
      (await put.ended).should.match({ code: 0, err: '' });
      should(files.get('f')?.equals(file)).equal(true);
      const got = await start('get', `${url}f`, '-o', '-').ended;
      got.should.match({ code: 0, err: '' });
      got.out.equals(file).should.equal(true);
    }));

  it('ends quietly when the reader of its pipe goes away', () =>
    withServer(async ({ url, files }) => {
      files.set('f', content(10_000_000));
      const get = start('get', `${url}f`, '-o', '-');
      get.child.stdout.once('data', () => get.child.stdout.destroy());
      (await get.ended).should.match({ code: 4, err: '' });
    }));

  it('serves until SIGTERM and ends with 0', function () {
    if (process.platform === 'win32') skip(this, 'Windows has no SIGTERM');
    return withFolder(async (folder) => {
      await writeFile(path.join(folder, 'f'), content(3000));
      const serve = start('serve', '--root', folder, '--address', '127.0.0.1', '--port', '0');
      const [line] = await once(serve.child.stdout, 'data');
      const port = /^listening on 127\.0\.0\.1:(\d+)\n/.exec(String(line))?.[1];
      const got = await start('get', `tftp://127.0.0.1:${port}/f`, '-o', '-').ended;
      got.out.equals(content(3000)).should.equal(true);
      serve.child.kill('SIGTERM');
      (await serve.ended).should.match({ code: 0, err: '' });
    });
  });

  it('leaves no part of a file at SIGINT, and tells the server', function () {
    if (process.platform === 'win32') skip(this, 'Windows has no SIGINT for other processes');
    return withFolder((folder) =>
      withServer(
        async ({ url, files, server }) => {
          files.set('f', content(50_000_000));
          const get = start('get', `${url}f`, '-o', path.join(folder, 'f'));
          const told = new Promise<string | undefined>((resolve) => {
            let interrupted = false;
            server.on('transfer', ({ event, bytes, error }) => {
              // Before the first block it would look like a probe; a second signal would kill.
              if (bytes > 0 && !interrupted) interrupted = get.child.kill('SIGINT');
              if (event === 'error') resolve(error?.message);
            });
          });
          should((await get.ended).code).equal(130);
          should(await told).match(/cancelled/);
          (await readdir(folder)).should.deepEqual([]);
        },
        { progressInterval: 5 },
      ),
    );
  });

  it('does not wait for its standard input when there is nothing to read it for', () =>
    withFolder((folder) =>
      withServer(async ({ url, files }) => {
        files.set('f', content(1024));
        const target = path.join(folder, 'f');
        should((await start('get', `${url}f`, '-o', target).ended).code).equal(0);
        (await readFile(target)).equals(content(1024)).should.equal(true);
        should((await start('put', '-', `${url}none/f`, '--blksize', '7').ended).code).equal(2);
      }),
    ));

  it('reads one file of ours to get a file, beside koffi: each file takes its time to be found', () =>
    withFolder((folder) =>
      withServer(async ({ url, files }) => {
        files.set('f', content(1024));
        const spy = path.join(folder, 'spy.js');
        await writeFile(
          spy,
          "process.on('exit', () => console.log(JSON.stringify([Object.keys(require.cache), process.moduleLoadList])));",
        );
        const { out } = await startWith(['--require', spy], 'get', `${url}f`, '-o', `${folder}/f`)
          .ended;
        const [ours, platform]: string[][] = JSON.parse(out.toString());
        const others = ours!.filter((file) => !/[\\/](koffi|@koromix)[\\/]/.test(file));
        should(others).deepEqual([spy, RED_TFTP]);
        for (const name of ['crypto', 'dns/promises']) {
          should(platform).not.containEql(`NativeModule ${name}`);
        }
      }),
    ));
});

interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdin: Writable;
  readonly ended: Promise<Ended>;
}

interface Ended {
  readonly code: number | null;
  readonly out: Buffer;
  readonly err: string;
}

/** Starts the command; its stdin stays open until the test ends it. */
function start(...argv: string[]): Running {
  return startWith([], ...argv);
}

function startWith(nodeFlags: readonly string[], ...argv: string[]): Running {
  const child = spawn(process.execPath, [...nodeFlags, RED_TFTP, ...argv]);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = once(child, 'close').then(() => ({
    code: child.exitCode,
    out: Buffer.concat(out),
    err: Buffer.concat(err).toString(),
  }));
  return { child, stdin: child.stdin, ended };
}
