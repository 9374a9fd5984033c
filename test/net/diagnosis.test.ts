import { readFileSync } from 'node:fs';
import path from 'node:path';
import should = require('should');
import type { ClientOptions } from '../../src/client/client-options';
import { DIAGNOSIS_KEYS, diagnose } from '../../src/net/diagnosis';
import type { TransferRecord } from '../../src/net/transfer-record';
import { LocalError, TftpError } from '../../src/protocol/errors';
import { NameRules } from '../../src/server/names/name-rules';
import type { ServerOptions } from '../../src/server/server-options';
import { SERVER_SYSTEM } from '../../src/server/server-system';
import type { ServerSystem } from '../../src/server/server-system';
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { Storage } from '../../src/storage/storage';
import {
  clientFor,
  closeEnginesAfterEach,
  countingSink,
  failureOf,
  startServer,
} from '../helpers/engine';
import type { RunningServer } from '../helpers/engine';
import { recordOf } from '../helpers/records';
import { ScriptedPeer, closePeersAfterEach, freePort } from '../helpers/scripted-peer';
import { skipWithoutClosedPorts } from '../helpers/skip';
import { VirtualClock } from '../helpers/virtual-clock';
import { ack, data, error, oack, rrq, wrq } from '../helpers/wire';

const QUICK = { timeout: 20, retries: 1 };
const BLOCK = 'b'.repeat(512);
/** A client that asks no options. */
const PLAIN: ClientOptions = { blksize: null, windowsize: null, tsize: false };

/** The values of each key that a test has seen. */
const seen = new Map<string, Readonly<Record<string, string | number>>>();

type Key = (typeof DIAGNOSIS_KEYS)[number];

/** What a diagnosis must say at least. */
type Expected = Readonly<Record<string, string | number>>;

