/** The sub-commands and their flags: what is parsed, and what `--help` shows. */

/** A flag without `value` is a switch. */
export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** What the help calls the value. */
  readonly value?: string;
  /** May be given more than once. */
  readonly repeated?: true;
  readonly help: string;
}

export interface Command {
  readonly name: 'serve' | 'get' | 'put' | 'stat' | 'map-test';
  readonly summary: string;
  /** What stands beside the flags, all of it required. */
  readonly operands: readonly string[];
  readonly flags: readonly Flag[];
}

const HELP: Flag = { name: 'help', short: 'h', help: 'Show this text.' };
const VERBOSE: Flag = {
  name: 'verbose',
  short: 'v',
  help: 'Show the stack and the causes of an error.',
};
const TIMEOUT: Flag = {
  name: 'timeout',
  value: 'S',
  help: 'Seconds before the first packet is sent again, 0.01 to 255. Default: 1.',
};
const RETRIES: Flag = {
  name: 'retries',
  value: 'N',
  help: 'How often something is repeated to a silent peer, 0 to 100. Default: 6, which is 45 seconds of patience.',
};
const MODE: Flag = {
  name: 'mode',
  value: 'MODE',
  help: 'octet (the bytes as they are) or netascii (text). Default: octet.',
};
const ANY_ADDRESS: Flag = {
  name: 'any-address',
  help: 'Take the answer from another address than the one that was asked: for servers with several addresses.',
};
const TRACE: Flag = { name: 'trace', help: 'Show the last packets of a failed transfer.' };
const TRANSFER: readonly Flag[] = [
  { name: 'blksize', value: 'N', help: 'Bytes in a block, 8 to 65464. Default: 1428.' },
  {
    name: 'windowsize',
    value: 'N',
    help: 'Blocks sent before an acknowledgement, 1 to 65535. Default: 16. Here auto asks for 64, and nothing is learned from it for the next time.',
  },
  TIMEOUT,
  RETRIES,
  MODE,
  {
    name: 'rollover',
    value: '0|1',
    help: 'What follows block 65535 of a large file. Default: not asked for, which is 0 with nearly every server.',
  },
  { name: 'no-options', help: 'Ask no options of the server, as RFC 1350 has it.' },
  ANY_ADDRESS,
  {
    name: 'max-size',
    value: 'BYTES',
    help: 'Fail if the file is larger. k, M and G stand for KiB, MiB and GiB. Default: 4G for get, no limit for put.',
  },
  { name: 'sha256', value: 'HEX', help: 'Fail if the file has another SHA-256.' },
];

const GET: Command = {
  name: 'get',
  summary: 'Fetches a file.',
  operands: ['URL'],
  flags: [
    {
      name: 'output',
      short: 'o',
      value: 'FILE',
      help: 'Where it goes; - is the standard output. Default: its name, in this folder.',
    },
    ...TRANSFER,
    {
      name: 'json',
      help: 'Print a record of each event as a line of JSON (with -o - on stderr).',
    },
    TRACE,
    VERBOSE,
    HELP,
  ],
};

const PUT: Command = {
  name: 'put',
  summary: 'Sends a file; FILE - reads the standard input.',
  operands: ['FILE', 'URL'],
  flags: [
    ...TRANSFER,
    { name: 'json', help: 'Print a record of each event as a line of JSON.' },
    TRACE,
    VERBOSE,
    HELP,
  ],
};

const STAT: Command = {
  name: 'stat',
  summary: 'Prints the size of a file in bytes; "unknown" if the server does not tell it.',
  operands: ['URL'],
  flags: [
    TIMEOUT,
    RETRIES,
    MODE,
    ANY_ADDRESS,
    { name: 'json', help: 'Print the record as a line of JSON.' },
    TRACE,
    VERBOSE,
    HELP,
  ],
};

const SERVE: Command = {
  name: 'serve',
  summary: 'Serves the files of a folder until it is stopped.',
  operands: [],
  flags: [
    { name: 'root', value: 'DIR', help: 'The folder. Default: this folder.' },
    { name: 'address', value: 'A', help: 'Local address to listen on. Default: all.' },
    { name: 'port', value: 'P', help: 'UDP port; 0 picks a free one. Default: 69.' },
    { name: 'writable', help: 'Accept uploads. TFTP knows no passwords.' },
    {
      name: 'overwrite',
      value: 'POLICY',
      help: 'An upload to an existing name: refuse, replace, version, timestamp, or existing (replace, and nothing else). Default: refuse.',
    },
    {
      name: 'allow',
      value: 'CIDR',
      repeated: true,
      help: 'A network that may ask, or any; may be repeated. Default: loopback and private networks.',
    },
    {
      name: 'deny',
      value: 'CIDR',
      repeated: true,
      help: 'A network that may not ask, even if it is allowed; may be repeated.',
    },
    {
      name: 'expect',
      value: 'WHAT',
      repeated: true,
      help: 'What is normal on this network and no failure: names that may be missing, as a pattern, or a device, as set:raspberry-pi (a wrong one lists them all); may be repeated.',
    },
    {
      name: 'unique-root',
      value: 'ip|mac',
      help: 'Give each client the sub-folder that has its IP or MAC address as its name, if there is one.',
    },
    {
      name: 'blksize-max',
      value: 'N',
      help: 'The largest block granted, 8 to 65464. Default: 1468 (IPv6: 1448).',
    },
    {
      name: 'windowsize-max',
      value: 'N',
      help: 'The largest window granted, 1 to 65535. Default: 64.',
    },
    TIMEOUT,
    RETRIES,
    { name: 'max-transfers', value: 'N', help: 'Transfers at the same time. Default: 500.' },
    {
      name: 'max-per-host',
      value: 'N',
      help: 'Transfers at the same time with one IPv4 address or IPv6 /64. Default: 400.',
    },
    {
      name: 'no-worker',
      help: 'Serve in the main thread of the process. By default a worker thread serves.',
    },
    {
      name: 'max-upload',
      value: 'BYTES',
      help: 'The largest upload; k, M and G stand for KiB, MiB and GiB. Default: 1G.',
    },
    {
      name: 'single-port',
      help: 'All transfers speak from the listening port: for firewalls, and for Docker with -p 69:6969/udp.',
    },
    {
      name: 'port-range',
      value: 'LO:HI',
      help: 'Transfers speak from these ports, each from its own. Default: any free port.',
    },
    {
      name: 'map',
      value: 'FILE',
      help: 'Rules that map names, as tftp-hpa has them. SIGHUP reads the file again.',
    },
    { name: 'json', help: 'Print a record of each event as a line of JSON.' },
    {
      name: 'verbose',
      short: 'v',
      help: 'Show beginnings, the last packets of failed transfers, and stacks of errors.',
    },
    HELP,
  ],
};

const MAP_TEST: Command = {
  name: 'map-test',
  summary:
    'Prints what each rule of a map file makes of a name. Ends with 1 if the name is refused, with 2 if the rules are wrong. For E any file exists.',
  operands: ['FILE', 'NAME'],
  flags: [
    { name: 'client', value: 'IP', help: "The client's address. Default: 127.0.0.1." },
    { name: 'write', help: 'The client sends the file, instead of reading it.' },
    VERBOSE,
    HELP,
  ],
};

/** In the order of the help. */
export const COMMANDS: readonly Command[] = [SERVE, GET, PUT, STAT, MAP_TEST];
