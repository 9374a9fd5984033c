// The page about the command: what its help says, from the table that the command itself reads.
import { createRequire } from 'node:module';
import path from 'node:path';

const BEGINNING = `# The command: red-tftp

<!-- Written by npm run docs, from src/cli/command-table.ts. Do not edit it here. -->

TFTP for troubleshooting and scripts. It comes with the package: \`npx red-tftp\` in the folder where the package is installed, or \`npm install --global node-red-contrib-tftp\`.

A URL is \`tftp://host[:port]/file[;mode=octet]\`, with IPv6 addresses in brackets: \`tftp://[::1]:6969/phone.cfg\`. The port is 69 unless the URL says otherwise. On a terminal a transfer draws a progress bar, elsewhere it is silent. Errors are one line on stderr. \`red-tftp COMMAND --help\` prints what follows, and \`red-tftp --version\` the version.
`;

const EXAMPLES = {
  serve: ['red-tftp serve --root /srv/tftp --port 6969 --writable'],
  get: [
    'red-tftp get tftp://192.0.2.1/phone.cfg -o phone.cfg',
    'red-tftp get tftp://192.0.2.1/phone.cfg -o - | less',
  ],
  put: ['red-tftp put backup.cfg tftp://192.0.2.1:6969/backups/switch-7.cfg'],
  stat: ['red-tftp stat tftp://192.0.2.1/firmware.bin'],
  'map-test': ['red-tftp map-test /etc/tftpd.map SEP0011.CNF --client 192.0.2.7'],
};

/** The text of the page, from what was built below `root`. */
export function commandPage(root) {
  const load = createRequire(path.join(root, 'dist/src/cli/main.js'));
  const { COMMANDS } = load('./command-table.js');
  const { EXIT_CODES, synopsis } = load('./help.js');
  const chapters = COMMANDS.map((command) => chapter(command, synopsis(command)));
  return [BEGINNING, ...chapters, exitCodes(EXIT_CODES)].join('\n\n');
}

function chapter({ name, summary, flags }, usage) {
  const examples = `\`\`\`sh\n${EXAMPLES[name].join('\n')}\n\`\`\``;
  const rows = flags.map((flag) => [flagLabel(flag), flag.help]);
  return [`## ${name}`, `\`${usage}\``, summary, examples, table(['flag', 'meaning'], rows)].join(
    '\n\n',
  );
}

function flagLabel({ name, short, value }) {
  const long = `\`--${name}${value === undefined ? '' : ` ${value}`}\``;
  return short === undefined ? long : `\`-${short}\`, ${long}`;
}

function exitCodes(codes) {
  return `## Exit codes\n\n${table(['code', 'meaning'], codes)}`;
}

function table(head, rows) {
  const line = (cells) =>
    `| ${cells.map((cell) => `${cell}`.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
