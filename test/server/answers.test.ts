import { chmodSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import should = require('should');
import type { ServerOptions } from '../../src/server/server-options';
import { FolderStorage } from '../../src/storage/folder-storage';
import { MemoryStorage } from '../../src/storage/memory-storage';
import type { Storage } from '../../src/storage/storage';
import { TftpError } from '../../src/protocol/errors';
import { runScript } from '../helpers/child';
import { clientFor, closeEnginesAfterEach, gate, startServer } from '../helpers/engine';
import { seededBytes } from '../helpers/random';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ON_LINUX, skipUnless } from '../helpers/skip';
import { useTempFolder } from '../helpers/temp-folder';
import { ack, data, error, requestInMode, rrq, wrq } from '../helpers/wire';

describe('TftpServer, what it answers', () => {
  closePeersAfterEach();
  closeEnginesAfterEach();
  let storage: MemoryStorage;
  let peer: ScriptedPeer;
  beforeEach(async () => {
    storage = new MemoryStorage([
      ['seven', Buffer.from('1234567')],
      ['empty', Buffer.alloc(0)],
      ['text', Buffer.from('a\nb\rc')],
      ['large', seededBytes(200_000, 3)],
    ]);
    peer = await ScriptedPeer.bind();
  });

  async function placeOf(options: Partial<ServerOptions> = {}) {
    return (await startServer({ storage, timeout: 10_000, ...options })).place;
  }

  describe('options of a read', () => {
    for (const [asked, answer] of [
      ['', 'DATA 1 7 B'],
      ['blksize 8', 'OACK blksize 8'],
      ['blksize 1024 tsize 0', 'OACK blksize 1024 tsize 7'],
      ['tsize 0 blksize 65464', 'OACK tsize 7 blksize 1468'],
      ['TSIZE 0 BlkSize 512', 'OACK tsize 7 blksize 512'],
      ['windowsize 8', 'OACK windowsize 8'],
      ['windowsize 65535', 'OACK windowsize 64'],
      ['timeout 5 utimeout 10000', 'OACK timeout 5'],
      ['rollover 1', 'OACK rollover 1'],
      ['blksize2 1500', 'OACK blksize2 1024'],
      ['blksize 512 blksize 1024', 'OACK blksize 512'],
      ['multicast x tsize 0', 'OACK tsize 7'],
      ['multicast x', 'DATA 1 7 B'],
      ['blksize abc', 'DATA 1 7 B'],
      ['blksize 7', 'DATA 1 7 B'],
      ['blksize 65465', 'DATA 1 7 B'],
      ['blksize 99999999999999999999999', 'DATA 1 7 B'],
      ['timeout 0', 'DATA 1 7 B'],
      ['windowsize 0', 'DATA 1 7 B'],
      ['blksize', 'DATA 1 7 B'],
    ] as const) {
      it(`answers '${asked}' with ${answer}`, async () => {
        const options = asked.split(' ').filter((text) => text !== '');
        const place = await placeOf();
        should(await peer.ask(rrq('seven', ...options), place)).equal(answer);
        should(peer.other.port).not.equal(place.port);
        peer.send(error(0, 'enough'));
      });
    }

    it('writes an OACK exactly like this', async () => {
      peer.send(rrq('seven', 'tsize', '0', 'BLKSIZE', '1400'), await placeOf());
      const { bytes } = await peer.next();
      should(bytes.toString('latin1')).equal('\0\x06tsize\x007\0blksize\x001400\0');
      peer.send(error(0));
    });

    it('tolerates trailing NULs and blank options', async () => {
      const request = Buffer.concat([rrq('seven', 'tsize', '0', '', ''), Buffer.alloc(4)]);
      should(await peer.ask(request, await placeOf())).equal('OACK tsize 7');
      peer.send(error(0));
    });

    it('grants what the settings allow', async () => {
      const place = await placeOf({ blksizeMax: 65464, windowsizeMax: 2 });
      const request = rrq('seven', 'blksize', '65464', 'windowsize', '16');
      should(await peer.ask(request, place)).equal('OACK blksize 65464 windowsize 2');
      peer.send(error(0));
    });

    it('leaves out the size of an empty file', async () => {
      const place = await placeOf();
      should(await peer.ask(rrq('empty', 'tsize', '0'), place)).equal('DATA 1 0 B');
      peer.send(ack(1));
      const other = await ScriptedPeer.bind();
      const request = rrq('empty', 'tsize', '0', 'blksize', '8');
      should(await other.ask(request, place)).equal('OACK blksize 8');
      should(await other.ask(ack(0))).equal('DATA 1 0 B');
      other.send(ack(1));
    });

    it('leaves out the size in netascii, and translates', async () => {
      const place = await placeOf();
      const request = Buffer.concat([
        requestInMode(1, 'NetAscii', 'text'),
        Buffer.from('tsize\x000\0'),
      ]);
      peer.send(request, place);
      should((await peer.next()).bytes.toString('latin1')).equal('\0\x03\0\x01a\r\nb\r\0c');
      peer.send(ack(1));
    });

    for (const mode of ['mail', 'binary', '']) {
      it(`refuses mode '${mode}' with ERROR 4`, async () => {
        const answer = await peer.ask(requestInMode(1, mode, 'seven'), await placeOf());
        should(answer).match(/^ERROR 4 The mode must be octet or netascii/);
      });
    }

    it('in an unknown mode is reported like every other failure', async () => {
      const { place, record, server } = await startServer({ storage });
      await peer.ask(requestInMode(1, 'mail', 'seven'), place);
      const failed = await record('error');
      should(failed).have.properties({ filename: 'seven', operation: 'read', mode: 'octet' });
      should(failed.error!.code).equal('EBADOP');
      should(server.counters).have.properties({ requests: 1, refused: 1, failed: 1 });
    });
  });

  describe('a write', () => {
    it('is refused by default, and creates nothing', async () => {
      const place = await placeOf({ write: false });
      should(await peer.ask(wrq('new'), place)).equal('ERROR 2 This server does not allow writing');
      should(storage.files.has('new')).equal(false);
    });

    it('gets ACK 0 without options, and an OACK with them', async () => {
      const place = await placeOf();
      should(await peer.ask(wrq('new'), place)).equal('ACK 0');
      should(await peer.ask(data(1, 'hello'))).equal('ACK 1');
      should(storage.files.get('new')!.toString()).equal('hello');
      const other = await ScriptedPeer.bind();
      const request = wrq('two', 'tsize', '3', 'blksize', '8', 'windowsize', '2');
      should(await other.ask(request, place)).equal('OACK tsize 3 blksize 8 windowsize 2');
      should(await other.ask(data(1, 'abc'))).equal('ACK 1');
      should(storage.files.get('two')!.toString()).equal('abc');
    });

    it('in netascii is stored as text', async () => {
      should(await peer.ask(requestInMode(2, 'netascii', 'new'), await placeOf())).equal('ACK 0');
      should(await peer.ask(data(1, 'a\r\nb\r\0c\r'))).equal('ACK 1');
      should(storage.files.get('new')!.toString()).equal('a\nb\rc\r');
    });

    it('that announces too much gets ERROR 3 at once', async () => {
      const place = await placeOf({ maxUploadSize: 9 });
      should(await peer.ask(wrq('new', 'tsize', '10'), place)).match(/^ERROR 3 .*limit of 9 bytes/);
      should(await peer.ask(wrq('new', 'tsize', '9'), place)).equal('OACK tsize 9');
      peer.send(error(0));
    });

    it('that turns out too large gets ERROR 3, and leaves no file', async () => {
      const place = await placeOf({ maxUploadSize: 9 });
      should(await peer.ask(wrq('new'), place)).equal('ACK 0');
      should(await peer.ask(data(1, '1234567890'))).match(/^ERROR 3 .*limit of 9 bytes/);
      should(storage.files.has('new')).equal(false);
      should(await peer.ask(wrq('new'), place)).equal('ACK 0');
      should(await peer.ask(data(1, '123456789'))).equal('ACK 1');
    });

    it('is told when the storage cannot keep it', async () => {
      const sink = {
        write: async () => undefined,
        commit: () => Promise.reject(new TftpError('ENOSPC', 'no room')),
        discard: async () => undefined,
      };
      const full: Storage = {
        openForReading: () => Promise.reject(new Error('no')),
        openForWriting: async () => sink,
      };
      should(await peer.ask(wrq('new'), await placeOf({ storage: full }))).equal('ACK 0');
      should(await peer.ask(data(1, 'x'))).equal('ERROR 3 no room');
    });
  });

  describe('from a folder', () => {
    const temp = useTempFolder();

    it('serves and takes files', async () => {
      writeFileSync(temp.file('a'), 'content');
      const place = await placeOf({ storage: new FolderStorage({ root: temp.path }) });
      const client = clientFor(place);
      should((await client.get('a')).data.toString()).equal('content');
      await client.put('new content', 'b');
      should(readFileSync(temp.file('b'), 'utf8')).equal('new content');
    });

    it('does not overwrite by default: ERROR 6', async () => {
      writeFileSync(temp.file('a'), 'old');
      const place = await placeOf({ storage: new FolderStorage({ root: temp.path }) });
      should(await peer.ask(wrq('a'), place)).equal('ERROR 6 File already exists');
      should(readFileSync(temp.file('a'), 'utf8')).equal('old');
    });

    it('leaves nothing of an upload that breaks off', async () => {
      const { place, record } = await startServer({
        storage: new FolderStorage({ root: temp.path }),
        timeout: 1000,
      });
      await peer.ask(wrq('a'), place);
      should(await peer.ask(data(1, 'x'.repeat(512)))).equal('ACK 1');
      should(readdirSync(temp.path).length).equal(1);
      peer.send(error(0, 'power cut'));
      should((await record('error')).error!.message).equal('power cut');
      should(readdirSync(temp.path)).eql([]);
      should(await peer.ask(wrq('a'), place)).equal('ACK 0');
      peer.send(error(0));
      // Windows does not delete the folder of a test while a file in it is open.
      await record('error');
    });

    it('survives what ended other servers', async () => {
      mkdirSync(temp.file('folder'));
      writeFileSync(temp.file('good'), 'good');
      const place = await placeOf({ storage: new FolderStorage({ root: temp.path }) });
      should(await peer.ask(rrq('folder'), place)).equal('ERROR 2 Not a regular file');
      should(await peer.ask(wrq('folder'), place)).equal('ERROR 2 Not a regular file');
      should(await peer.ask(rrq('missing'), place)).equal('ERROR 1 File not found');
      should(await peer.ask(rrq('../etc/passwd'), place)).match(/^ERROR 2 /);
      const latin1 = Buffer.concat([Buffer.from('\0\x01Ger\xe4t\0octet\0', 'latin1')]);
      // Names are bytes on Linux, and text elsewhere.
      should(await peer.ask(latin1, place)).equal(
        ON_LINUX ? 'ERROR 1 File not found' : 'ERROR 2 The file name is not UTF-8',
      );
      should(await peer.ask(rrq('Gerät'), place)).equal('ERROR 1 File not found');
      should(await peer.ask(rrq('bad\nname'), place)).match(/^ERROR 2 /);
      should(await peer.ask(rrq('x'.repeat(256)), place)).match(/^ERROR 4 /);
      should(await peer.ask(rrq(''), place)).match(/^ERROR 4 /);
      should(await peer.ask(Buffer.from([0, 1]), place)).match(/^ERROR 4 /);
      should(await peer.ask(rrq('x', 'y'.repeat(1500)), place)).match(/^ERROR 4 /);
      peer.send(Buffer.from('000400', 'hex'), place);
      should(await peer.ask(rrq('good', 'blksize', 'abc'), place)).equal('DATA 1 4 B');
      peer.send(ack(1));
    });

    it('refuses an unreadable file', async function () {
      skipUnless(this, process.getuid?.() === 0, 'only root can become a user without rights');
      writeFileSync(temp.file('secret'), 'secret');
      chmodSync(temp.file('secret'), 0o600);
      chmodSync(temp.path, 0o755);
      const { stdout, stderr } = await runScript(`
        const { TftpServer } = engine('server/server');
        const { TftpClient } = engine('client/client');
        const { FolderStorage } = engine('storage/folder-storage');
        process.setgroups([]);
        process.setgid(65534);
        process.setuid(65534);
        const storage = new FolderStorage({ root: ${JSON.stringify(temp.path)} });
        const server = new TftpServer({ storage, address: '127.0.0.1', port: 0 });
        (async () => {
          const [{ port }] = await server.listen();
          const client = new TftpClient({ host: '127.0.0.1', port });
          await client.get('secret').catch((error) => console.log(error.tftpCode, error.message));
          await server.close();
        })();
      `);
      should({ stdout, stderr }).eql({ stdout: '2 Access violation\n', stderr: '' });
    });
  });

  describe('a storage that misbehaves', () => {
    function odd(open: (name: string) => Promise<never>): Storage {
      return {
        openForReading: (request) =>
          request.filename === 'good'
            ? storage.openForReading({ ...request, filename: 'seven' })
            : open(request.filename),
        openForWriting: (request) => open(request.filename),
      };
    }

    it('may throw anything: the client sees no more than that', async () => {
      const broken = odd(async () => {
        throw new Error('/secret/path');
      });
      const place = await placeOf({ storage: broken });
      for (const request of [rrq('f'), wrq('f')]) {
        should(await peer.ask(request, place)).equal('ERROR 0 An internal error occurred');
      }
    });

    it('may throw before it returns', async () => {
      const broken = odd(() => {
        throw new TftpError('ENOUSER', 'who?');
      });
      should(await peer.ask(rrq('f'), await placeOf({ storage: broken }))).equal('ERROR 7 who?');
    });

    it('may never answer: others are served, and close still ends', async () => {
      const asked = gate();
      const broken = odd(() => {
        asked.open();
        return new Promise(() => undefined);
      });
      const { server, place } = await startServer({ storage: broken });
      peer.send(rrq('f'), place);
      await asked.opened;
      should((await clientFor(place).get('good')).data.length).equal(7);
      const begin = performance.now();
      await server.close();
      should(performance.now() - begin).be.below(2000);
      const next = await ScriptedPeer.bind({ port: place.port });
      should(next.port).equal(place.port);
    });

    it('may answer after the server was closed: the file is closed', async () => {
      const [asked, late, closed] = [gate(), gate(), gate()];
      const broken: Storage = {
        async openForReading() {
          asked.open();
          await late.opened;
          return { size: 1, read: async () => undefined, close: async () => closed.open() };
        },
        openForWriting: () => Promise.reject(new Error('no')),
      };
      const { server, place } = await startServer({ storage: broken });
      peer.send(rrq('f'), place);
      await asked.opened;
      const stopped = server.close();
      late.open();
      await closed.opened;
      await stopped;
      should(await peer.hear()).equal('ERROR 0 The server was stopped');
      await peer.expectSilence();
    });
  });

  describe('files of more than 65,536 blocks', () => {
    const content = seededBytes(8 * 65_700 + 3, 5);
    const options = { blksize: 8, windowsize: 64 };

    for (const rollover of [null, 1] as const) {
      it(`reads and writes them (rollover ${rollover ?? 'not asked'})`, async () => {
        storage.files.set('many', content);
        const client = clientFor(await placeOf(), { ...options, rollover, progressInterval: 0 });
        should((await client.get('many')).data.equals(content)).equal(true);
        await client.put(content, 'back');
        should(storage.files.get('back')!.equals(content)).equal(true);
      });
    }
  });
});
