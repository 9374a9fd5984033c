import 'should';
import { readFileSync, statSync, truncateSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { RED_TFTP, run, succeeded } from '../helpers/program';
import { RedTftpServer } from '../helpers/red-tftp-server';
import { TestFolders } from './test-files';
import { skip } from '../helpers/requirements';

const GIB = 2 ** 30;
const LIMIT = 150_000_000;
const PRELOAD = ['--require', path.join(__dirname, 'report-memory.js')];

describe('a file of one GiB', () => {
  let folders: TestFolders | undefined;

  after(() => folders?.remove());

  it('needs less than 150 MB of memory, in the server and in the client', async function () {
    this.timeout(240_000);
    folders = new TestFolders();
    const { bavail, bsize } = await statfs(folders.client);
    if (bavail * bsize < 3 * GIB) skip(this, 'less than 3 GiB of disk are free');
    truncateSync(folders.serve('large', Buffer.alloc(0)), GIB);

    const report = (who: string): string => path.join(folders!.client, `memory-of-${who}`);
    const env = (who: string) => ({ ...process.env, TFTP_MEMORY_REPORT: report(who) });
    const server = await RedTftpServer.start(folders.server, {
      nodeFlags: PRELOAD,
      env: env('server'),
    });
    const file = path.join(folders.client, 'large');
    const flags = ['--blksize', '1428', '--windowsize', '64'];
    const get = [...PRELOAD, RED_TFTP, 'get', server.url('large'), '-o', file, ...flags];
    try {
      succeeded(await run(process.execPath, get, { env: env('client') }));
    } finally {
      await server.stop();
    }
    statSync(file).size.should.equal(GIB);
    for (const who of ['server', 'client']) {
      const resident = Number(readFileSync(report(who), 'utf8'));
      console.log(`      ${who}: ${Math.round(resident / 1e6)} MB resident at most`);
      resident.should.be.within(1_000_000, LIMIT);
    }
  });
});
