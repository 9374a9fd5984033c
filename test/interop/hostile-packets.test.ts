import 'should';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import { TftpClient } from '../../src/client/client';
import { RedTftpServer } from '../helpers/red-tftp-server';
import { TestFolders, content } from './test-files';

/** RRQ and WRQ in the layout of RFC 1350 section 5, and what follows the mode. */
function request(opcode: 1 | 2, name: string | Buffer, ...options: string[]): Buffer {
  const rest = ['', 'octet', ...options, ''].join('\0');
  return Buffer.concat([Buffer.from([0, opcode]), Buffer.from(name), Buffer.from(rest)]);
}

/** Each of these ends a server that lets an exception out of its packet handler. */
const DATAGRAMS: readonly (readonly [title: string, datagram: Buffer])[] = [
  ['a read of a folder', request(1, 'folder')],
  ['a write onto a folder', request(2, 'folder')],
  ['a read of a file without permission', request(1, 'unreadable')],
  ['a name that is no UTF-8', request(1, Buffer.from([0xff, 0xfe, 0x80, 0xe9]))],
  ['a block size that is no number', request(1, 'file', 'blksize', 'abc')],
  ['three bytes of an ACK', Buffer.from([0, 4, 0])],
  ['one byte', Buffer.from([0])],
  ['nothing', Buffer.alloc(0)],
  ['an opcode that does not exist', Buffer.from([0xff, 0xff, 0, 1])],
];

/**
 * Root may read everything. Where the tests run as root the server gets no capabilities, so that
 * file permissions hold for it as well.
 */
const WITHOUT_CAPABILITIES = ['setpriv', '--inh-caps=-all', '--bounding-set=-all'];

describe('packets that end other servers', () => {
  const bytes = content(3000);
  let folders: TestFolders;
  let server: RedTftpServer | undefined;
  let socket: Socket;

  before(async () => {
    folders = new TestFolders();
    folders.serve('file', bytes);
    mkdirSync(path.join(folders.server, 'folder'));
    chmodSync(folders.serve('unreadable', bytes), 0);
    const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
    server = await RedTftpServer.start(folders.server, {
      flags: ['--timeout', '0.05', '--retries', '30'],
      through: isRoot ? WITHOUT_CAPABILITIES : [],
    });
  });

  beforeEach(async () => {
    socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
  });

  afterEach(() => {
    socket.close();
  });

  after(async () => {
    await server?.stop();
    folders.remove();
  });

  async function fetchFile(): Promise<Buffer> {
    const client = new TftpClient({ host: '127.0.0.1', port: server!.port });
    try {
      return (await client.get('file')).data;
    } finally {
      client.close();
    }
  }

  for (const [title, datagram] of DATAGRAMS) {
    it(`${title} leaves the server serving`, async () => {
      socket.send(datagram, server!.port, '127.0.0.1');
      (await fetchFile()).equals(bytes).should.be.true();
    });
  }

  it('refuses the file without permission, so that the case above is one', async () => {
    const client = new TftpClient({ host: '127.0.0.1', port: server!.port });
    await client.get('unreadable').should.be.rejectedWith({ code: 'EACCES' });
    client.close();
  });

  it('a client that falls silent, with 30 retries allowed, leaves the server serving', async () => {
    let packets = 0;
    socket.on('message', () => {
      packets += 1;
    });
    socket.send(request(1, 'file', 'tsize', '0'), server!.port, '127.0.0.1');
    const { port } = socket.address();
    await server!.program.printed(new RegExp(`"event":"error".*"port":${port}\\b.*ETIMEDOUT`));
    // A request may be forged: its first answer goes out three times, and then no more.
    packets.should.equal(3);
    (await fetchFile()).equals(bytes).should.be.true();
  });

  it('the folder and its files are as they were', () => {
    existsSync(path.join(folders.server, 'folder')).should.be.true();
    existsSync(path.join(folders.server, 'file')).should.be.true();
  });
});
