import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from '../../src/cli/main';
import { FakeIo } from './fake-io';
import { withFolder } from './servers';

const RULES = 'rg \\\\ /  # separators\nrP ^ up/\nr4G ^ \\x/\nrE ^ E/\na .\n';

describe('red-tftp map-test', () => {
  it('prints what each rule makes of a name, and ends with 0', async () => {
    const { code, out, err } = await mapTest(RULES, 'a\\b', '--client', '192.0.2.1');
    out.should.equal(
      'line 1: rg \\\\ /: replace: a/b\n' +
        'line 3: r4G ^ \\x/: replace: C0000201/a/b\n' +
        'line 4: rE ^ E/: accept: E/C0000201/a/b\n' +
        'accepted: E/C0000201/a/b\n',
    );
    err.should.equal('');
    code.should.equal(0);
  });

  it('tries writes with --write, and IPv6 clients', async () => {
    const { out } = await mapTest(RULES, 'a', '--write', '--client', '::1');
    out.should.endWith('accepted: E/up/a\n');
  });

  it('ends with 1 if a rule refuses the name', async () => {
    const { code, out } = await mapTest('a ^/ No\\ \\i', '/x');
    out.should.equal('line 1: a ^/ No\\ \\i: refuse: /x\nrefused: No 127.0.0.1\n');
    code.should.equal(1);
  });

  it('ends with 1 if the rules come to no end', async () => {
    const { code, out } = await mapTest('s .', 'x');
    out.should.match(
      /\nrefused: Remap table failure \(The name rules failed in line 1: they come to no end in 4096 steps\)\n$/,
    );
    code.should.equal(1);
  });

  it('ends with 2 if rules are wrong, and tells all lines', async () => {
    const { code, out, err } = await mapTest('r (\n\nea x\n', 'x');
    out.should.equal('');
    err.should.match(/^red-tftp: .*map: The name rules cannot be used: line 1: .*; line 3: .*\n$/);
    code.should.equal(2);
  });

  it('keeps the terminal safe from what a name holds', async () => {
    const { out } = await mapTest('r x y', 'a\u001B[2Jb');
    out.should.equal('line 1: r x y: no match: a [2Jb\naccepted: a [2Jb\n');
  });

  it('ends with 4 if there is no such file, with 2 if it is a folder', () =>
    withFolder(async (folder) => {
      const io = new FakeIo();
      (await run(['map-test', path.join(folder, 'none'), 'x'], io)).should.equal(4);
      (await run(['map-test', folder, 'x'], io)).should.equal(2);
      io.err.should.match(/There is no map file .*\n.* is no file: name a map file\n$/);
    }));
});

function mapTest(
  rules: string,
  ...args: readonly string[]
): Promise<{ code: number; out: string; err: string }> {
  let result = { code: -1, out: '', err: '' };
  return withFolder(async (folder) => {
    const file = path.join(folder, 'map');
    await writeFile(file, rules);
    const io = new FakeIo();
    const code = await run(['map-test', file, ...args], io);
    result = { code, out: io.out, err: io.err };
  }).then(() => result);
}
