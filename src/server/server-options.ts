/** What a server can be told, and what it does when it is not told. */

import { MAX_BLKSIZE, MAX_WINDOWSIZE, MIN_BLKSIZE, TFTP_PORT } from '../protocol/constants';
import { checkNumber, invalidSetting } from '../net/check-setting';
import type { Storage } from '../storage/storage';
import type { NameRules } from './names/name-rules';
import type { OptionProfile } from './option-profiles';

/** Which versions of IP a server listens on. */
export type AddressFamily = 'ipv4' | 'ipv6' | 'both';

/** What a server serves, to whom, and within which limits. */
export interface ServerOptions {
  /** Where the files are: `new FolderStorage({ root })`, a `MemoryStorage`, or your own. */
  storage: Storage;
  /** Local address to listen on; blank for all. @default '' */
  address?: string;
  /** UDP port; 0 picks a free one. @default 69 (RFC 1350) */
  port?: number;
  /**
   * File descriptors of bound UDP sockets to listen with, such as systemd passes (Linux only). Then
   * `address`, `port` and `family` say nothing. @default []
   */
  descriptors?: readonly number[];
  /** Used if `address` is blank. @default 'both' */
  family?: AddressFamily;
  /**
   * Ports that transfers speak from: `any` free one for each (RFC 1350 section 4), one of a range, as
   * `[first, last]`, or `single`: all from the listening port, for firewalls and Docker. A range has
   * room for as many transfers as it has ports; further requests get no answer, as with `maxTransfers`.
   * @default 'any'
   */
  transferPorts?: 'any' | 'single' | readonly [first: number, last: number];
  /** Answer reads. @default true */
  read?: boolean;
  /** Accept writes. Off by default: TFTP knows no passwords. @default false */
  write?: boolean;
  /** Maps the names that clients ask for, before the storage sees them. @default none: names stay as they are */
  rules?: NameRules;
  /** Networks that may ask, as addresses or CIDRs. @default PRIVATE_NETWORKS: loopback, link-local and private addresses */
  allow?: readonly string[];
  /** Networks that may not ask, even if they are allowed. @default [] */
  deny?: readonly string[];
  /**
   * The names that may be read, as patterns such as `*.cfg`, `firmware/**` or `!secret/**`: `*` is any
   * text without `/`, `**` any text, `?` one character, `[a-z]` one of these; `!` excludes. Upper and
   * lower case differ, but not in what is excluded.
   * @default [] for all
   */
  readNames?: readonly string[];
  /** The names that may be written, as patterns. @default [] for all */
  writeNames?: readonly string[];
  /**
   * Requests per second of one IPv4 address or IPv6 /64; a burst of four seconds' worth is let
   * through. Of what is more, eight at a time are looked at; they get an answer only if it is no larger
   * than the request, and are told of only if the client answers. 0 for no limit. @default 200: after a
   * power cut a whole site may ask through one address
   */
  requestRate?: number;
  /**
   * So many different names within a minute that do not exist, and the event `alarm` tells that an
   * IPv4 address or IPv6 /64 guesses names. Names that may be missing do not count. At most 10000, 0 for never. @default 100
   */
  guessLimit?: number;
  /**
   * What is normal on this network: names that may be missing, as patterns, and the devices that are
   * there: `set:cisco`, `set:polycom`, `set:yealink`, `set:grandstream`, `set:snom`, `set:pxelinux`
   * (and PXE ROMs), `set:ipxe`, `set:grub`, `set:uefi` (and the GRUB that it loads), `set:u-boot`,
   * `set:raspberry-pi`. Of such a device a file that it can do without may be missing, and some of
   * them end a read before the end of the file with ERROR 0: see {@link DEVICE_PROFILES}. The
   * `error` of it has `expected: true`. A name that ends with bytes FF loses them with
   * `set:pxelinux`. Upper and lower case are the same. @default []
   */
  expectedMisses?: readonly string[];
  /**
   * A client that asks for the size of a file and then ends the transfer with ERROR 8 or 0 is a
   * `probe` and no failure. False: only where that is normal for a device of `expectedMisses`; for
   * the others it is an `error` like any other. After five probes of a file in a row, at most 30
   * seconds apart, and no read of it, there is one `error` with the code EOPTNEG. @default true
   */
  probes?: boolean;
  /** Options that some clients are refused. What any of the profiles of a client refuses is not granted. @default [] */
  profiles?: readonly OptionProfile[];
  /**
   * The largest upload, in bytes. The default is larger than the firmware and disk images of today,
   * and bounds what one mistake can do: what all uploads together may take is up to the storage, such as
   * the `quota` of a `FolderStorage`. @default 1 GiB
   */
  maxUploadSize?: number;
  /**
   * Transfers at the same time. Further requests get no answer, so that the clients repeat them, and a
   * `problem` tells how many they were, at most once a minute. Ended uploads that may have to repeat
   * their last ACK count too, and give way first; then transfers whose client has not answered for half
   * a second. @default 500
   */
  maxTransfers?: number;
  /** Transfers at the same time with one IPv4 address or IPv6 /64; further requests as with `maxTransfers`. @default 400: a whole site behind one NAT address still boots at once */
  maxPerHost?: number;
  /**
   * The largest block granted, in bytes, 8 to 65464.
   * @default 1468 on IPv4 and 1448 on IPv6: no 1500-byte Ethernet frame gets fragmented, which boot ROMs cannot put together
   */
  blksizeMax?: number;
  /** The largest window granted, in blocks, 1 to 65535. @default 64, what boot loaders ask for at most */
  windowsizeMax?: number;
  /**
   * First retransmission timeout in milliseconds, unless the client asks for another, which is then kept
   * (RFC 2349). Later ones follow the measured round trip: in windows down to 200, otherwise not below
   * this or 1000. @default 1000
   */
  timeout?: number;
  /** Timeouts without progress before giving up. @default 6: two minutes, as long as a phone may need to erase its flash */
  retries?: number;
  /** A whole transfer must end within this time. Milliseconds, 0 for no limit. @default 4 hours */
  deadline?: number;
  /** Milliseconds between `progress` events; 0 for none. @default 1000 */
  progressInterval?: number;
  /**
   * Serve in a worker thread, so that a busy event loop of this thread delays no transfer. A storage
   * without `portable` is still called in this thread. @default false
   */
  worker?: boolean;
}

