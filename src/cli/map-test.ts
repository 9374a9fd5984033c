/** `red-tftp map-test`: what the rules of a map file make of a name. */

import { isIP } from 'node:net';
import { invalidSetting } from '../net/check-setting';
import { loadMapFile } from '../server/names/map-file';
import { cleanText, printLine } from './command-io';
import { ExitCode } from './exit-code';
import type { NameOutcome, NameStep } from '../server/names/name-rules';
import type { Arguments } from './arguments';
import type { CommandIo } from './command-io';

/**
 * Prints a line for each rule that was tried, and the outcome as the last line.
 *
 * @returns the exit code: refused if a rule refuses the name.
 * @throws {LocalError} EINVAL with all that is wrong with the rules, or the file's own error.
 */
export async function mapTest(args: Arguments, io: CommandIo): Promise<number> {
  const [file = '', name = ''] = args.operands;
  const client = args.text('client') ?? '127.0.0.1';
  if (isIP(client) === 0) {
    throw invalidSetting(`--client is "${client}": it must be an IP address`);
  }
  const operation = args.has('write') ? 'write' : 'read';
  const rules = await loadMapFile(file);
  const { steps, outcome } = await rules.explain({ name, client, operation });
  for (const step of steps) printLine(io.stdout, stepLine(step));
  printLine(io.stdout, outcomeLine(outcome));
  return 'name' in outcome ? ExitCode.done : ExitCode.refused;
}

function stepLine({ line, rule, name, action }: NameStep): string {
  return `line ${line}: ${cleanText(rule)}: ${cleanText(action)}: ${cleanText(name)}`;
}

function outcomeLine(outcome: NameOutcome): string {
  if ('name' in outcome) return `accepted: ${cleanText(outcome.name)}`;
  const { message, peerMessage } = outcome.refused;
  const why = message === peerMessage ? '' : ` (${cleanText(message)})`;
  return `refused: ${cleanText(peerMessage)}${why}`;
}
