/** What get, put and stat have in common: a URL, options, one transfer, one exit code. */

import type { Writable } from 'node:stream';
import { TftpClient } from '../client/client';
import { parseTftpUrl } from '../client/tftp-url';
import { invalidSetting } from '../net/check-setting';
import { CancelError } from '../protocol/errors';
import { givenOnly } from './arguments';
import { ExitCode, exitCodeOf } from './exit-code';
import { isBrokenPipe } from './failure';
import { Interruption } from './interruption';
import { TransferReport } from './transfer-report';
import type { ClientOptions } from '../client/client-options';
import type { TransferRecord } from '../net/transfer-record';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';
import type { ReportSettings } from './transfer-report';

/** A file on a server. */
export interface RemoteFile {
  readonly filename: string;
  /** Where it is, and what the flags say about the transfer. */
  readonly options: ClientOptions;
}

/** What `--no-options` rules out. */
const OPTION_FLAGS = ['blksize', 'windowsize', 'timeout', 'rollover'];

/**
 * @throws {LocalError} EINVAL if the URL or a flag cannot be used.
 */
export function remoteFile(url: string, args: Arguments): RemoteFile {
  const { host, port, filename, mode } = parseTftpUrl(checkScheme(url));
  const options = givenOnly<ClientOptions>({
    host,
    port,
    mode: args.choice('mode', ['octet', 'netascii']) ?? mode,
    blksize: args.number('blksize'),
    windowsize: args.numberOr('auto', 'windowsize'),
    timeout: args.seconds('timeout'),
    retries: args.number('retries'),
    rollover: rolloverOf(args.choice('rollover', ['0', '1'])),
    anyAddress: args.has('any-address') || undefined,
  });
  return { filename, options: args.has('no-options') ? withoutOptions(args, options) : options };
}

/** @param records the stream for `--json`. */
export function reportSettings(args: Arguments, records: Writable): ReportSettings {
  return {
    records: args.has('json') ? records : undefined,
    trace: args.has('trace'),
    verbose: args.has('verbose'),
  };
}

/**
 * Runs one transfer to its end and says how it went. The first SIGINT or SIGTERM aborts it.
 *
 * After a get nothing keeps the process alive: a person does not wait while the last ACK might have to
 * be repeated (RFC 1350 section 6 allows to end with it, and curl and tftp-hpa do so too). The file is
 * complete here by then; a server that misses that ACK learns from the closed port, or after its
 * retries, that nobody listens any more.
 *
 * @param options what the client that `transfer` gets is made with.
 * @returns the exit code.
 */
export async function runTransfer(
  io: CommandIo,
  settings: ReportSettings,
  options: ClientOptions,
  transfer: (client: TftpClient) => Promise<TransferRecord>,
): Promise<number> {
  const report = new TransferReport(io, settings);
  const interruption = new Interruption(io.signals);
  const client = new TftpClient({
    ...options,
    progressInterval: report.progressInterval,
    onEvent: report.event,
    signal: interruption.signal,
  });
  try {
    report.succeeded(await transfer(client));
    return ExitCode.done;
  } catch (error) {
    if (isBrokenPipe(error) || isBrokenPipe(io.stdout.errored)) return ExitCode.local;
    report.failed(error);
    return error instanceof CancelError ? interruption.exitCode : exitCodeOf(error);
  } finally {
    interruption.dispose();
  }
}

function rolloverOf(digit: '0' | '1' | undefined): 0 | 1 | undefined {
  if (digit === undefined) return undefined;
  return digit === '1' ? 1 : 0;
}

function checkScheme(url: string): string {
  if (/^tftp:/i.test(url)) return url;
  const path = url.replace(/^[a-z]+:\/\//i, '').replace(':', '/');
  throw invalidSetting(`"${url}" is no TFTP URL; write it as tftp://${path}`);
}

function withoutOptions(args: Arguments, options: ClientOptions): ClientOptions {
  const flag = OPTION_FLAGS.find((name) => args.has(name));
  if (flag !== undefined) {
    throw invalidSetting(`--no-options and --${flag} contradict each other; leave one of them out`);
  }
  return { ...options, blksize: null, windowsize: null, timeout: null, tsize: false };
}
