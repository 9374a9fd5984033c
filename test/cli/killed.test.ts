/** What is on the disk when `red-tftp` is killed in the middle of its work. */

import should = require('should');
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { TftpClient } from '../../src/client/client';
import { isPartName } from '../../src/storage/part-file';
import { RED_TFTP } from '../helpers/program';
import { seededBytes } from '../helpers/random';
import { RedTftpServer } from '../helpers/red-tftp-server';
import { skip } from '../helpers/requirements';
import { useTempFolder } from '../helpers/temp-folder';
import { withServer } from './servers';

/** Uploads that run at the same time. */
const UPLOADS = 16;
/** A server that is gone is given up soon. In milliseconds. */
const IMPATIENT = { timeout: 100, retries: 2 };
const OLD = Buffer.from('the old file');

describe('red-tftp, killed', function () {
  this.timeout(60_000);
  const folder = useTempFolder();

  before(function () {
    if (process.platform === 'win32') skip(this, 'Windows has no SIGKILL');
  });

  const nameOf = (index: number): string => `upload-${index}.bin`;
  const contentOf = (index: number): Buffer => seededBytes(3000 * (index % 5) ** 4 + index, index);
  const files = (): string[] => readdirSync(folder.path).filter((name) => !isPartName(name));

  /** Uploads all files at once; the server is killed when `most` of them are complete. @returns those of which a client was told so. */
  async function uploadUntilKilled(flags: readonly string[], most: number): Promise<number[]> {
    const server = await RedTftpServer.start(folder.path, { flags });
    const client = new TftpClient({ host: '127.0.0.1', port: server.port });
    const told: number[] = [];
    const upload = async (index: number): Promise<void> => {
      await client.put(contentOf(index), nameOf(index), IMPATIENT);
      told.push(index);
      if (told.length >= most) void server.program.kill();
    };
    const uploads = Array.from({ length: UPLOADS }, (_, index) => upload(index));
    await Promise.allSettled(uploads);
    await server.program.kill();
    await server.program.ended();
    client.close();
    return told;
  }

  for (const policy of ['refuse', 'replace', 'version', 'timestamp'] as const) {
    it(`has every upload whole that was told as complete, and no part under a name (${policy})`, async () => {
      for (const most of [1, 6, 13]) {
        const keepsOld = policy === 'replace';
        if (keepsOld) for (let i = 0; i < UPLOADS; i++) writeFileSync(folder.file(nameOf(i)), OLD);
        const before = new Set(files());
        const told = await uploadUntilKilled(['--overwrite', policy], most);
        const wholes = Array.from({ length: UPLOADS }, (_, index) => contentOf(index));
        for (const name of files()) {
          const content = readFileSync(folder.file(name));
          const isWhole = wholes.some((whole) => whole.equals(content));
          should(isWhole || (keepsOld && content.equals(OLD))).be.true(`${name} is a part`);
        }
        const stored = files().filter((name) => policy === 'replace' || !before.has(name));
        const found = stored.map((name) => readFileSync(folder.file(name)));
        for (const index of told)
          should(found.some((content) => content.equals(contentOf(index)))).be.true(
            `${nameOf(index)} was told as complete, and is not there`,
          );
        // Under the policy `refuse` what was stored is in the way of the next round.
        for (const name of files()) if (policy === 'refuse') rmSync(folder.file(name));
      }
      const again = await RedTftpServer.start(folder.path);
      should(readdirSync(folder.path).filter(isPartName)).be.empty();
      await again.stop();
    });
  }

  it('leaves no part of a download under its name', () =>
    withServer(
      async ({ url, files: served, server }) => {
        served.set('f', seededBytes(20_000_000, 1));
        const args = [RED_TFTP, 'get', `${url}f`, '-o', folder.file('f')];
        const get = spawn(process.execPath, args, { stdio: 'ignore' });
        server.on('transfer', ({ bytes }) => {
          if (bytes > 1_000_000) get.kill('SIGKILL');
        });
        await once(get, 'exit');
        should(files()).be.empty();
      },
      { progressInterval: 5 },
    ));
});