describe('diagnose', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  let peer: ScriptedPeer;
  beforeEach(async () => {
    peer = await ScriptedPeer.bind();
  });

  const keysOf = (record: TransferRecord): string[] => diagnose(record).map(({ key }) => key);

  function expectSaid(record: TransferRecord, key: Key, values: Expected = {}): void {
    const said = diagnose(record);
    const found = said.find((one) => one.key === key);
    for (const one of said) seen.set(one.key, one.values);
    should(found?.values).have.properties(values);
    should(keysOf(record)).containEql(key);
  }

  describe('of a server', () => {
    /** A server with a file of 2,000 bytes, which a scripted client asks for. */
    async function serve(
      options: Partial<ServerOptions> = {},
      system?: ServerSystem,
    ): Promise<RunningServer> {
      const storage = new MemoryStorage([['f', Buffer.alloc(2000)]]);
      return startServer({ storage, timeout: 20, ...options }, system);
    }

    type Script = (running: RunningServer) => Promise<void> | void;
    const asks =
      (request: Buffer, ...answers: Buffer[]): Script =>
      async ({ place }) => {
        peer.send(request, place);
        for (const answer of answers) {
          await peer.next();
          peer.send(answer);
        }
      };
    const refusing = (code: 'EEXIST' | 'ENOSPC' | 'EACCES'): Storage => ({
      openForReading: () => Promise.reject(new LocalError(code, 'no')),
      openForWriting: () => Promise.reject(new LocalError(code, 'no')),
    });
    const option = rrq('f', 'blksize', '512');

    const table: [Key, Partial<ServerOptions>, Script, Expected?][] = [
      ['clientNeverAnswered', {}, asks(option), { attempts: 3, host: '127.0.0.1' }],
      ['clientNeverAnswered', {}, asks(rrq('f')), { attempts: 3 }],
      ['silentAtFirstBlock', {}, asks(option, ack(0)), { blksize: 512, block: 1 }],
      ['silentInTheMiddle', {}, asks(rrq('f'), ack(1), ack(2)), { block: 3, blocks: 4 }],
      ['silentInTheMiddleNoSize', {}, asks(wrq('g'), data(1, BLOCK)), { block: 2, bytes: 512 }],
      ['lastBlockUnconfirmed', {}, asks(rrq('f'), ack(1), ack(2), ack(3)), { blocks: 4 }],
      ['deadline', { deadline: 30, timeout: 500 }, asks(rrq('f'), ack(1)), { block: 2 }],
      ['probe', {}, asks(option, error(8, 'only the size')), { size: 2000 }],
      ['clientEnded', {}, asks(rrq('f'), ack(1), error(0, 'bye')), { text: 'bye', block: 2 }],
      ['clientFull', {}, asks(rrq('f'), ack(1), error(3, 'full')), { size: 2000, text: 'full' }],
      ['clientRefusedOptions', {}, asks(option, ack(0), ack(1), error(8, 'no')), { blksize: 512 }],
      ['peerRefused', {}, asks(rrq('f'), error(4, 'what?')), { code: 4, text: 'what?' }],
      ['missingFile', {}, asks(rrq('g')), { filename: 'g' }],
      ['expectedMiss', { expectedMisses: ['g'] }, asks(rrq('g')), { filename: 'g' }],
      [
        'expectedClose',
        { expectedMisses: ['set:grub'] },
        asks(rrq('f'), ack(1), error(0, 'closed')),
        { block: 2, blocks: 4 },
      ],
      [
        'missingFileMapped',
        { rules: NameRules.parse('rG ^ x/') },
        asks(rrq('g')),
        { filename: 'g', servedAs: 'x/g' },
      ],
      ['accessDenied', { write: false }, asks(wrq('g'))],
      ['fileExists', { storage: refusing('EEXIST') }, asks(wrq('g'))],
      ['diskFull', { storage: refusing('ENOSPC') }, asks(wrq('g'))],
      ['tooLarge', { maxUploadSize: 512 }, asks(wrq('g'), data(1, BLOCK), data(2, 'x'))],
      ['protocolBroken', {}, asks(wrq('g'), data(1, `${BLOCK}!`))],
      ['junk', {}, asks(rrq('f'), Buffer.from('000b', 'hex'), error(0)), { count: 1 }],
      ['duplicates', {}, asks(rrq('f'), ack(1), ack(1), error(0)), { count: 1 }],
      [
        'rewound',
        {},
        asks(rrq('f', 'windowsize', '4'), ack(0), ack(2), error(0)),
        { count: 1, block: 3, windowsize: 4 },
      ],
    ];
    for (const [key, options, script, values] of table) {
      it(`says ${key}`, async () => {
        const running = await serve(options);
        await script(running);
        const record = await running.record(({ finished }) => finished !== undefined);
        expectSaid(record, key, values);
      });
    }

    it('says neverRead', async () => {
      const clock = new VirtualClock();
      const running = await serve({}, { ...SERVER_SYSTEM, clock });
      for (let probes = 0; probes < 5; probes += 1) {
        await asks(option, error(8, 'no'))(running);
        await running.record('probe');
      }
      clock.pass(3000);
      expectSaid(await running.record('error'), 'neverRead', { filename: 'f', size: 2000 });
    });

    it('says busy and cancelled', async () => {
      const running = await serve({ timeout: 5000 });
      peer.send(rrq('f'), running.place);
      await peer.next();
      running.server.abortAll();
      expectSaid(await running.record('error'), 'cancelled', { bytes: 0 });
      running.server.pause();
      peer.send(rrq('f'), running.place);
      expectSaid(await running.record('error'), 'busy');
    });

    for (const [key, answers] of [
      ['clientGone', []],
      ['portClosed', [ack(1)]],
    ] as const) {
      it(`says ${key}`, async function () {
        skipWithoutClosedPorts(this);
        const running = await serve();
        peer.send(rrq('f'), running.place);
        await peer.next();
        for (const answer of answers) await peer.ask(answer);
        peer.close();
        const record = await running.record('error');
        expectSaid(record, key, { block: answers.length + 1 });
      });
    }

    it('says what had to be sent again', async () => {
      const running = await serve();
      peer.send(option, running.place);
      for (let sent = 0; sent < 2; sent += 1) await peer.next();
      for (const block of [0, 1]) await peer.ask(ack(block));
      should(await peer.hear()).equal('DATA 2 512 B');
      for (const block of [2, 3]) await peer.ask(ack(block));
      peer.send(ack(4));
      const record = await running.record('complete');
      should(record.trace).not.be.empty();
      should(keysOf(record)).eql(['completeRepeated', 'requestRepeated', 'retransmits']);
      expectSaid(record, 'requestRepeated', { count: 1 });
      expectSaid(record, 'retransmits', { count: 2, blocks: 4, percent: 50 });
    });

    it('says that all is well, and no more', async () => {
      const running = await serve();
      peer.send(rrq('f'), running.place);
      for (const block of [1, 2, 3, 4]) {
        await peer.next();
        peer.send(ack(block));
      }
      const record = await running.record('complete');
      should(record).not.have.property('trace');
      should(keysOf(record)).eql(['complete']);
      expectSaid(record, 'complete', { bytes: 2000, block: 4, blocks: 4 });
    });
  });

  describe('of a client', () => {
    type Begin = (options: ClientOptions) => Promise<unknown>;
    const get: Begin = (options) => clientFor(peer, QUICK).get('f', options);
    const put: Begin = (options) => clientFor(peer, QUICK).put('content', 'f', options);

    const table: [Key, Begin, ClientOptions, Buffer[], Expected?][] = [
      ['serverNeverAnswered', get, {}, [], { attempts: 2, host: '127.0.0.1' }],
      ['silentAtFirstBlock', get, {}, [oack('blksize', '1428')], { blksize: 1428 }],
      ['silentInTheMiddleNoSize', get, {}, [data(1, BLOCK)], { block: 2 }],
      ['serverHasNoFile', get, {}, [error(1, 'gone')], { filename: 'f', text: 'gone' }],
      ['serverDenied', put, {}, [error(2, 'no'), error(2, 'no')], { text: 'no' }],
      ['serverFull', put, {}, [error(3, 'full')], { text: 'full' }],
      ['serverHasFile', put, {}, [error(6, 'there')], { text: 'there' }],
      [
        'serverRefusedOptions',
        get,
        {},
        [error(8, 'no'), error(8, 'none')],
        { text: 'none (asked again without options after ERROR 8 "no")' },
      ],
      ['optionsDropped', get, {}, [error(8, 'no'), error(0, 'x')], { text: 'no' }],
      ['optionsUnacceptable', get, {}, [oack('multicast', '1')]],
      ['peerRefused', get, {}, [error(99, 'odd')], { code: 99, text: 'odd' }],
      ['wrongChecksum', get, { sha256: '0'.repeat(64) }, [data(1, 'x')]],
      ['wrongSize', get, {}, [oack('tsize', '9'), data(1, 'x')]],
      ['putUnconfirmed', put, PLAIN, [ack(0)], { blocks: 1, host: '127.0.0.1' }],
      ['optionsUnanswered', get, {}, [Buffer.alloc(0), data(1, BLOCK)], { host: '127.0.0.1' }],
      ['tooLarge', get, { maxSize: 100 }, [data(1, 'x'.repeat(101))]],
      ['badSetting', (options) => clientFor(peer).get('', options), {}, []],
      ['noLocalAddress', get, { localAddress: '192.0.2.1' }, []],
    ];
    for (const [key, begin, options, answers, values] of table) {
      it(`says ${key}`, async () => {
        const failed = failureOf(begin(options));
        for (const answer of answers) {
          await peer.next();
          peer.send(answer);
        }
        expectSaid((await failed).record!, key, values);
      });
    }

    it('says nothingListens', async function () {
      skipWithoutClosedPorts(this);
      const port = await freePort();
      const failed = await failureOf(clientFor({ address: '127.0.0.1', port }, QUICK).get('f'));
      expectSaid(failed.record!, 'nothingListens', { port });
    });

    it('says answeredElsewhere', async () => {
      const other = await ScriptedPeer.bind({ address: '127.0.0.9' });
      const failed = failureOf(get({ ...PLAIN, retries: 0 }));
      await peer.next();
      other.send(data(1, 'x'), peer.other);
      const { record } = await failed;
      expectSaid(record!, 'answeredElsewhere', { other: `127.0.0.9:${other.port}` });
    });

    it('says portsInUse', async () => {
      const failed = await failureOf(get({ localPort: peer.port }));
      expectSaid(failed.record!, 'portsInUse');
    });

    it('says diskFull for a disk of its own, and failed for other faults', async () => {
      for (const [code, key] of [
        ['ENOSPC', 'diskFull'],
        ['EACCES', 'failed'],
        ['ENOENT', 'failed'],
      ] as const) {
        const { sink } = countingSink({
          write: () => Promise.reject(new TftpError(code, 'here')),
        });
        const failed = failureOf(clientFor(peer, QUICK).getTo(sink, 'f'));
        await peer.next();
        peer.send(data(1, 'x'));
        expectSaid((await failed).record!, key, { text: 'here' });
        await peer.next();
      }
    });

    it('says who else sent packets, and what came late', async () => {
      const stranger = await ScriptedPeer.bind();
      const got = get({ timeout: 30, retries: 5 }) as Promise<{ record: TransferRecord }>;
      await peer.next();
      should(await peer.ask(data(1, BLOCK))).equal('ACK 1');
      await stranger.ask(data(2, 'no'), peer.other);
      should(await peer.hear()).equal('ACK 1');
      peer.send(data(2, 'end'));
      const { record } = await got;
      should(record.trace).not.be.empty();
      should(keysOf(record)).eql(['completeRepeated', 'askedAgain', 'strangers']);
      const name = `127.0.0.1:${stranger.port}`;
      expectSaid(record, 'strangers', { count: 1, peer: name });
    });

    it('says that it waits', async () => {
      const records: TransferRecord[] = [];
      await failureOf(get({ onEvent: (record) => records.push(record) }));
      const [start, waiting] = records;
      should(diagnose(start!)).eql([]);
      should(keysOf(waiting!)).eql(['waiting']);
      expectSaid(waiting!, 'waiting', { attempts: 1, retries: 1 });
    });
  });

  describe('of a record', () => {
    const failed = (code: string, own: Partial<TransferRecord> = {}): TransferRecord =>
      recordOf({ event: 'error', error: { code, tftpCode: 0, message: 'm' }, trace: [], ...own });
    const complete = (own: Partial<TransferRecord>): TransferRecord =>
      recordOf({ event: 'complete', finalAck: true, bytes: 2_000_000, size: 2_000_000, ...own });
    const single = { options: { blksize: 1000, windowsize: 1 } };

    const table: [Key, TransferRecord, Expected?][] = [
      ['flowTooLate', failed('ENOANSWER')],
      [
        'flowRefused',
        failed('', { error: { code: 'ENOENT', tftpCode: 1, message: 'm', by: 'flow' } }),
        { text: 'm' },
      ],
      ['localFileMissing', failed('ENOFILE', { role: 'client' }), { text: 'm' }],
      ['localFileMissing', failed('ENOFILE'), { text: 'm' }],
      ['localFileDenied', failed('ENOPERM', { role: 'client' }), { text: 'm' }],
      ['localFileExists', failed('EFILEEXISTS', { role: 'client' }), { text: 'm' }],
      ['localDiskFull', failed('EDISKFULL', { role: 'client' }), { text: 'm' }],
      ['queueFull', failed('EQUEUEFULL', { role: 'client' })],
      ['hostNotFound', failed('ENOTFOUND', { role: 'client', host: 'h' }), { host: 'h' }],
      ['failed', failed('EIO'), { text: 'm' }],
      ['failed', failed('toString')],
      ['failed', recordOf({ event: 'error' })],
      ['failed', failed('ETIMEDOUT', { role: 'client' })],
      [
        'deadline',
        failed('ETIMEDOUT', {
          trace: ['+0.0 ms -> RRQ', '+1.0 ms <- ERROR 8 gave up', '+2.0 ms -> RRQ'],
        }),
      ],
      [
        'serverNeverAnswered',
        failed('ETIMEDOUT', {
          role: 'client',
          trace: [
            '+0.0 ms -> RRQ',
            '+1.0 ms <- ACK 5 no answer to the opening, ignored',
            '+2.0 ms -- gave up after 1 timeouts',
          ],
        }),
        { attempts: 1 },
      ],
      ['lockStep', complete(single), { blocks: 2000, blksize: 1000 }],
      [
        'fewRetransmits',
        complete({ ...single, retransmits: 90 }),
        { count: 90, blocks: 2000, percent: 4.5 },
      ],
      ['retransmitsInWindows', complete({ retransmits: 500 }), { windowsize: 4 }],
      ['slowDisk', complete({ trace: ['+1.0 ms -> ACK 3 after a slow disk'] }), { count: 1 }],
      [
        'rewound',
        complete({ trace: ['… 5 earlier entries left out', '+1.0 ms -> ACK 3 reports the gap'] }),
        { block: 4 },
      ],
    ];
    for (const [key, record, values] of table) {
      it(`says ${key}, for ${record.error?.code ?? record.event}`, () => {
        expectSaid(record, key, values);
      });
    }

    it('does not take the middle of a long transfer for its beginning', () => {
      const again = (what: string): string[] =>
        diagnose(
          complete({
            retransmits: 1,
            trace: ['… 9 earlier entries left out', `+1.0 ms -> ${what} again`, '+2.0 ms <- ACK 9'],
          }),
        ).map(({ key }) => key);
      for (const what of ['OACK', 'RRQ', 'ACK 0', 'DATA 1 (8 B)']) {
        should(again(what)).containEql('requestRepeated');
      }
      for (const what of ['ACK 9', 'DATA 9…12 (8 B)']) {
        should(again(what)).not.containEql('requestRepeated');
      }
    });

    it('does not take for a rewind or a stranger what a peer writes into an ERROR', () => {
      const trace = [
        '+0.0 ms <- ERROR 0 a packet of stranger 192.0.2.1:1 came',
        '+0.0 ms <- ERROR 0 rewinds',
        '+0.0 ms <- ERROR 0 gave up after 3 timeouts',
      ];
      should(keysOf(failed('EUNDEF', { trace }))).eql(['clientEnded']);
    });
  });

  describe('in English', () => {
    const file = path.resolve(__dirname, '../../../nodes/locales/en-US/tftp-sidebar.json');
    const catalogue = JSON.parse(readFileSync(file, 'utf8')) as {
      'tftp-sidebar': { diagnosis: Record<string, string> };
    };
    const { diagnosis } = catalogue['tftp-sidebar'];

    it('has a sentence for each key', () => {
      should(Object.keys(diagnosis).sort()).eql([...DIAGNOSIS_KEYS].sort());
    });

    it('names only values that are there, in sentences that were all said above', function () {
      skipWithoutClosedPorts(this);
      should(DIAGNOSIS_KEYS.filter((key) => !seen.has(key))).eql([]);
      for (const [key, values] of seen) {
        const named = [...diagnosis[key]!.matchAll(/__(\w+?)__/g)].map(([, name]) => name!);
        should(named.filter((name) => !(name in values))).eql([], key);
      }
    });
  });
});
