/**
 * What happened in a transfer, and what to look at: made from its record and the flight recorder's
 * lines in it. Nothing here is text for people; each key stands for a sentence in the catalogues.
 */

import { WIRE_CODES } from '../protocol/errors';
import { readTrace } from '../transfer/trace-line';
import { hadToRepeat } from './transfer-record';
import { LINK_FINDINGS, linkFindings, tenths } from './link-findings';
import type { TftpErrorCode } from '../protocol/errors';
import type { TraceLine } from '../transfer/trace-line';
import type { TransferRecord } from './transfer-record';

/** How a transfer ended, or what it waits for. */
const ENDINGS = [
  'complete',
  'completeRepeated',
  'lastBlockUnconfirmed',
  'putUnconfirmed',
  'probe',
  'waiting',
  'clientNeverAnswered',
  'serverNeverAnswered',
  'answeredElsewhere',
  'silentAtFirstBlock',
  'silentInTheMiddle',
  'silentInTheMiddleNoSize',
  'deadline',
  'flowTooLate',
  'flowRefused',
  'nothingListens',
  'clientGone',
  'portClosed',
  'peerRefused',
  'serverHasNoFile',
  'serverDenied',
  'serverFull',
  'serverHasFile',
  'serverRefusedOptions',
  'clientEnded',
  'clientFull',
  'clientRefusedOptions',
  'neverRead',
  'expectedMiss',
  'expectedClose',
  'missingFile',
  'missingFileMapped',
  'accessDenied',
  'fileExists',
  'diskFull',
  'localFileMissing',
  'localFileDenied',
  'localFileExists',
  'localDiskFull',
  'tooLarge',
  'busy',
  'protocolBroken',
  'optionsUnacceptable',
  'wrongChecksum',
  'wrongSize',
  'cancelled',
  'queueFull',
  'hostNotFound',
  'portsInUse',
  'noLocalAddress',
  'badSetting',
  'failed',
] as const;

type Ending = (typeof ENDINGS)[number];

/** Each of them has a sentence in the catalogues of the sidebar. */
export const DIAGNOSIS_KEYS = [...ENDINGS, ...LINK_FINDINGS] as const;

/** A sentence, and what stands in it. */
export interface Diagnosis {
  readonly key: (typeof DIAGNOSIS_KEYS)[number];
  /** Numbers are counts, bytes, seconds and percent. Texts may come from the peer. */
  readonly values: Readonly<Record<string, string | number>>;
}

/** The ERROR packets that say more than that the peer has ended the transfer, by their codes. */
const SAID: Readonly<Record<TransferRecord['role'], Readonly<Record<number, Ending>>>> = {
  // What a server says to a client of ours.
  client: {
    1: 'serverHasNoFile',
    2: 'serverDenied',
    3: 'serverFull',
    6: 'serverHasFile',
    8: 'serverRefusedOptions',
  },
  // What a client says to a server of ours.
  server: { 0: 'clientEnded', 3: 'clientFull', 8: 'clientRefusedOptions' },
};

/** What ends a transfer from our side, whichever it is. */
const OURS: Partial<Record<TftpErrorCode, Ending>> = {
  ENOSPC: 'diskFull',
  ENOFILE: 'localFileMissing',
  ENOPERM: 'localFileDenied',
  EFILEEXISTS: 'localFileExists',
  EDISKFULL: 'localDiskFull',
  ENOANSWER: 'flowTooLate',
  ETOOLARGE: 'tooLarge',
  EBUSY: 'busy',
  EBADOP: 'protocolBroken',
  EOPTNEG: 'optionsUnacceptable',
  EDIGEST: 'wrongChecksum',
  EBADSIZE: 'wrongSize',
  ECANCELED: 'cancelled',
  EQUEUEFULL: 'queueFull',
  ENOTFOUND: 'hostNotFound',
  EADDRINUSE: 'portsInUse',
  EADDRNOTAVAIL: 'noLocalAddress',
  EINVAL: 'badSetting',
};

/**
 * What happened, the most important first: the ending, then what was odd on the way. Empty for a
 * transfer that runs as it should.
 */
export function diagnose(record: TransferRecord): Diagnosis[] {
  const trace = readTrace(record.trace ?? []);
  const ending = endingOf(record, trace);
  const findings = ending === undefined ? [] : linkFindings(record, trace);
  const values = valuesOf(record, trace);
  return [...(ending === undefined ? [] : [{ key: ending, values }]), ...findings];
}

function endingOf(record: TransferRecord, trace: readonly TraceLine[]): Ending | undefined {
  const { event, finalAck, retry } = record;
  switch (event) {
    case 'start':
    case 'progress':
      return retry === undefined ? undefined : 'waiting';
    case 'probe':
      return 'probe';
    case 'complete':
      if (finalAck === false) return 'lastBlockUnconfirmed';
      return hadToRepeat(record) ? 'completeRepeated' : 'complete';
    case 'error':
      return failureOf(record, trace);
  }
}

