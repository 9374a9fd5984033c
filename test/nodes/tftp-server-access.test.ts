/** A server node that tells normal misses from guesses, and looks in more than one folder. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import { TftpClient } from '../../src/client/client';
import { asRecord, bench, closeAfterTest, freePort, useNodeRed } from '../helpers/node-red';
import type { Bench } from '../helpers/node-red';

describe('tftp-server, who may have what', () => {
  useNodeRed();
  let root: string;
  let port: string;
  let client: TftpClient;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'tftp-server-'));
    port = await freePort();
    client = new TftpClient({ host: '127.0.0.1', port: Number(port) });
    closeAfterTest(() => rm(root, { recursive: true, force: true }));
    closeAfterTest(() => Promise.resolve(client.close()));
  });

  async function listening(more: Record<string, unknown>): Promise<Bench> {
    const address = '127.0.0.1';
    const flow = await bench({ type: 'tftp-server', address, port, root, ...more }, 2);
    await flow.statuses.until(({ status }) => status?.text === `:${port}`);
    return flow;
  }

  it('an expected miss is an event, and no error', async () => {
    const { outputs, caught } = await listening({ expectedSets: ['cisco'], expectedNames: 'x*' });
    for (const name of ['CTLSEP001122AABBCC.tlv', 'xyz']) {
      await should(client.get(name)).be.rejectedWith({ code: 'ENOENT' });
      const { payload } = await outputs[1]!.until(
        ({ event, topic }) => event === 'error' && topic === name,
      );
      should(asRecord(payload).error).have.property('expected', true);
    }
    await should(client.get('phone.cfg')).be.rejectedWith({ code: 'ENOENT' });
    should(await caught.until()).have.property('topic', 'phone.cfg');
    should(caught.messages).have.length(1);
  });

  it('who guesses names raises an alarm, for the flow and for Catch nodes', async () => {
    const { outputs, caught } = await listening({ guessLimit: '3' });
    for (const name of ['a', 'b', 'c']) {
      await should(client.get(name)).be.rejectedWith({ code: 'ENOENT' });
    }
    const { payload, topic } = await outputs[1]!.until(({ event }) => event === 'alarm');
    should(topic).equal('127.0.0.1');
    should(payload).have.properties({ host: '127.0.0.1', misses: 3, names: ['a', 'b', 'c'] });
    const { error } = await caught.until(({ event }) => event === 'alarm');
    should(error!.message).match(/^127\.0\.0\.1 requested 3 missing files/);
  });

  it('looks for names in the folders, in any case, and puts uploads elsewhere', async () => {
    for (const folder of ['one', 'two', 'in']) await mkdir(path.join(root, folder));
    await writeFile(path.join(root, 'two', 'Phone.cfg'), 'two');
    await listening({
      root: path.join(root, 'one'),
      extraRoots: path.join(root, 'two'),
      writeRoot: path.join(root, 'in'),
      caseInsensitive: true,
      writes: 'folder',
      writeNames: '*.log',
      quota: '1',
    });
    should((await client.get('PHONE.CFG')).data.toString()).equal('two');
    await client.put('hello', 'a.log');
    should(await readFile(path.join(root, 'in', 'a.log'), 'utf8')).equal('hello');
    await should(client.put('hello', 'a.cfg')).be.rejectedWith({ code: 'EACCES' });
    await should(client.put(Buffer.alloc(1_048_576), 'b.log')).be.rejectedWith({ code: 'ENOSPC' });
  });

  it('refuses options', async () => {
    await writeFile(path.join(root, 'a'), 'a');
    await listening({ refuseOptions: [{ clients: ['127.0.0.1'], refuse: 'all-but-tsize' }] });
    const { record } = await client.get('a');
    should(record.options).have.properties({ blksize: 512, tsize: 1 });
  });

  it('a denied network gets an ERROR', async () => {
    await listening({ deny: ['127.0.0.0/8'] });
    await should(client.get('a')).be.rejectedWith({ code: 'EACCES' });
  });
});
