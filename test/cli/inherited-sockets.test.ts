/** `red-tftp serve` with the sockets that systemd passes; a script in Python stands for systemd. */

import should = require('should');
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TftpClient } from '../../src/client/client';
import { BackgroundProgram, RED_TFTP, run } from '../helpers/program';
import { HAS_IPV6, ON_LINUX, skipUnless } from '../helpers/skip';
import { WORKER_FLAGS } from '../helpers/worker';
import { withFolder } from './servers';

/** Binds what its first argument names, and becomes the command that follows. */
const LAUNCHER = `
import os, socket, sys
kinds = sys.argv[1].split(',')
passed = []
for kind in kinds:
    family = socket.AF_INET if kind.startswith('ipv4') else socket.AF_INET6
    stream = kind.endswith('tcp')
    s = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
    if kind == 'ipv6only': s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if not kind.endswith('unbound'): s.bind(('0.0.0.0' if family == socket.AF_INET else '::', 0))
    passed.append(s)
# Out of the way of the descriptors from 3 on.
high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(passed)]
for i, fd in enumerate(high): os.dup2(fd, 3 + i, inheritable=True)
os.environ['LISTEN_FDS'] = str(len(kinds))
os.environ['LISTEN_PID'] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
`;

describe('red-tftp serve with sockets of systemd', () => {
  before(async function () {
    skipUnless(this, ON_LINUX, 'only Linux has systemd');
    const { code } = await run('python3', ['--version']);
    skipUnless(this, code === 0, 'python3 stands for systemd, and is not installed');
  });

  for (const [kinds, families, clients] of [
    ['ipv4', ['0.0.0.0'], ['127.0.0.1']],
    ['ipv6only', ['[::]'], ['::1']],
    ['ipv6', ['[::]', '[::]'], ['127.0.0.1', '::1']],
    ['ipv4,ipv6only', ['0.0.0.0', '[::]'], ['127.0.0.1', '::1']],
  ] as const) {
    for (const flags of [[], ['--single-port'], ['--port-range', '20830:20839']]) {
      it(`serves from ${kinds} ${flags.join(' ')}`, async function () {
        skipUnless(this, HAS_IPV6 || kinds === 'ipv4', 'this machine has no IPv6');
        await withFolder(async (folder) => {
          await writeFile(path.join(folder, 'f'), 'x'.repeat(5000));
          const server = launch(kinds, '--root', folder, '--writable', ...flags);
          try {
            for (const [index, host] of clients.entries()) {
              const address = families[index]!.replaceAll(/[[\].]/g, '\\$&');
              const [, port] = await server.printed(
                new RegExp(`^listening on ${address}:(\\d+)$`, 'm'),
              );
              const client = new TftpClient({ host, port: Number(port) });
              (await client.get('f')).data.length.should.equal(5000);
              await client.put('up', `up${index}`);
              await client.get('none').should.be.rejectedWith({ code: 'ENOENT' });
              client.close();
            }
          } finally {
            await server.stop();
          }
        });
      });
    }
  }

  for (const kinds of ['ipv4tcp', 'ipv4,ipv6tcp', 'ipv4unbound']) {
    it(`ends with 4 and one line for ${kinds}`, async () => {
      const server = launch(kinds);
      await server.printed(/^red-tftp: File descriptor [34] is no bound UDP socket: [^\n]+\n$/);
      should(await server.ended()).equal(4);
    });
  }

  it('leaves alone what is meant for another process', async () => {
    const env = { ...process.env, LISTEN_FDS: '1', LISTEN_PID: '1' };
    const flags = ['serve', '--address', '127.0.0.1', '--port', '0'];
    const server = new BackgroundProgram(process.execPath, [RED_TFTP, ...flags], { env });
    await server.printed(/^listening on 127\.0\.0\.1:\d+$/m);
    await server.stop();
  });

  function launch(kinds: string, ...flags: string[]): BackgroundProgram {
    const command = [process.execPath, RED_TFTP, 'serve', ...WORKER_FLAGS, ...flags];
    return new BackgroundProgram('python3', ['-c', LAUNCHER, kinds, ...command]);
  }
});
