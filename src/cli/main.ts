/** `red-tftp`: TFTP for troubleshooting and scripts. */

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { invalidSetting } from '../net/check-setting';
import { parseArguments } from './arguments';
import { cleanText, printLine, processIo } from './command-io';
import { COMMANDS } from './command-table';
import { exitCodeOf } from './exit-code';
import { failureText, stackText } from './failure';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';
import type { Command } from './command-table';
import type * as Get from './get';
import type * as Help from './help';
import type * as MapTest from './map-test';
import type * as Put from './put';
import type * as Serve from './serve';
import type * as Stat from './stat';

type Run = (args: Arguments, io: CommandIo) => Promise<number>;

/** Each command loads what it needs and no more: a small get takes longer to start than to run. */
const COMMAND_LOADERS: Readonly<Record<Command['name'], () => Run>> = {
  get: () => {
    const { get }: typeof Get = require('./get');
    return get;
  },
  put: () => {
    const { put }: typeof Put = require('./put');
    return put;
  },
  stat: () => {
    const { stat }: typeof Stat = require('./stat');
    return stat;
  },
  'map-test': () => {
    const { mapTest }: typeof MapTest = require('./map-test');
    return mapTest;
  },
  serve: () => {
    const { serve }: typeof Serve = require('./serve');
    return serve;
  },
};

/**
 * Runs one command line. It never rejects.
 *
 * @param argv what stands behind `red-tftp`.
 * @returns the exit code, see `ExitCode`.
 */
export async function run(argv: readonly string[], io: CommandIo): Promise<number> {
  // Whoever reads our output may stop reading at any time. That is no failure, but for `get -o -`.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => {});
  try {
    return await runCommand(argv, io);
  } catch (error) {
    printLine(io.stderr, `red-tftp: ${failureText(error)}`);
    if (isVerbose(argv)) printLine(io.stderr, stackText(error));
    return exitCodeOf(error);
  }
}

async function runCommand([name = '', ...rest]: readonly string[], io: CommandIo): Promise<number> {
  if (name === '--help' || name === '-h') return printHelp(io);
  if (name === '--version') return printVersion(io);
  const command = commandNamed(name);
  const args = parseArguments(command, rest);
  if (args.has('help')) return printHelp(io, command);
  const start = COMMAND_LOADERS[command.name]();
  return start(args, io);
}

function commandNamed(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const what = name === '' ? 'no command was given' : `"${cleanText(name)}" is no command`;
  throw invalidSetting(`${what}; use serve, get, put, stat or map-test, or see red-tftp --help`);
}

function printHelp(io: CommandIo, command?: Command): number {
  const help: typeof Help = require('./help');
  printLine(io.stdout, command === undefined ? help.generalHelp() : help.commandHelp(command));
  return 0;
}

function printVersion(io: CommandIo): number {
  const file = path.join(__dirname, '../../../package.json');
  const { version }: { version: string } = JSON.parse(readFileSync(file, 'utf8'));
  printLine(io.stdout, version);
  return 0;
}

function isVerbose(argv: readonly string[]): boolean {
  return argv.includes('-v') || argv.includes('--verbose');
}

async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  process.on('uncaughtException', (error) => {
    printLine(process.stderr, `red-tftp: ${failureText(error)}`);
    if (isVerbose(argv)) printLine(process.stderr, stackText(error));
    process.exit(exitCodeOf(error));
  });
  process.exitCode = await run(argv, processIo);
}

if (require.main === module) void main();
