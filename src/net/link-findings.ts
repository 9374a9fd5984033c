/** What was odd in the traffic of a transfer: loss, repetition, strangers. */

import type { TraceLine } from '../transfer/trace-line';
import type { TransferRecord } from './transfer-record';

/** From so many percent on what was sent again is more than a bad moment. */
const MUCH_LOSS = 5;
/** From so many bytes on it is worth to say that one block at a time is slow. */
const WORTH_WINDOWS = 1_000_000;

/** What can be said of a link. */
export const LINK_FINDINGS = [
  'optionsDropped',
  'optionsUnanswered',
  'requestRepeated',
  'rewound',
  'retransmits',
  'retransmitsInWindows',
  'fewRetransmits',
  'askedAgain',
  'duplicates',
  'strangers',
  'junk',
  'slowDisk',
  'lockStep',
] as const;

/** A sentence about the link, with its values. `count` is how often, as far as the trace goes back. */
export interface LinkFinding {
  readonly key: (typeof LINK_FINDINGS)[number];
  readonly values: Readonly<Record<string, string | number>>;
}

type Look = (record: TransferRecord, trace: readonly TraceLine[]) => LinkFinding | undefined;

/** What was odd, in the order in which it matters. */
export function linkFindings(record: TransferRecord, trace: readonly TraceLine[]): LinkFinding[] {
  return LOOKS.flatMap((look) => look(record, trace) ?? []);
}

const LOOKS: readonly Look[] = [
  optionsDropped,
  requestRepeated,
  rewound,
  repeatedPackets,
  duplicates,
  strangers,
  junk,
  slowDisk,
  lockStep,
];

/** A client asks once more, without options, where they are refused or not answered. */
function optionsDropped({ host, error }: TransferRecord, trace: readonly TraceLine[]) {
  const again = trace.findIndex(({ note }) => note.startsWith('asks again without options after '));
  if (again < 0) return undefined;
  const refusal = trace[again - 1];
  if (refusal?.packet === 'ERROR') {
    // The same answer twice has nothing to do with the options.
    if (error?.tftpCode === refusal.number && error?.message === refusal.note) return undefined;
    return finding('optionsDropped', { host, text: refusal.note });
  }
  const answered = trace.slice(again).some(({ direction }) => direction === 'in');
  return answered ? finding('optionsUnanswered', { host }) : undefined;
}

/** The first packet went out several times before the peer answered it. */
function requestRepeated({ host }: TransferRecord, trace: readonly TraceLine[]) {
  const answered = trace.findIndex(
    ({ direction, packet }) => direction === 'in' && packet !== 'junk',
  );
  const before = answered < 0 ? [] : trace.slice(0, answered);
  const count = before.filter((line) => isFirst(line) && line.note === 'again').length;
  const seconds = tenths((trace[answered]?.at ?? 0) / 1000);
  return count === 0 ? undefined : finding('requestRepeated', { host, count, seconds });
}

/** The trace of a long transfer begins in its middle. */
function isFirst({ direction, packet, number }: TraceLine): boolean {
  if (direction !== 'out') return false;
  if (packet === 'DATA') return number === 1;
  return packet === 'ACK' ? number === 0 : packet !== 'ERROR';
}

function rewound({ options }: TransferRecord, trace: readonly TraceLine[]) {
  const rewinds = trace.filter(
    ({ packet, note }) => packet === 'ACK' && /rewinds$|^reports the gap$/.test(note),
  );
  const [first] = rewinds;
  if (first === undefined) return undefined;
  const { windowsize } = options;
  const block = (first.number ?? 0) + 1;
  return finding('rewound', { count: rewinds.length, block, windowsize });
}

/** A transfer that ends in silence repeats what it can: that tells nothing of the link before. */
function repeatedPackets(record: TransferRecord, trace: readonly TraceLine[]) {
  const { retransmits: count, bytes, options, error, host } = record;
  const silent = error?.code === 'ETIMEDOUT' || error?.code === 'ECONNREFUSED';
  if (count === 0 || bytes === 0 || silent) return undefined;
  if (!sends(record)) {
    const asked = trace.some(({ packet, note }) => packet === 'ACK' && note === 'again');
    return asked ? finding('askedAgain', { count, host }) : undefined;
  }
  const { blksize, windowsize } = options;
  const blocks = Math.ceil(bytes / blksize);
  const percent = tenths((100 * count) / blocks);
  const values = { count, blocks, percent, windowsize };
  if (percent < MUCH_LOSS) return finding('fewRetransmits', values);
  return finding(windowsize > 1 ? 'retransmitsInWindows' : 'retransmits', values);
}

/** True if we are the side that sends the file. */
function sends({ role, operation }: TransferRecord): boolean {
  return (operation === 'read') === (role === 'server');
}

function duplicates({ duplicates: count, host }: TransferRecord) {
  return count === 0 ? undefined : finding('duplicates', { count, host });
}

function strangers({ host }: TransferRecord, trace: readonly TraceLine[]) {
  const peers = trace.flatMap(({ direction, note }) => {
    const [, peer] = /^a packet of stranger (\S+) came$/.exec(note) ?? [];
    return direction === 'note' && peer !== undefined ? [peer] : [];
  });
  const [peer] = peers;
  return peer === undefined ? undefined : finding('strangers', { count: peers.length, peer, host });
}

function junk({ host }: TransferRecord, trace: readonly TraceLine[]) {
  const count = trace.filter(({ packet }) => packet === 'junk').length;
  return count === 0 ? undefined : finding('junk', { count, host });
}

function slowDisk(_record: TransferRecord, trace: readonly TraceLine[]) {
  const count = trace.filter(({ note, direction }) => {
    return direction === 'out' && note === 'after a slow disk';
  }).length;
  return count === 0 ? undefined : finding('slowDisk', { count });
}

/** Each block waits for its acknowledgement: the time of a round trip is then the speed. */
function lockStep({ event, bytes, options, averageRate }: TransferRecord) {
  const { blksize, windowsize } = options;
  if (event !== 'complete' || windowsize > 1 || bytes < WORTH_WINDOWS) return undefined;
  return finding('lockStep', { blksize, blocks: Math.ceil(bytes / blksize), rate: averageRate });
}

function finding(key: LinkFinding['key'], values: LinkFinding['values']): LinkFinding {
  return { key, values };
}

/** With one decimal. */
export function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}
