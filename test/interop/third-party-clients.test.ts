import 'should';
import path from 'node:path';
import { RedTftpServer } from '../helpers/red-tftp-server';
import { run, succeeded } from '../helpers/program';
import {
  NETASCII_TEXT,
  ROLLOVER_LENGTH,
  SHORT_LENGTHS,
  TEXT,
  TestFolders,
  content,
  mustHold,
  windowEdge,
} from './test-files';
import { requireTool } from './tools';
import type { Tool } from './tools';

/** A transfer that a client is to do. */
interface Task {
  readonly port: number;
  /** The name on the server. */
  readonly name: string;
  /** The path of the client's file. */
  readonly file: string;
  readonly mode: 'octet' | 'netascii';
}

/** A client with the flags of one way to use it. */
interface Client {
  readonly title: string;
  readonly tool: Tool;
  readonly lengths: readonly number[];
  readonly get: (task: Task) => readonly string[];
  readonly put: (task: Task) => readonly string[];
  /** What it writes when it gets TEXT in netascii: curl leaves the bytes as they travel. */
  readonly text: Buffer;
}

const CLIENTS: readonly Client[] = [
  curl('curl', [], [...SHORT_LENGTHS, ROLLOVER_LENGTH]),
  curl('curl without options', ['--tftp-no-options'], SHORT_LENGTHS),
  curl('curl with its own blksize', ['--tftp-blksize', '1428'], [...SHORT_LENGTHS, 1427, 1428]),
  atftp('atftp', {}, [...SHORT_LENGTHS, ROLLOVER_LENGTH]),
  atftp('atftp with windows', { windowsize: 16 }, [...SHORT_LENGTHS, ...windowEdge(512, 16)]),
  atftp('atftp with windows of large blocks', { blksize: 1428, windowsize: 64 }, [
    0,
    ...windowEdge(1428, 64),
    100_000_000,
  ]),
  tftpHpa(),
];

for (const client of CLIENTS) {
  describe(`our server and ${client.title}`, () => {
    let program: string;
    let folders: TestFolders;
    let server: RedTftpServer | undefined;

    before(async function () {
      program = requireTool(this, client.tool);
      folders = new TestFolders();
      server = await RedTftpServer.start(folders.server, { flags: ['--max-upload', '200M'] });
    });

    after(async () => {
      await server?.stop();
      folders?.remove();
    });

    const task = (name: string, file: string, mode: Task['mode'] = 'octet'): Task => ({
      port: server!.port,
      name,
      file,
      mode,
    });

    for (const length of client.lengths) {
      it(`gets ${length} bytes`, async () => {
        const name = `get-${length}`;
        const file = path.join(folders.client, name);
        const bytes = content(length);
        folders.serve(name, bytes);
        succeeded(await run(program, client.get(task(name, file))));
        mustHold(file, bytes);
      });

      it(`puts ${length} bytes`, async () => {
        const name = `put-${length}`;
        const bytes = content(length);
        const file = folders.keep(name, bytes);
        succeeded(await run(program, client.put(task(name, file))));
        mustHold(path.join(folders.server, name), bytes);
      });
    }

    it('gets a text in netascii', async () => {
      folders.serve('text', TEXT);
      const file = path.join(folders.client, 'text');
      succeeded(await run(program, client.get(task('text', file, 'netascii'))));
      mustHold(file, client.text);
    });

    it('puts a text in netascii', async () => {
      const file = folders.keep('new-text', client.text);
      succeeded(await run(program, client.put(task('new-text', file, 'netascii'))));
      mustHold(path.join(folders.server, 'new-text'), TEXT);
    });

    it('is told that a file does not exist', async () => {
      const file = path.join(folders.client, 'missing');
      const { code, stdout, stderr } = await run(program, client.get(task('missing', file)));
      // tftp-hpa's client says so, but ends with 0.
      if (client.tool !== 'tftp') code.should.not.equal(0);
      // curl has an exit code of its own for it.
      if (client.tool === 'curl') code.should.equal(68);
      else `${stdout.toString()}${stderr}`.should.match(/not found/i);
    });
  });
}

function curl(title: string, flags: readonly string[], lengths: readonly number[]): Client {
  const url = ({ port, name, mode }: Task): string =>
    `tftp://127.0.0.1:${port}/${name};mode=${mode}`;
  return {
    title,
    tool: 'curl',
    lengths,
    get: (task) => ['-sS', ...flags, url(task), '-o', task.file],
    put: (task) => ['-sS', ...flags, '-T', task.file, url(task)],
    text: NETASCII_TEXT,
  };
}

function atftp(
  title: string,
  options: Readonly<Record<string, number>>,
  lengths: readonly number[],
): Client {
  const flags = ({ mode }: Task): string[] =>
    Object.entries({ ...options, mode }).flatMap(([name, value]) => [
      '--option',
      `${name} ${value}`,
    ]);
  const where = ({ port, name, file }: Task): string[] => [
    '-r',
    name,
    '-l',
    file,
    '127.0.0.1',
    `${port}`,
  ];
  return {
    title,
    tool: 'atftp',
    lengths,
    get: (task) => ['--get', ...flags(task), ...where(task)],
    put: (task) => ['--put', ...flags(task), ...where(task)],
    text: TEXT,
  };
}

function tftpHpa(): Client {
  const where = ({ port, mode }: Task): string[] => {
    return ['-m', mode === 'octet' ? 'binary' : 'ascii', '127.0.0.1', `${port}`, '-c'];
  };
  return {
    title: 'tftp-hpa',
    tool: 'tftp',
    lengths: [...SHORT_LENGTHS, ROLLOVER_LENGTH],
    get: (task) => [...where(task), 'get', task.name, task.file],
    put: (task) => [...where(task), 'put', task.file, task.name],
    text: TEXT,
  };
}
