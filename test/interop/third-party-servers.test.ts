import should = require('should');
import { existsSync } from 'node:fs';
import path from 'node:path';
import { TftpClient } from '../../src/client/client';
import { isTftpError } from '../../src/protocol/errors';
import { redTftp, succeeded } from '../helpers/program';
import {
  ROLLOVER_LENGTH,
  SHORT_LENGTHS,
  TEXT,
  content,
  mustHold,
  willHold,
  windowEdge,
} from './test-files';
import { ThirdPartyServer } from './third-party-server';
import type { ThirdPartyServerName } from './third-party-server';

/** A way to use `red-tftp`. Without flags it asks for blksize 1428 and windowsize 16. */
interface Way {
  readonly title: string;
  readonly flags: readonly string[];
  readonly lengths: readonly number[];
}

const WAYS: readonly Way[] = [
  { title: 'red-tftp', flags: [], lengths: [...SHORT_LENGTHS, ...windowEdge(1428, 16)] },
  {
    title: 'red-tftp without options',
    flags: ['--no-options'],
    lengths: [...SHORT_LENGTHS, ROLLOVER_LENGTH],
  },
  {
    title: 'red-tftp with blocks of 512 in windows',
    flags: ['--blksize', '512', '--windowsize', '4'],
    lengths: [...SHORT_LENGTHS, ...windowEdge(512, 4), ROLLOVER_LENGTH],
  },
];

for (const name of ['in.tftpd', 'atftpd'] satisfies ThirdPartyServerName[]) {
  describe(`our client and ${name}`, () => {
    let server: ThirdPartyServer;

    before(async function () {
      server = await ThirdPartyServer.start(this, name);
    });

    after(async () => {
      await server?.stop();
    });

    for (const way of WAYS) {
      for (const length of way.lengths) {
        it(`${way.title} gets ${length} bytes`, async () => {
          const remote = `get-${length}`;
          const file = path.join(server.folders.client, remote);
          const bytes = content(length);
          server.folders.serve(remote, bytes);
          succeeded(await redTftp(['get', server.url(remote), '-o', file, ...way.flags]));
          mustHold(file, bytes);
        });

        it(`${way.title} puts ${length} bytes`, async () => {
          const remote = `put-${length}`;
          const bytes = content(length);
          const file = server.folders.keep(remote, bytes);
          succeeded(await redTftp(['put', file, server.url(remote), ...way.flags]));
          await willHold(path.join(server.folders.server, remote), bytes);
        });
      }
    }

    it('red-tftp stat prints the size', async () => {
      server.folders.serve('sized', content(70_001));
      const { stdout } = succeeded(await redTftp(['stat', server.url('sized')]));
      stdout.toString().trim().should.equal('70001');
    });

    it('red-tftp ends with 1 when there is no such file', async () => {
      const file = path.join(server.folders.client, 'missing');
      const { code, stderr } = await redTftp(['get', server.url('missing'), '-o', file]);
      code.should.equal(1);
      stderr.should.match(/not found/i);
      existsSync(file).should.be.false();
      (await redTftp(['stat', server.url('missing')])).code.should.equal(1);
    });

    it('red-tftp gets and puts a text in netascii', async () => {
      server.folders.serve('text', TEXT);
      const file = path.join(server.folders.client, 'text');
      const mode = ['--mode', 'netascii'];
      succeeded(await redTftp(['get', server.url('text'), '-o', file, ...mode]));
      mustHold(file, TEXT);
      succeeded(await redTftp(['put', file, server.url('new-text'), ...mode]));
      await willHold(path.join(server.folders.server, 'new-text'), TEXT);
    });

    it('the library gets, puts and asks for the size', async () => {
      const bytes = content(50_000);
      const client = new TftpClient({ host: '127.0.0.1', port: server.port });
      try {
        const record = await client.put(bytes, 'by-library');
        record.bytes.should.equal(50_000);
        await willHold(path.join(server.folders.server, 'by-library'), bytes);
        const { data } = await client.get('by-library');
        data.equals(bytes).should.be.true();
        (await client.stat('by-library')).size!.should.equal(50_000);
      } finally {
        client.close();
      }
    });

    it('the library rejects with the code and the text of the server', async () => {
      const client = new TftpClient({ host: '127.0.0.1', port: server.port });
      const error: unknown = await client.get('missing').catch((reason: unknown) => reason);
      client.close();
      should(isTftpError(error)).be.true();
      should(error).have.properties({ code: 'ENOENT', tftpCode: 1 });
    });
  });
}
