/** What `--help` prints. */

import { COMMANDS } from './command-table';
import { ExitCode } from './exit-code';
import type { Command, Flag } from './command-table';

const URLS = `URL is tftp://host[:port]/file[;mode=octet], with IPv6 addresses in brackets:
tftp://[::1]:6969/phone.cfg. The port is 69 unless the URL says otherwise.`;

/** What each exit code means. */
export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [ExitCode.done, 'done'],
  [
    ExitCode.refused,
    'the server said no or broke the protocol, is not found, or nothing listens there',
  ],
  [ExitCode.usage, 'usage: a flag, a value or the URL cannot be used'],
  [ExitCode.timeout, 'timeout: the server fell silent'],
  [
    ExitCode.local,
    'a local file, disk, address or port, --max-size, or a reader of stdout that went away',
  ],
  [ExitCode.digest, 'the file has another SHA-256'],
  [ExitCode.internal, 'internal error'],
  [ExitCode.interrupted, 'interrupted (SIGINT); serve ends with 0'],
  [ExitCode.terminated, 'terminated (SIGTERM); serve ends with 0'],
];

const EXIT_CODE_LIST = [
  'Exit codes:',
  ...EXIT_CODES.map(([code, meaning]) => `  ${`${code}`.padEnd(5)}${meaning}`),
].join('\n');

/** The help of the command as a whole. */
export function generalHelp(): string {
  const commands = COMMANDS.map((command) => `  ${synopsis(command)}\n      ${command.summary}`);
  return `TFTP for troubleshooting and scripts.

Usage:
${commands.join('\n')}
  red-tftp COMMAND --help
  red-tftp --version

${URLS}

${EXIT_CODE_LIST}`;
}

/** The help of one sub-command. */
export function commandHelp(command: Command): string {
  const labels = command.flags.map((flag) => flagLabel(flag));
  const width = Math.max(...labels.map((label) => label.length));
  const flags = command.flags.map((flag, i) => `  ${labels[i]?.padEnd(width)}  ${flag.help}`);
  const urls = command.operands.includes('URL') ? `${URLS}\n\n` : '';
  return `Usage: ${synopsis(command)}

${command.summary}

${flags.join('\n')}

${urls}${EXIT_CODE_LIST}`;
}

/** `red-tftp get URL [options]` */
export function synopsis(command: Command): string {
  return ['red-tftp', command.name, ...command.operands, '[options]'].join(' ');
}

function flagLabel({ name, short, value }: Flag): string {
  const dashes = short === undefined ? '    ' : `-${short}, `;
  return `${dashes}--${name}${value === undefined ? '' : ` ${value}`}`;
}
