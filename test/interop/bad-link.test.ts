import 'should';
import path from 'node:path';
import { TftpClient } from '../../src/client/client';
import { LossyProxy } from '../helpers/lossy-proxy';
import { RedTftpServer } from '../helpers/red-tftp-server';
import { TestFolders, content, mustHold } from './test-files';

/** Of the datagrams each way, one in twenty gets lost, repeated, or overtaken. */
const QUALITY = { loss: 0.05, duplication: 0.05, reordering: 0.05 };
const WINDOWS = [1, 2, 4, 16, 64];
/** 587 blocks, so that dozens of them get lost. */
const LENGTH = 300_301;

describe('a link that loses, repeats and reorders', () => {
  const bytes = content(LENGTH);
  let folders: TestFolders;
  let server: RedTftpServer | undefined;

  before(async () => {
    folders = new TestFolders();
    folders.serve('file', bytes);
    server = await RedTftpServer.start(folders.server, { flags: ['--timeout', '0.05'] });
  });

  after(async () => {
    await server?.stop();
    folders.remove();
  });

  for (const windowsize of WINDOWS) {
    it(`brings a file both ways, byte for byte, in windows of ${windowsize}`, async () => {
      const proxy = await LossyProxy.start(server!.port, QUALITY, windowsize);
      const client = new TftpClient({
        host: '127.0.0.1',
        port: proxy.port,
        blksize: 512,
        windowsize,
        timeout: 50,
        deadline: 30_000,
      });
      try {
        const { data, record } = await client.get('file');
        data.equals(bytes).should.be.true();
        record.options.should.have.properties({ blksize: 512, windowsize });
        await client.put(bytes, `put-${windowsize}`);
        mustHold(path.join(folders.server, `put-${windowsize}`), bytes);
        proxy.lost.should.be.above(10);
      } finally {
        client.close();
        proxy.close();
      }
    });
  }
});
