import should = require('should');
import type { TftpClient } from '../../src/client/client';
import type { TransferRecord } from '../../src/net/transfer-record';
import { TftpError } from '../../src/protocol/errors';
import { MemoryStorage } from '../../src/storage/memory-storage';
import {
  clientFor,
  closeEnginesAfterEach,
  countingSink,
  countingSource,
  failureOf,
  gate,
  startServer,
} from '../helpers/engine';
import { useSteppedTime } from '../helpers/fake-clock';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ON_LINUX, skipUnless, skipWithoutClosedPorts } from '../helpers/skip';
import { seededBytes } from '../helpers/random';
import { ack, data, error, oack } from '../helpers/wire';

const QUICK = { timeout: 20, retries: 1, progressInterval: 0 };
const BLOCK = 'b'.repeat(512);

/** The options that the client asks for if a test says nothing else. */
const ASKED = 'octet blksize 1428 tsize 0 windowsize 16';

describe('TransferDriver, with a peer that misbehaves', function () {
  closePeersAfterEach();
  closeEnginesAfterEach();
  let server: ScriptedPeer;
  beforeEach(async () => {
    server = await ScriptedPeer.bind();
  });

  describe('receiving', () => {
    it('answers no junk and no truncated packet, and goes on', async () => {
      const got = clientFor(server).get('f');
      should(await server.hear()).equal(`RRQ f ${ASKED}`);
      const junk = ['', '00', '0003', '000300', '0004', '0005', 'ffff0001', '0009000100'];
      for (const hex of junk) server.send(Buffer.from(hex, 'hex'));
      should(await server.ask(data(1, BLOCK))).equal('ACK 1');
      for (const hex of junk) server.send(Buffer.from(hex, 'hex'));
      server.send(ack(1));
      should(await server.ask(data(2, 'end'))).equal('ACK 2');
      should((await got).data.toString()).equal(`${BLOCK}end`);
    });

    for (const address of ['127.0.0.1', '127.0.0.2']) {
      it(`tells a stranger at ${address} ERROR 5 once, and is not disturbed`, async function () {
        skipUnless(
          this,
          ON_LINUX || address === '127.0.0.1',
          'only Linux has 127.0.0.2 without setting it up',
        );
        const stranger = await ScriptedPeer.bind({ address });
        const got = clientFor(server).get('f');
        await server.next();
        should(await server.ask(data(1, BLOCK))).equal('ACK 1');
        const client = server.other;
        should(await stranger.ask(data(2, 'no'), client)).equal('ERROR 5 Unknown transfer ID');
        stranger.send(data(2, 'no'), client);
        stranger.send(oack('blksize', '8'), client);
        should(await server.ask(data(2, 'end'))).equal('ACK 2');
        await stranger.expectSilence();
        const { data: received, record } = await got;
        should(received.toString()).equal(`${BLOCK}end`);
        should(record.bytes).equal(515);
      });
    }

    it("never answers a stranger's ERROR, nor ends for it", async () => {
      const stranger = await ScriptedPeer.bind();
      const got = clientFor(server).get('f');
      await server.next();
      await server.ask(data(1, BLOCK));
      stranger.send(error(0, 'spoofed'), server.other);
      should(await server.ask(data(2, ''))).equal('ACK 2');
      await stranger.expectSilence();
      should((await got).data.length).equal(512);
    });

    for (const [what, packet, said] of [
      ['DATA', data(1, 'evil'), /^\+.* -- DATA came from 127\.0\.0\.2:/m],
      ['an OACK', oack('blksize', '8'), /^\+.* -- OACK came from 127\.0\.0\.2:/m],
      ['an ERROR', error(1, 'gone'), /^\+.* -- ERROR 1 "gone" came from 127\.0\.0\.2:/m],
    ] as const) {
      it(`takes no ${what} of an address that was not asked, and names it`, async function () {
        skipUnless(this, ON_LINUX, 'only Linux has 127.0.0.2 without setting it up');
        const other = await ScriptedPeer.bind({ address: '127.0.0.2' });
        const got = clientFor(server).get('f');
        other.send(packet, (await server.next()).from);
        should(await server.ask(data(1, 'good'))).equal('ACK 1');
        should((await got).data.toString()).equal('good');

        const failed = failureOf(clientFor(server).get('f', QUICK));
        const { from } = await server.next();
        other.send(packet, from);
        other.send(packet, from);
        const failure = await failed;
        should(failure).have.properties({ code: 'ETIMEDOUT', name: 'TimeoutError' });
        should(failure.message).match(
          /; 127\.0\.0\.2 answered, which was not asked: .* anyAddress$/,
        );
        const lines = failure.record!.trace!.join('\n');
        should(lines).match(said);
        should(lines.match(/which was not asked/g)).have.length(1);
      });
    }

    it('names that address as well where the one that was asked is closed', async function () {
      skipWithoutClosedPorts(this);
      const other = await ScriptedPeer.bind({ address: '127.0.0.2' });
      const failed = failureOf(clientFor(server).get('f', { timeout: 300 }));
      const { from } = await server.next();
      other.send(data(1, 'evil'), from);
      server.close();
      const failure = await failed;
      should(failure).have.properties({ code: 'ECONNREFUSED', name: 'LocalError' });
      should(failure.message).match(/127\.0\.0\.2 answered/);
    });

    it('takes the answer of another address where that is allowed, and an ERROR', async function () {
      skipUnless(this, ON_LINUX, 'only Linux has 127.0.0.2 without setting it up');
      const other = await ScriptedPeer.bind({ address: '127.0.0.2' });
      const client = clientFor(server, { anyAddress: true });
      const got = client.get('f');
      should(await other.ask(data(1, 'x'), (await server.next()).from)).equal('ACK 1');
      should((await got).data.toString()).equal('x');
      const failed = failureOf(client.get('g'));
      other.send(error(1, 'gone'), (await server.next()).from);
      should((await failed).message).equal('gone');
    });

    it('takes an ERROR before the first answer only from the host that was asked', async function () {
      skipUnless(this, ON_LINUX, 'only Linux has 127.0.0.2 without setting it up');
      const spoofer = await ScriptedPeer.bind({ address: '127.0.0.2' });
      const got = clientFor(server).get('f');
      const { from } = await server.next();
      spoofer.send(error(1, 'spoofed'), from);
      should(await server.ask(data(1, 'x'))).equal('ACK 1');
      should((await got).data.toString()).equal('x');
    });

    it('takes the answer, and an ERROR, from another port of the server', async () => {
      const transfer = await ScriptedPeer.bind();
      const client = clientFor(server);
      const got = client.get('f');
      const { from } = await server.next();
      should(await transfer.ask(data(1, 'x'), from)).equal('ACK 1');
      should((await got).record.port).equal(transfer.port);

      const refused = failureOf(client.get('g'));
      transfer.send(error(1, 'not here'), (await server.next()).from);
      const failure = await refused;
      should(failure.message).equal('not here');
      should(failure.record!.error).eql({ code: 'ENOENT', tftpCode: 1, message: 'not here' });
      await transfer.expectSilence();
    });

    it('ends with ERROR 4 when a block is longer than agreed', async () => {
      const { sink, calls } = countingSink();
      const got = failureOf(clientFor(server).getTo(sink, 'f'));
      await server.next();
      should(await server.ask(data(1, `${BLOCK}!`))).match(/^ERROR 4 A block of 513 bytes/);
      should(await got).have.properties({ code: 'EBADOP', name: 'ProtocolError', block: 1 });
      should(calls).eql({ bytes: 0, commit: 0, discard: 1 });
    });

    for (const [why, options] of [
      ['was not asked', ['multicast', '1']],
      ['is larger than asked', ['blksize', '1429']],
      ['is no number', ['blksize', 'many']],
    ] as const) {
      it(`ends with ERROR 8 when a granted option ${why}`, async () => {
        const got = failureOf(clientFor(server).get('f'));
        await server.next();
        should(await server.ask(oack(...options))).match(/^ERROR 8 The server granted /);
        should(await got).have.properties({ code: 'EOPTNEG', name: 'ProtocolError' });
      });
    }

    it('asks once more without options when they are refused with ERROR 8', async () => {
      const got = clientFor(server).get('f');
      await server.next();
      should(await server.ask(error(8, 'no options'))).equal('RRQ f octet');
      should(await server.ask(data(1, 'x'))).equal('ACK 1');
      should((await got).data.toString()).equal('x');
    });

    it('does not ask a third time', async () => {
      const got = failureOf(clientFor(server).get('f'));
      await server.next();
      should(await server.ask(error(8, 'no options'))).equal('RRQ f octet');
      server.send(error(8, 'no nothing'));
      const message = 'no nothing (asked again without options after ERROR 8 "no options")';
      should(await got).have.properties({ code: 'EOPTNEG', message });
      await server.expectSilence();
    });

    it('ends at an ERROR in mid-transfer, without an answer', async () => {
      const { sink, calls } = countingSink();
      const got = failureOf(clientFor(server).getTo(sink, 'f'));
      await server.next();
      should(await server.ask(data(1, BLOCK))).equal('ACK 1');
      server.send(error(3, 'disk\nfull'));
      const failure = await got;
      should(failure).have.properties({ code: 'ENOSPC', name: 'PeerError', message: 'disk?full' });
      should(failure.record!.trace!.join('\n')).match(/<- ERROR 3 disk\?full$/);
      should(calls).have.properties({ commit: 0, discard: 1 });
      await server.expectSilence();
    });

    it('repeats the last ACK after the end, for a server that did not get it', async () => {
      const got = clientFor(server).get('f');
      await server.next();
      should(await server.ask(data(1, 'x'))).equal('ACK 1');
      await got;
      should(await server.ask(data(1, 'x'))).equal('ACK 1');
      should(await server.ask(data(1, 'x'))).equal('ACK 1');
    });

    it('acknowledges the last block only when the sink has committed', async () => {
      const commit = gate();
      const { sink, calls } = countingSink({ commit: () => commit.opened });
      const got = clientFor(server).getTo(sink, 'f');
      await server.next();
      server.send(data(1, 'x'));
      server.send(data(1, 'x'));
      const stranger = await ScriptedPeer.bind();
      should(await stranger.ask(data(1, 'x'), server.other)).match(/^ERROR 5/);
      await server.expectSilence();
      commit.open();
      should(await server.hear()).equal('ACK 1');
      await got;
      should(calls).eql({ bytes: 1, commit: 1, discard: 0 });
    });

    for (const method of ['write', 'commit'] as const) {
      it(`tells the server when ${method} fails, and discards once`, async () => {
        const full = new TftpError('ENOSPC', '/mnt is full', { peerMessage: 'Disk full' });
        const { sink, calls } = countingSink({ [method]: () => Promise.reject(full) });
        const got = failureOf(clientFor(server).getTo(sink, 'f'));
        await server.next();
        should(await server.ask(data(1, 'x'))).equal('ERROR 3 Disk full');
        should(await got).equal(full);
        should(calls.discard).equal(1);
      });
    }

    it('hides the text of a fault that is no TftpError from the server', async () => {
      const { sink } = countingSink({ write: () => Promise.reject(new Error('/etc/secret')) });
      const got = failureOf(clientFor(server).getTo(sink, 'f'));
      await server.next();
      should(await server.ask(data(1, 'x'))).equal('ERROR 0 Writing failed');
      const failure = await got;
      should(failure.code).equal('EIO');
      should(failure.cause).have.property('message', '/etc/secret');
    });

    it('holds its ACKs while the sink is slow, so that memory stays bounded', async () => {
      const content = seededBytes(3 * 1024 * 1024, 1);
      const storage = new MemoryStorage([['f', content]]);
      const running = await startServer({ storage, blksizeMax: 8192, retries: 6 });
      const slow = gate();
      const { sink, calls } = countingSink({ write: () => slow.opened });
      const options = { blksize: 8192, windowsize: 4 };
      const got = clientFor(running.place).getTo(sink, 'f', options);
      // The server repeats a window only once the ACKs have stopped.
      const stuck = await running.record(({ retry }) => retry !== undefined);
      should(stuck.bytes).be.within(1024 * 1024, 1024 * 1024 + 4 * 8192);
      slow.open();
      await got;
      should(calls).eql({ bytes: content.length, commit: 1, discard: 0 });
    });
  });

  describe('sending', () => {
    it('starts without options when the server ignores them', async () => {
      const put = clientFor(server).put('hello', 'f');
      should(await server.hear()).equal('WRQ f octet blksize 1428 tsize 5 windowsize 16');
      should(await server.ask(ack(0))).equal('DATA 1 5 B');
      server.send(ack(1));
      should(await put).have.properties({ bytes: 5, finalAck: true, percent: 100 });
    });

    it('is not disturbed by strangers, stale and future ACKs', async () => {
      const stranger = await ScriptedPeer.bind();
      const put = clientFor(server).put(`${BLOCK}x`, 'f');
      await server.next();
      should(await server.ask(ack(0))).equal('DATA 1 512 B');
      should(await stranger.ask(ack(1), server.other)).match(/^ERROR 5/);
      server.send(ack(9));
      server.send(ack(0));
      server.send(data(1, 'what'));
      should(await server.ask(ack(1))).equal('DATA 2 1 B');
      server.send(ack(2));
      should((await put).finalAck).equal(true);
    });

    it('tells the server when the source fails, and closes the source once', async () => {
      const fault = new TftpError('EACCES', 'gone: /etc/x', { peerMessage: 'Access violation' });
      let reads = 0;
      const { source, calls } = countingSource(async () => {
        if (++reads === 2) throw fault;
        return Buffer.from(BLOCK);
      });
      const put = failureOf(clientFor(server).put(source, 'f'));
      should(await server.hear()).equal('WRQ f octet blksize 1428 windowsize 16');
      server.send(ack(0));
      const heard = [await server.hear()];
      if (heard[0] === 'DATA 1 512 B') heard.push(await server.hear());
      should(heard.at(-1)).equal('ERROR 2 Access violation');
      should(await put).equal(fault);
      should(calls.close).equal(1);
    });

    it('reports a failure when the last ACK never comes: the file may be there or not', async () => {
      const put = failureOf(clientFor(server).put('x', 'f', QUICK));
      await server.next();
      should(await server.ask(ack(0))).equal('DATA 1 1 B');
      should(await server.hear()).equal('DATA 1 1 B');
      const failure = await put;
      should(failure).have.properties({ code: 'ETIMEDOUT', name: 'TimeoutError' });
      should(failure.message).match(/may or may not be on the server$/);
      should(failure.record).have.properties({ event: 'error', bytes: 0 });
      should(await server.hear()).match(/^ERROR 0 The last block was not acknowledged/);
    });

    for (const [how, given, said] of [
      ['fewer', ['abc'], /^The content has only 3 bytes, but 5 were announced$/],
      ['more', ['abc', 'def'], /^The content has at least 6 bytes, but 5 were announced$/],
      ['no', [], /^The content has only 0 bytes, but 5 were announced$/],
    ] as const) {
      it(`sends no end of a source that has ${how} bytes than it announced`, async () => {
        const chunks = [...given].map((text) => Buffer.from(text));
        const { source, calls } = countingSource(async () => chunks.shift(), 5);
        const put = failureOf(clientFor(server).put(source, 'f', { tsize: false, ...QUICK }));
        await server.next();
        should(await server.ask(ack(0))).match(/^ERROR 0 The content has /);
        const failure = await put;
        should(failure).have.properties({ code: 'EBADSIZE', name: 'LocalError' });
        should(failure.message).match(said);
        should(calls.close).equal(1);
      });
    }
  });

  describe('silence', () => {
    it('gives up after its retries', async () => {
      const got = failureOf(clientFor(server).get('f', { timeout: 20, retries: 2 }));
      const request = 'RRQ f octet blksize 1428 tsize 0 utimeout 20000 windowsize 16';
      should(await server.hear()).equal(request);
      should(await server.hear()).equal(request);
      should(await server.hear()).equal('RRQ f octet');
      const failure = await got;
      should(failure).have.properties({
        code: 'ETIMEDOUT',
        name: 'TimeoutError',
        message: 'The peer did not answer, with options or without',
        filename: 'f',
        peer: `127.0.0.1:${server.port}`,
      });
      should(failure.record).have.properties({ event: 'error', retransmits: 2, bytes: 0 });
      await server.expectSilence();
    });

    describe('with a short timeout', () => {
      const time = useSteppedTime();

      for (const [operation, run] of [
        ['a get', (client: TftpClient) => client.get('f')],
        ['a put', (client: TftpClient) => client.put('x', 'f')],
      ] as const) {
        it(`waits no longer, in ${operation}`, async () => {
          time.skipWaits();
          const { record } = await failureOf(run(clientFor(server, { timeout: 20, retries: 1 })));
          should(record!.elapsed).be.within(40, 80);
        });
      }
    });

    it('gives up on a peer that falls silent, and tells it', async () => {
      const got = failureOf(clientFor(server).get('f', QUICK));
      await server.next();
      should(await server.ask(data(1, BLOCK))).equal('ACK 1');
      should(await server.hear()).equal('ACK 1');
      should(await server.hear()).match(/^ERROR 0 The peer fell silent after 512 bytes/);
      should(await got).have.properties({ code: 'ETIMEDOUT' });
    });

    it('says at each retry how many are left', async () => {
      const records: TransferRecord[] = [];
      const onEvent = (record: TransferRecord) => records.push(record);
      await failureOf(clientFor(server).get('f', { timeout: 20, retries: 2, onEvent }));
      should(records.map(({ event, retry }) => [event, retry?.attempt, retry?.retries])).eql([
        ['start', undefined, undefined],
        ['progress', 1, 2],
        ['progress', 2, 2],
        ['error', undefined, undefined],
      ]);
    });

    it('says so in every report of the progress until the peer answers', async () => {
      const records: TransferRecord[] = [];
      const onEvent = (record: TransferRecord) => records.push(record);
      const options = { timeout: 20, retries: 2, progressInterval: 10, onEvent };
      await failureOf(clientFor(server).get('f', options));
      const attempts = records.map(({ retry }) => retry?.attempt ?? 0);
      should([attempts[0], attempts.at(-1)]).eql([0, 0]);
      // A busy machine may have one to make before anything had to be sent again.
      const silent = attempts.slice(attempts.indexOf(1), -1);
      should([...new Set(silent)]).eql([1, 2]);
    });

    it('ends early with ECONNREFUSED when nothing listens there', async function () {
      skipWithoutClosedPorts(this);
      server.close();
      const failure = await failureOf(clientFor(server).get('f'));
      should(failure.code).equal('ECONNREFUSED');
      should(failure.message).match(new RegExp(`127.0.0.1:${server.port}`));
      should(failure.record!.retransmits).equal(0);
    });

    it('ends early when the peer vanishes in mid-transfer', async function () {
      skipWithoutClosedPorts(this);
      const transfer = await ScriptedPeer.bind();
      const got = failureOf(clientFor(server).get('f', { timeout: 50 }));
      const { from } = await server.next();
      should(await transfer.ask(data(1, BLOCK), from)).equal('ACK 1');
      transfer.close();
      const failure = await got;
      should(failure.code).equal('ECONNREFUSED');
      should(failure.record!.bytes).equal(512);
    });

    it('ends at the deadline although blocks keep coming', async () => {
      const got = failureOf(clientFor(server).get('f', { deadline: 100 }));
      await server.next();
      let block = 0;
      let heard: string;
      do heard = await server.ask(data((block += 1), BLOCK));
      while (heard.startsWith('ACK'));
      should(heard).match(/^ERROR 0 The transfer took longer than 0\.1 s/);
      should(await got).have.properties({ code: 'ETIMEDOUT' });
    });
  });

  describe('cancelling', () => {
    it('sends nothing when the signal is aborted beforehand', async () => {
      const { sink, calls } = countingSink();
      const records: string[] = [];
      const failure = await failureOf(
        clientFor(server).getTo(sink, 'f', {
          signal: AbortSignal.abort(),
          onEvent: ({ event }) => records.push(event),
        }),
      );
      should(failure).have.properties({ code: 'ECANCELED', name: 'CancelError' });
      should(records).eql(['start', 'error']);
      should(calls).eql({ bytes: 0, commit: 0, discard: 1 });
      await server.expectSilence();
    });

    it('tells the server when the signal is aborted in mid-transfer', async () => {
      const stop = new AbortController();
      const { sink, calls } = countingSink();
      const got = failureOf(clientFor(server).getTo(sink, 'f', { signal: stop.signal }));
      await server.next();
      await server.ask(data(1, BLOCK));
      stop.abort();
      should(await server.hear()).equal('ERROR 0 The transfer was cancelled');
      should((await got).code).equal('ECANCELED');
      should(calls).have.properties({ commit: 0, discard: 1 });
    });

    it('forgets the signal after the end', async () => {
      const stop = new AbortController();
      const got = clientFor(server).get('f', { signal: stop.signal });
      await server.next();
      should(await server.ask(data(1, 'x'))).equal('ACK 1');
      await got;
      stop.abort();
      should(await server.ask(data(1, 'x'))).equal('ACK 1');
    });

    it('lets a file arrive that is being committed', async () => {
      const stop = new AbortController();
      const commit = gate();
      const { sink, calls } = countingSink({
        commit() {
          stop.abort();
          return commit.opened;
        },
      });
      const got = clientFor(server).getTo(sink, 'f', { signal: stop.signal });
      await server.next();
      server.send(data(1, 'x'));
      commit.open();
      should(await server.hear()).equal('ACK 1');
      should((await got).event).equal('complete');
      should(calls).eql({ bytes: 1, commit: 1, discard: 0 });
    });
  });

  describe('a listener that throws', () => {
    const onEvent = () => {
      throw new Error('the listener is broken');
    };
    let warnings: string[];
    const listen = (warning: Error) => warnings.push(warning.message);
    beforeEach(() => {
      warnings = [];
      process.on('warning', listen);
    });
    afterEach(() => process.off('warning', listen));

    it('does not harm a transfer', async () => {
      const got = clientFor(server).get('f', { onEvent });
      await server.next();
      should(await server.ask(data(1, 'x'))).equal('ACK 1');
      should((await got).data.toString()).equal('x');
      await new Promise(setImmediate);
      should(warnings).matchEach(/the listener is broken/);
      should(warnings.length).be.above(1);
    });

    it('does not hide why a transfer could not begin', async () => {
      const signal = AbortSignal.abort();
      const failure = await failureOf(clientFor(server).get('f', { onEvent, signal }));
      should(failure.code).equal('ECANCELED');
      const missing = { file: '/nowhere/at/all' };
      const other = await failureOf(clientFor(server).put(missing, 'f', { onEvent }));
      should(other.code).equal('ENOFILE');
    });
  });
});
