/** `red-tftp serve`: a folder on the network, until a signal stops it. */

import { stat } from 'node:fs/promises';
import path from 'node:path';
import { invalidSetting } from '../net/check-setting';
import { whyNoSystemCalls } from '../udp/system-calls';
import { CancelError, LocalError } from '../protocol/errors';
import { TftpServer } from '../server/server';
import { ANY_NETWORK } from '../server/server-options';
import { FolderStorage, type FolderStorageOptions } from '../storage/folder-storage';
import { OVERWRITE_POLICIES } from '../storage/overwrite-policy';
import { givenOnly } from './arguments';
import { printLine } from './command-io';
import { ExitCode } from './exit-code';
import { failureText } from './failure';
import { Interruption } from './interruption';
import { MapOption } from './map-option';
import { ServerLog } from './server-log';
import type { NameRules } from '../server/names/name-rules';
import type { ServerOptions } from '../server/server-options';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';

/**
 * Runs the server until SIGINT or SIGTERM.
 *
 * @returns the exit code.
 * @throws {LocalError} if it cannot start.
 */
export async function serve(args: Arguments, io: CommandIo): Promise<number> {
  const storage = await openFolder(args);
  const mapFile = args.text('map');
  const map = mapFile === undefined ? undefined : await MapOption.open(mapFile, io);
  const interruption = new Interruption(io.signals);
  try {
    const server = new TftpServer({
      ...serverOptions(args, storage, map?.rules),
      descriptors: inheritedSockets(io.env),
    });
    if (args.has('writable')) await prepareForUploads(args, storage, io);
    await serveUntilClosed(server, args, io, interruption.signal);
  } catch (error) {
    if (!(error instanceof CancelError)) throw error;
  } finally {
    interruption.dispose();
    await map?.close();
  }
  return ExitCode.done;
}

async function serveUntilClosed(
  server: TftpServer,
  args: Arguments,
  io: CommandIo,
  signal: AbortSignal,
): Promise<void> {
  const log = new ServerLog(io, { json: args.has('json'), verbose: args.has('verbose') });
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  server.on('problem', (error) => {
    printLine(io.stderr, `red-tftp: ${failureText(error)}`);
    log.problem(error);
  });
  server.on('transfer', log.transfer);
  server.on('alarm', log.alarm);
  const addresses = await server.listen(signal);
  addresses.forEach((address) => log.listening(address));
  if (args.has('verbose')) tellWhyNoOffload(io);
  await closed;
  if (!signal.aborted) throw new LocalError('EIO', 'The server had to stop: start it again');
}

/** It only costs speed, so most need not know. */
function tellWhyNoOffload(io: CommandIo): void {
  const why = whyNoSystemCalls();
  if (why !== undefined) printLine(io.stderr, `red-tftp: no segmentation offload: ${why}`);
}

function serverOptions(
  args: Arguments,
  storage: FolderStorage,
  rules: NameRules | undefined,
): ServerOptions {
  const allow = args
    .list('allow')
    .flatMap((network) => (network === 'any' ? ANY_NETWORK : network));
  return givenOnly<ServerOptions>({
    storage,
    rules,
    address: args.text('address'),
    port: args.number('port'),
    transferPorts: transferPorts(args),
    write: args.has('writable'),
    allow: allow.length > 0 ? allow : undefined,
    deny: args.list('deny'),
    expectedMisses: args.list('expect'),
    blksizeMax: args.number('blksize-max'),
    progressInterval: args.has('json') ? undefined : 0,
    windowsizeMax: args.number('windowsize-max'),
    timeout: args.seconds('timeout'),
    retries: args.number('retries'),
    maxTransfers: args.number('max-transfers'),
    maxPerHost: args.number('max-per-host'),
    // A worker has less room for short-lived objects, which hundreds of silent transfers would fill.
    worker: !args.has('no-worker'),
    maxUploadSize: args.bytes('max-upload'),
  });
}

function transferPorts(args: Arguments): ServerOptions['transferPorts'] {
  const range = args.range('port-range');
  if (!args.has('single-port')) return range;
  if (range === undefined) return 'single';
  throw invalidSetting('--single-port and --port-range exclude each other: give one of them');
}

async function openFolder(args: Arguments): Promise<FolderStorage> {
  const root = path.resolve(args.text('root') ?? '.');
  const stats = await stat(root).catch(() => undefined);
  if (stats?.isDirectory() !== true) {
    throw new LocalError('ENOFILE', `There is no folder ${root}; give another --root`);
  }
  return new FolderStorage(
    givenOnly<FolderStorageOptions>({
      root,
      overwrite: args.choice('overwrite', OVERWRITE_POLICIES),
      perClient: args.choice('unique-root', ['ip', 'mac']),
    }),
  );
}

/** Uploads that a power cut interrupted left files behind that nobody would ever see or remove. */
async function prepareForUploads(
  args: Arguments,
  storage: FolderStorage,
  io: CommandIo,
): Promise<void> {
  if (args.list('allow').includes('any')) {
    printLine(
      io.stderr,
      'red-tftp: with --writable and --allow any everybody can fill this disk; name the networks that may write',
    );
  }
  await storage.removeLeftovers();
}

/** systemd passes sockets to the process that it names, from descriptor 3 on (sd_listen_fds). */
function inheritedSockets(env: CommandIo['env']): number[] {
  const { LISTEN_FDS = '', LISTEN_PID } = env;
  if (LISTEN_PID !== `${process.pid}` || !/^\d{1,3}$/.test(LISTEN_FDS)) return [];
  return Array.from({ length: Number(LISTEN_FDS) }, (_, index) => 3 + index);
}
