import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { Readable } from 'node:stream';
import should = require('should');
import type { ClientOptions } from '../../src/client/client-options';
import { TftpClient } from '../../src/client/client';
import { WindowMemory } from '../../src/client/window-memory';
import type { TransferRecord } from '../../src/net/transfer-record';
import { bufferSource } from '../../src/storage/data-source';
import type { Content } from '../../src/storage/data-source';
import { MemoryStorage } from '../../src/storage/memory-storage';
import { runScript } from '../helpers/child';
import { clientFor, closeEnginesAfterEach, failureOf, startServer } from '../helpers/engine';
import type { RunningServer } from '../helpers/engine';
import { useSteppedTime } from '../helpers/fake-clock';
import { seededBytes } from '../helpers/random';
import { ScriptedPeer, closePeersAfterEach, freePort } from '../helpers/scripted-peer';
import { skipUnless } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';
import { ack, data, error, oack } from '../helpers/wire';

const FIRMWARE = seededBytes(100_000, 7);
const HAS_IPV6 = Object.values(os.networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

describe('TftpClient', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  const temp = useTempFolder();
  let storage: MemoryStorage;
  let running: RunningServer;
  beforeEach(async () => {
    storage = new MemoryStorage([
      ['firmware', FIRMWARE],
      ['empty', Buffer.alloc(0)],
      ['text', Buffer.from('one\ntwo\rthree\r\n')],
    ]);
    running = await startServer({ storage });
  });

  describe('on the wire', () => {
    let peer: ScriptedPeer;
    beforeEach(async () => {
      peer = await ScriptedPeer.bind();
    });

    async function requestOf(
      options: ClientOptions,
      begin: 'get' | 'put' | 'stat' = 'get',
    ): Promise<string> {
      const client = clientFor(peer, options);
      const run = begin === 'put' ? client.put('12345', 'a/b') : client[begin]('a/b');
      const { bytes } = await peer.next();
      peer.send(error(1));
      await failureOf(run);
      return bytes.toString('latin1').replaceAll('\0', '|');
    }

    /** `|` stands for NUL, which no text on the wire holds. */
    const goldens: ReadonlyArray<[string, ClientOptions, string, ('get' | 'put' | 'stat')?]> = [
      ['get', {}, '|\x01a/b|octet|blksize|1428|tsize|0|windowsize|16|'],
      ['put', {}, '|\x02a/b|octet|blksize|1428|tsize|5|windowsize|16|', 'put'],
      ['stat', {}, '|\x01a/b|octet|tsize|0|', 'stat'],
      ['no options', { blksize: null, windowsize: null, tsize: false }, '|\x01a/b|octet|'],
      [
        'netascii',
        { mode: 'netascii', blksize: null, windowsize: null },
        '|\x01a/b|netascii|tsize|0|',
      ],
      [
        'a netascii put, whose size is not known',
        { mode: 'netascii', blksize: null, windowsize: null },
        '|\x02a/b|netascii|',
        'put',
      ],
      [
        'all options',
        { blksize: 8, timeout: 3000, windowsize: 2, rollover: 1 },
        '|\x01a/b|octet|blksize|8|tsize|0|timeout|3|windowsize|2|rollover|1|',
      ],
      [
        'the window of an unknown host',
        { windowsize: 'auto', tsize: false },
        '|\x01a/b|octet|blksize|1428|windowsize|64|',
      ],
      ['stat, which needs no window', { windowsize: 'auto' }, '|\x01a/b|octet|tsize|0|', 'stat'],
      [
        'a timeout below a second',
        { blksize: null, timeout: 1500, windowsize: null, tsize: false },
        '|\x01a/b|octet|utimeout|1500000|',
      ],
    ];
    for (const [name, options, golden, begin] of goldens) {
      it(`asks exactly this: ${name}`, async () => {
        should(await requestOf(options, begin)).equal(golden);
      });
    }

    it('learns from a transfer what window to ask this address for, with all clients', async () => {
      const windows = new WindowMemory();
      const client = new TftpClient(
        { host: peer.address, port: peer.port, blksize: 8, tsize: false, windowsize: 'auto' },
        windows,
      );
      const got = client.get('f');
      should(await peer.hear()).equal('RRQ f octet blksize 8 windowsize 64');
      should(await peer.ask(oack('blksize', '8', 'windowsize', '64'))).equal('ACK 0');
      for (const block of [2, 4, 6]) {
        // Two new blocks, then the same again with nothing behind them: the third one never fits.
        const pair = [data(block - 1, '12345678'), data(block, '12345678')];
        for (const datagram of [...pair, ...pair]) peer.send(datagram);
        should(await peer.hear()).equal(`ACK ${block}`);
      }
      should(await peer.ask(data(7, ''))).equal('ACK 7');
      await got;

      const other = new TftpClient(
        { host: peer.address, port: peer.port, windowsize: 'auto', tsize: false },
        windows,
      );
      const put = failureOf(other.put('12345', 'f'));
      should(await peer.hear()).equal('WRQ f octet blksize 1428 windowsize 1');
      peer.send(error(1));
      await put;
      client.close();
    });

    it('sends names as UTF-8', async () => {
      const got = failureOf(clientFor(peer).get('Gerät'));
      should(await peer.hear()).match(/^RRQ Gerät octet /);
      peer.send(error(1));
      await got;
    });
  });

  describe('get', () => {
    it('fetches a file into memory', async () => {
      const { data: received, record } = await clientFor(running.place).get('firmware');
      should(received.equals(FIRMWARE)).equal(true);
      should(record).have.properties({
        event: 'complete',
        role: 'client',
        operation: 'read',
        filename: 'firmware',
        host: '127.0.0.1',
        bytes: 100_000,
        size: 100_000,
        percent: 100,
        finalAck: true,
      });
      should(record.options).eql({ blksize: 1428, windowsize: 16, tsize: 100_000 });
      should(JSON.parse(JSON.stringify(record))).eql(record);
    });

    it('fetches an empty file', async () => {
      const { data: received, record } = await clientFor(running.place).get('empty');
      should(received.length).equal(0);
      should(record).have.properties({ bytes: 0, size: 0, percent: 100 });
    });

    it('rejects with what the server says, and the record of it', async () => {
      const failure = await failureOf(clientFor(running.place).get('missing'));
      should(failure).have.properties({
        code: 'ENOENT',
        tftpCode: 1,
        name: 'PeerError',
        message: 'File not found',
        filename: 'missing',
      });
      should(failure.record).have.properties({ event: 'error', filename: 'missing', bytes: 0 });
      should(failure.record!.trace)
        .matchAny(/-> RRQ/)
        .and.matchAny(/<- ERROR 1 File not found/);
    });

    it('sees netascii as text', async () => {
      const { data: received, record } = await clientFor(running.place).get('text', {
        mode: 'netascii',
        blksize: 8,
      });
      should(received.toString()).equal('one\ntwo\rthree\r\n');
      should(record.bytes).equal(19);
    });

    for (const hash of ['sha256', 'md5'] as const) {
      it(`checks the ${hash}`, async () => {
        const right = createHash(hash).update(FIRMWARE).digest('hex');
        const client = clientFor(running.place);
        const { record } = await client.get('firmware', { [hash]: right.toUpperCase() });
        if (hash === 'sha256') should(record.sha256).equal(right);
        const wrong = await failureOf(client.get('firmware', { [hash]: right.replace(/./g, '0') }));
        should(wrong.code).equal('EDIGEST');
        should((await running.record('error')).error!.tftpCode).equal(0);
      });
    }

    it('refuses by its tsize a file that is too large, before any data', async () => {
      const peer = await ScriptedPeer.bind();
      const got = failureOf(clientFor(peer).get('f', { maxSize: 9 }));
      await peer.next();
      should(await peer.ask(oack('tsize', '10'))).match(/^ERROR 3 The file is larger than .* 9 b/);
      should((await got).code).equal('ETOOLARGE');
    });

    it('refuses by counting a file that is too large', async () => {
      const peer = await ScriptedPeer.bind();
      const client = clientFor(peer, { maxSize: 9 });
      const got = failureOf(client.get('f'));
      await peer.next();
      should(await peer.ask(data(1, '1234567890'))).match(/^ERROR 3 /);
      should((await got).code).equal('ETOOLARGE');
      const exact = client.get('f');
      await peer.next();
      should(await peer.ask(data(1, '123456789'))).equal('ACK 1');
      should((await exact).data.length).equal(9);
    });

    it('says that a host does not exist', async () => {
      const client = clientFor({ address: 'no such host', port: 69 });
      const failure = await failureOf(client.get('f'));
      should(failure.code).equal('ENOTFOUND');
      should(failure.message).match(/^The host no such host cannot be found: check the name/);
      should(failure.record).have.properties({ event: 'error', host: 'no such host' });
    });

    for (const [what, name, reason] of [
      ['an empty name', '', /missing/],
      ['a name with a NUL', 'a\0b', /control character/],
      ['a name that is too long', 'x'.repeat(256), /longer than 255 bytes/],
    ] as const) {
      it(`refuses ${what}, and says so before anything is sent`, async () => {
        const failure = await failureOf(clientFor(running.place).get(name));
        should(failure).have.properties({ code: 'EINVAL', name: 'LocalError' });
        should(failure.message).match(reason);
        should(running.server.counters.requests).equal(0);
      });
    }

    it('works over IPv6', async function () {
      skipUnless(this, HAS_IPV6, 'this machine has no IPv6');
      const { place } = await startServer({ storage, address: '::1' });
      for (const host of ['::1', '[::1]', '0:0:0:0:0:0:0:1']) {
        const client = clientFor(place, { host });
        should((await client.get('firmware')).record.bytes).equal(100_000);
        should((await failureOf(client.get('missing'))).code).equal('ENOENT');
      }
    });

    it('resolves a name', async () => {
      const { place } = await startServer({ storage, address: '', family: 'both' });
      const { record } = await clientFor(place).get('empty', { host: 'localhost' });
      should(record.host).equal('localhost');
    });

    it('sends from the address and port that it is told', async () => {
      const peer = await ScriptedPeer.bind();
      const localPort = await freePort();
      const local = { localAddress: '127.0.0.1', localPort };
      const got = clientFor(peer).get('f', local);
      should((await peer.next()).from).eql({ address: '127.0.0.1', port: localPort });
      await peer.ask(data(1));
      should((await got).record).have.properties(local);
    });

    it('takes the first free port of a range, and says when there is none', async () => {
      const first = await freePort();
      const taken = await ScriptedPeer.bind({ port: first });
      const client = clientFor(running.place, { localPort: [first, first + 1] });
      should((await client.get('empty')).record.localPort).equal(first + 1);
      const failure = await failureOf(client.get('empty', { localPort: taken.port }));
      should(failure.code).equal('EADDRINUSE');
    });

    it('gives transfers at the same time a port each', async () => {
      const first = await freePort();
      const client = clientFor(running.place, { localPort: [first, first + 20] });
      const files = await Promise.all(Array.from({ length: 5 }, () => client.get('firmware')));
      should(new Set(files.map(({ record }) => record.localPort)).size).equal(5);
      for (const { data: received } of files) should(received.equals(FIRMWARE)).equal(true);
    });

    it('lets the process end at once', async () => {
      const { stdout, stderr, exitCode, lingered } = await runScript(`
        const { TftpClient } = engine('client/client');
        const client = new TftpClient({ host: '127.0.0.1', port: ${running.place.port} });
        client.get('firmware').then(({ data }) => console.log(data.length));
      `);
      should({ stdout, stderr, exitCode }).eql({ stdout: '100000\n', stderr: '', exitCode: 0 });
      should(lingered).be.below(1000);
    });
  });

  describe('getFile', () => {
    it('writes the file when it is complete', async () => {
      const { path, record } = await clientFor(running.place).getFile(temp.file('out'), 'firmware');
      should(path).equal(temp.file('out'));
      should(record.bytes).equal(100_000);
      should(readFileSync(temp.file('out')).equals(FIRMWARE)).equal(true);
      should(readdirSync(temp.path)).eql(['out']);
    });

    it('replaces a file unless told otherwise', async () => {
      writeFileSync(temp.file('out'), 'old');
      const client = clientFor(running.place);
      const refused = client.getFile(temp.file('out'), 'empty', { overwrite: 'refuse' });
      should((await failureOf(refused)).code).equal('EFILEEXISTS');
      should(readFileSync(temp.file('out'), 'utf8')).equal('old');
      await client.getFile(temp.file('out'), 'empty');
      should(readFileSync(temp.file('out'), 'utf8')).equal('');
    });

    it('makes folders only if it is told to', async () => {
      const client = clientFor(running.place);
      const path = temp.file('new', 'out');
      const failure = await failureOf(client.getFile(path, 'text'));
      should(failure.code).equal('ENOFILE');
      should(failure.record!.event).equal('error');
      await client.getFile(path, 'text', { createDir: true });
      should(readFileSync(path, 'utf8')).equal('one\ntwo\rthree\r\n');
    });

    it('leaves nothing behind when it fails', async () => {
      const client = clientFor(running.place);
      const out = temp.file('out');
      const peer = await ScriptedPeer.bind();
      const broken = failureOf(clientFor(peer).getFile(out, 'f'));
      await peer.next();
      should(await peer.ask(data(1, 'x'.repeat(512)))).equal('ACK 1');
      should(readdirSync(temp.path).length).equal(1);
      peer.send(error(0, 'power cut'));
      should((await broken).message).equal('power cut');
      for (const options of [
        { sha256: '0'.repeat(64) },
        { maxSize: 5 },
        { signal: AbortSignal.abort() },
      ]) {
        await failureOf(client.getFile(out, 'firmware', options));
      }
      await failureOf(client.getFile(out, 'missing'));
      should(readdirSync(temp.path)).eql([]);
    });
  });

  describe('stream', () => {
    it('gives the file chunk by chunk', async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of clientFor(running.place).stream('firmware')) chunks.push(chunk);
      should(Buffer.concat(chunks).equals(FIRMWARE)).equal(true);
      const again = Readable.from(clientFor(running.place).stream('firmware'));
      should(Buffer.concat(await again.toArray()).equals(FIRMWARE)).equal(true);
    });

    it('throws what ended the transfer', async () => {
      const read = async () => {
        for await (const _ of clientFor(running.place).stream('missing')) should.fail(0, 1, '', '');
      };
      should((await failureOf(read())).code).equal('ENOENT');
    });

    it('slows the server down to the pace of the reader', async () => {
      storage.files.set('large', Buffer.alloc(4 * 1024 * 1024));
      const options = { blksize: 1468, windowsize: 4 };
      const { place, record } = await startServer({ storage, retries: 6 });
      let bytes = 0;
      for await (const chunk of clientFor(place).stream('large', options)) {
        if (bytes === 0) {
          const stuck = await record(({ retry }) => retry !== undefined);
          should(stuck.bytes).be.below(1.1 * 1024 * 1024);
        }
        bytes += chunk.length;
      }
      should(bytes).equal(4 * 1024 * 1024);
    });

    it('cancels the transfer when the reader leaves the loop', async () => {
      storage.files.set('large', Buffer.alloc(4 * 1024 * 1024));
      for await (const chunk of clientFor(running.place).stream('large')) {
        should(chunk.length).be.above(0);
        break;
      }
      const { error: said } = await running.record('error');
      should(said).eql({ code: 'EUNDEF', tftpCode: 0, message: 'The transfer was cancelled' });
    });

    it('ends when its signal is aborted', async () => {
      storage.files.set('large', Buffer.alloc(4 * 1024 * 1024));
      const stop = new AbortController();
      const read = async () => {
        const chunks = clientFor(running.place).stream('large', { signal: stop.signal });
        for await (const _ of chunks) stop.abort();
      };
      should((await failureOf(read())).code).equal('ECANCELED');
    });
  });

  describe('put', () => {
    const text = 'hello wörld';
    const contents: ReadonlyArray<[string, () => Content, number | undefined]> = [
      ['a Buffer', () => Buffer.from(text), 12],
      ['a Uint8Array', () => new Uint8Array(Buffer.from(text)), 12],
      ['a string', () => text, 12],
      ['a file', () => ({ file: temp.file('in') }), 12],
      ['a Readable', () => Readable.from([Buffer.from('hello '), 'wörld']), undefined],
      ['a DataSource', () => bufferSource(text), 12],
      [
        'an async generator',
        async function* () {
          yield 'hello ';
          yield* [Buffer.from('wörld')];
        },
        undefined,
      ],
    ];
    for (const [name, content, tsize] of contents) {
      it(`sends ${name}`, async () => {
        writeFileSync(temp.file('in'), text);
        const record = await clientFor(running.place).put(content(), 'in');
        should(storage.files.get('in')!.toString()).equal(text);
        should(record).have.properties({ operation: 'write', bytes: 12, size: 12, finalAck: true });
        should(record.options.tsize).equal(tsize);
      });
    }

    it('sends netascii', async () => {
      const record = await clientFor(running.place).put('a\nb\rc', 't', { mode: 'netascii' });
      should(storage.files.get('t')!.toString()).equal('a\nb\rc');
      should(record.bytes).equal(7);
    });

    it('rejects when there is no such file, and sends nothing', async () => {
      const peer = await ScriptedPeer.bind();
      const failure = await failureOf(clientFor(peer).put({ file: temp.file('no') }, 'f'));
      should(failure.code).equal('ENOFILE');
      should(failure.message).match(/does not exist/);
      should(failure.record).have.properties({ event: 'error', operation: 'write' });
      await peer.expectSilence();
    });

    it('closes the source when the host does not exist', async () => {
      let closed = 0;
      const source = {
        size: 1,
        read: async () => undefined,
        close: async () => void (closed += 1),
      };
      const client = clientFor({ address: 'no such host', port: 69 });
      should((await failureOf(client.put(source, 'f'))).code).equal('ENOTFOUND');
      should(closed).equal(1);
    });

    it('tells the server and the caller when the content fails', async () => {
      const content = async function* () {
        yield 'x';
        throw new Error('the camera is off');
      };
      const failure = await failureOf(clientFor(running.place).put(content(), 'f'));
      should(failure.code).equal('EIO');
      should((await running.record('error')).error!.tftpCode).equal(0);
      should(storage.files.has('f')).equal(false);
    });
  });

  describe('stat', () => {
    it('asks for the size, and fetches nothing', async () => {
      const records: TransferRecord[] = [];
      const onEvent = (record: TransferRecord) => records.push(record);
      const { size, record } = await clientFor(running.place).stat('firmware', { onEvent });
      should(size).equal(100_000);
      should(record).have.properties({ event: 'complete', size: 100_000, bytes: 0 });
      should(record).not.have.properties('error', 'trace');
      should(records.map(({ event }) => event)).eql(['start', 'complete']);
      should((await running.record('probe')).bytes).equal(0);
      should(running.records.map(({ event }) => event)).eql(['start', 'probe']);
    });

    it('knows the size of an empty file', async () => {
      should((await clientFor(running.place).stat('empty')).size).equal(0);
    });

    it('rejects if there is no such file', async () => {
      should((await failureOf(clientFor(running.place).stat('missing'))).code).equal('ENOENT');
    });

    it('counts one block of a server without options', async () => {
      const peer = await ScriptedPeer.bind();
      const asked = clientFor(peer).stat('f');
      await peer.next();
      should(await peer.ask(data(1, 'x'.repeat(511)))).equal('ACK 1');
      should((await asked).size).equal(511);
    });

    it('gives up on a larger file of a server without options', async () => {
      const peer = await ScriptedPeer.bind();
      const asked = clientFor(peer).stat('f');
      await peer.next();
      let block = 0;
      let heard: string;
      do heard = await peer.ask(data((block += 1), 'x'.repeat(512)));
      while (heard.startsWith('ACK') && block < 300);
      should(heard).equal('ERROR 8 Only the size was asked');
      const { size, record } = await asked;
      should(size).equal(null);
      should(record).have.properties({ event: 'complete', size: null });
      should(block).be.below(270);
    });
  });

  describe('events', () => {
    it('are one start, one progress of 100 %, one complete', async () => {
      for (const call of ['get', 'put'] as const) {
        const records: TransferRecord[] = [];
        const client = clientFor(running.place, { onEvent: (record) => records.push(record) });
        await (call === 'get' ? client.get('firmware') : client.put(FIRMWARE, 'up'));
        should(records.map(({ event, percent }) => [event, percent])).eql([
          ['start', call === 'get' ? null : 0],
          ['progress', 100],
          ['complete', 100],
        ]);
        should(new Set(records.map(({ id }) => id)).size).equal(1);
        should(records[0]).not.have.property('finished');
        should(records[2]).have.property('finished');
      }
    });

    it('have no progress if that is not wanted', async () => {
      const events: string[] = [];
      const onEvent = ({ event }: TransferRecord) => events.push(event);
      await clientFor(running.place).get('firmware', { onEvent, progressInterval: 0 });
      should(events).eql(['start', 'complete']);
    });

    describe('of a transfer that takes its time', () => {
      const time = useSteppedTime();

      it('come as often as asked', async () => {
        const told: number[] = [];
        const peer = await ScriptedPeer.bind();
        const got = clientFor(peer).get('f', {
          progressInterval: 3,
          onEvent: ({ event, bytes }) => event === 'progress' && told.push(bytes / 512),
        });
        await peer.next();
        for (let block = 1; block <= 10; block += 1) {
          time.now += 1;
          await peer.ask(data(block, 'x'.repeat(512)));
        }
        await peer.ask(data(11));
        await got;
        should(told).eql([3, 6, 9, 10]);
      });
    });
  });

  describe('close', () => {
    it('ends what runs', async () => {
      const peer = await ScriptedPeer.bind();
      const client = clientFor(peer);
      const got = failureOf(client.get('f'));
      await peer.next();
      client.close();
      should((await got).code).equal('ECANCELED');
    });

    it('ends what has not begun yet', async () => {
      const peer = await ScriptedPeer.bind();
      const client = clientFor(peer);
      const calls = [client.get('f'), client.put('x', 'f'), client.stat('f')].map(failureOf);
      client.close();
      for (const call of calls) should((await call).code).equal('ECANCELED');
      await peer.expectSilence();
    });

    it('stops repeating a last ACK', async () => {
      const peer = await ScriptedPeer.bind();
      const client = clientFor(peer);
      const got = client.get('f');
      await peer.next();
      should(await peer.ask(data(1))).equal('ACK 1');
      const { localPort } = (await got).record;
      client.close();
      const next = await ScriptedPeer.bind({ address: '0.0.0.0', port: localPort });
      should(next.port).equal(localPort);
    });

    it('leaves the client usable', async () => {
      const client = clientFor(running.place);
      client.close();
      should((await client.get('empty')).data.length).equal(0);
    });
  });

  it('answers a repeated OACK, and an ACK 0 of long ago does not harm a put', async () => {
    const peer = await ScriptedPeer.bind();
    const client = clientFor(peer, { windowsize: null });
    const got = client.get('f');
    await peer.next();
    should(await peer.ask(oack('blksize', '8'))).equal('ACK 0');
    should(await peer.ask(oack('blksize', '8'))).equal('ACK 0');
    should(await peer.ask(data(1, '1'))).equal('ACK 1');
    should((await got).data.toString()).equal('1');

    const put = client.put('123456789', 'f');
    await peer.next();
    should(await peer.ask(oack('blksize', '8'))).equal('DATA 1 8 B');
    peer.send(oack('blksize', '8'));
    peer.send(ack(0));
    should(await peer.ask(ack(1))).equal('DATA 2 1 B');
    peer.send(ack(2));
    should((await put).bytes).equal(9);
  });
});