/** `ServerOptions` with nothing left open, but for `blksizeMax`, which depends on the client's address, and `rules`. */
export type RequiredServerOptions = Required<Omit<ServerOptions, 'blksizeMax' | 'rules'>> &
  Pick<ServerOptions, 'blksizeMax' | 'rules'>;

/** Loopback, link-local and private networks (RFC 1122, 1918, 3927, 4193, 4291). */
export const PRIVATE_NETWORKS: readonly string[] = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
];

/** Everybody. */
export const ANY_NETWORK: readonly string[] = ['0.0.0.0/0', '::/0'];

/** What holds where nothing is said: see {@link ServerOptions}. */
export const SERVER_DEFAULTS = {
  address: '',
  port: TFTP_PORT,
  descriptors: [],
  family: 'both',
  transferPorts: 'any',
  read: true,
  write: false,
  allow: PRIVATE_NETWORKS,
  deny: [],
  readNames: [],
  writeNames: [],
  requestRate: 200,
  guessLimit: 100,
  expectedMisses: [],
  probes: true,
  profiles: [],
  maxUploadSize: 1024 * 1024 * 1024,
  maxTransfers: 500,
  maxPerHost: 400,
  windowsizeMax: 64,
  timeout: 1000,
  retries: 6,
  deadline: 4 * 60 * 60 * 1000,
  progressInterval: 1000,
  worker: false,
} as const satisfies Omit<ServerOptions, 'storage'>;

/**
 * Fills in the defaults and checks the limits.
 *
 * @throws {LocalError} EINVAL, saying which option is wrong and what it may be.
 */
export function parseServerOptions(given: ServerOptions): RequiredServerOptions {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const options: RequiredServerOptions = Object.assign(
    { ...SERVER_DEFAULTS, storage: given.storage },
    Object.fromEntries(set),
  );
  checkNumber('port', options.port, 0, 65535);
  checkNumber('maxTransfers', options.maxTransfers, 1, 100_000);
  checkNumber('maxPerHost', options.maxPerHost, 1, 100_000);
  checkNumber('requestRate', options.requestRate, 0, 1_000_000);
  checkNumber('guessLimit', options.guessLimit, 0, 10_000);
  checkNumber('maxUploadSize', options.maxUploadSize, 0, Number.MAX_SAFE_INTEGER);
  checkNumber('windowsizeMax', options.windowsizeMax, 1, MAX_WINDOWSIZE);
  checkNumber('timeout', options.timeout, 10, 255_000);
  checkNumber('retries', options.retries, 0, 100);
  checkNumber('deadline', options.deadline, 0, 2 ** 31 - 1);
  checkNumber('progressInterval', options.progressInterval, 0, 2 ** 31 - 1);
  if (options.blksizeMax !== undefined) {
    checkNumber('blksizeMax', options.blksizeMax, MIN_BLKSIZE, MAX_BLKSIZE);
  }
  if (!['ipv4', 'ipv6', 'both'].includes(options.family)) {
    throw invalidSetting(`family is ${options.family}: it must be ipv4, ipv6 or both`);
  }
  if (typeof options.worker !== 'boolean') {
    throw invalidSetting(`worker is ${String(options.worker)}: it must be true or false`);
  }
  checkTransferPorts(options.transferPorts);
  return options;
}

function checkTransferPorts(ports: RequiredServerOptions['transferPorts']): void {
  if (ports === 'any' || ports === 'single') return;
  if (!Array.isArray(ports) || ports.length !== 2) {
    throw invalidSetting(
      `transferPorts is ${String(ports)}: it must be any, single, or the first and last port of a range`,
    );
  }
  checkNumber('transferPorts', ports[0], 1, 65535);
  checkNumber('transferPorts', ports[1], ports[0], 65535);
}
