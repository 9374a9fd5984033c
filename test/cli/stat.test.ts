import should = require('should');
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { run } from '../../src/cli/main';
import { FakeIo } from './fake-io';
import { content, withServer, withSilence } from './servers';
import type { TransferRecord } from '../../src/net/transfer-record';

describe('red-tftp stat', () => {
  for (const length of [0, 100, 70_000]) {
    it(`prints the size of a file of ${length} bytes`, () =>
      withServer(async ({ url, files }) => {
        files.set('f', content(length));
        const io = new FakeIo();
        should(await run(['stat', `${url}f`], io)).equal(0);
        io.out.should.equal(`${length}\n`);
        io.err.should.equal('');
      }));
  }

  it('prints one record with --json', () =>
    withServer(async ({ url, files }) => {
      files.set('f', content(70_000));
      const io = new FakeIo();
      (await run(['stat', `${url}f`, '--json'], io)).should.equal(0);
      const record: TransferRecord = JSON.parse(io.out);
      record.should.match({ event: 'complete', filename: 'f', size: 70_000 });
    }));

  it('ends with 1 and the words of the server if there is no such file', () =>
    withServer(async ({ url }) => {
      const io = new FakeIo();
      (await run(['stat', `${url}f`], io)).should.equal(1);
      io.out.should.equal('');
      io.err.should.match(/^red-tftp: [^\n]+ says "[^\n]+\n$/);
    }));

  it('prints unknown if the server does not tell the size', () =>
    withOldServer(async (url) => {
      const io = new FakeIo();
      (await run(['stat', `${url}f`], io)).should.equal(0);
      io.out.should.equal('unknown\n');
    }));

  it('ends with 3 if nobody answers', () =>
    withSilence(async (url) => {
      const flags = ['--timeout', '0.05', '--retries', '0'];
      (await run(['stat', `${url}f`, ...flags], new FakeIo())).should.equal(3);
    }));
});

/** Knows RFC 1350 alone, and a file that does not end. */
async function withOldServer(use: (url: string) => Promise<void>): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (datagram, from) => {
    const isAck = datagram[1] === 4;
    if (datagram[1] !== 1 && !isAck) return;
    const data = Buffer.concat([Buffer.from([0, 3, 0, 0]), content(512)]);
    data.writeUInt16BE(isAck ? datagram.readUInt16BE(2) + 1 : 1, 2);
    socket.send(data, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  try {
    await use(`tftp://127.0.0.1:${socket.address().port}/`);
  } finally {
    socket.close();
  }
}