function failureOf(record: TransferRecord, trace: readonly TraceLine[]): Ending {
  const { role, error } = record;
  const code = error?.code;
  if (code === 'ETIMEDOUT') return knownEndOf(trace) ?? silenceOf(record, trace);
  if (code === 'ECONNREFUSED') return knownEndOf(trace) ?? closedPortOf(record, trace);
  if (saidByPeer(record, trace)) {
    if (error?.expected) return 'expectedClose';
    return SAID[role][error!.tftpCode] ?? 'peerRefused';
  }
  if (error?.by === 'flow' && !error.expected) return 'flowRefused';
  if (role === 'server') {
    if (code === 'ENOENT') return missOf(record);
    // No client has said so: the server has counted its probes.
    if (code === 'EOPTNEG') return 'neverRead';
    if (code === 'EACCES') return 'accessDenied';
    if (code === 'EEXIST') return 'fileExists';
  }
  return own(code) ?? 'failed';
}

function own(code: string | undefined): Ending | undefined {
  const table: Readonly<Record<string, Ending>> = OURS;
  return code !== undefined && Object.hasOwn(table, code) ? table[code] : undefined;
}

function missOf({ error, servedAs }: TransferRecord): Ending {
  if (error?.expected) return 'expectedMiss';
  return servedAs === undefined ? 'missingFile' : 'missingFileMapped';
}

/** The ends of which more is known than that the server was silent, or its port closed. */
function knownEndOf(trace: readonly TraceLine[]): Ending | undefined {
  if (trace.some(({ note }) => note === 'the last block was not acknowledged')) {
    return 'putUnconfirmed';
  }
  return otherAddressIn(trace) === undefined ? undefined : 'answeredElsewhere';
}

/** The address that answered although it was not asked. */
function otherAddressIn(trace: readonly TraceLine[]): string | undefined {
  const elsewhere = trace.findLast(({ note }) => note.endsWith(', which was not asked'));
  return /came from (\S+), which/.exec(elsewhere?.note ?? '')?.[1];
}

function silenceOf(record: TransferRecord, trace: readonly TraceLine[]): Ending {
  const { role, bytes, size } = record;
  if (trace.length === 0) return 'failed';
  if (!gaveUp(trace)) return 'deadline';
  if (bytes > 0) return size === null ? 'silentInTheMiddleNoSize' : 'silentInTheMiddle';
  if (trace.some(isAnswer)) return 'silentAtFirstBlock';
  return role === 'server' ? 'clientNeverAnswered' : 'serverNeverAnswered';
}

function closedPortOf({ role, bytes }: TransferRecord, trace: readonly TraceLine[]): Ending {
  if (bytes > 0 || (role === 'client' && trace.some(isAnswer))) return 'portClosed';
  return role === 'client' ? 'nothingListens' : 'clientGone';
}

function gaveUp(trace: readonly TraceLine[]): boolean {
  return trace.some(({ direction, note }) => direction === 'note' && note.startsWith('gave up'));
}

/** What came from the peer and meant something. */
function isAnswer({ direction, packet, note }: TraceLine): boolean {
  return direction === 'in' && packet !== 'junk' && !note.endsWith('ignored');
}

/** The last ERROR of a trace tells who ended it, as nothing follows one but the retry without options. */
function saidByPeer({ error }: TransferRecord, trace: readonly TraceLine[]): boolean {
  const last = trace.findLast(({ packet }) => packet === 'ERROR');
  const onWire = WIRE_CODES.some((code) => code === error?.code);
  return onWire && last?.direction === 'in' && last.number === error?.tftpCode;
}

/** All that the sentence of an ending may name. */
function valuesOf(record: TransferRecord, trace: readonly TraceLine[]): Diagnosis['values'] {
  const { host, port, localPort, filename, servedAs, bytes, size, options, retry, error } = record;
  const { blksize, windowsize } = options;
  const whole = size ?? bytes;
  return {
    host,
    port,
    localPort,
    filename,
    servedAs: servedAs ?? filename,
    bytes,
    size: whole,
    blksize,
    windowsize,
    // The first block that is missing. Once all is across that is the one after the last.
    block: Math.floor(bytes / blksize) + 1,
    blocks: Math.floor(whole / blksize) + 1,
    seconds: tenths(record.elapsed / 1000),
    silence: tenths(silenceAtEnd(trace) / 1000),
    attempts: retry?.attempt ?? attemptsIn(trace),
    retries: retry?.retries ?? 0,
    other: otherAddressIn(trace) ?? '',
    code: error?.tftpCode ?? 0,
    text: error?.message ?? '',
  };
}

/** Milliseconds from the last packet that meant something to the end. */
function silenceAtEnd(trace: readonly TraceLine[]): number {
  const last = trace.findLast(isAnswer) ?? trace[0];
  return (trace.at(-1)?.at ?? 0) - (last?.at ?? 0);
}

/** How often something was sent in vain at the end. */
function attemptsIn(trace: readonly TraceLine[]): number {
  const answered = trace.findLastIndex(isAnswer);
  const sent = trace.slice(answered + 1).filter(({ direction }) => direction === 'out');
  return sent.filter(({ packet }) => packet !== 'ERROR').length;
}
