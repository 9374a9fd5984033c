import 'should';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { COMMANDS } from '../../src/cli/command-table';
import { ROOT, run, succeeded } from '../helpers/program';
import { PackedPackage } from './packed-package';

describe('README', () => {
  const readme = readFileSync(path.join(ROOT, 'README.md'), 'utf8');

  it('shows an example of the library that runs as it stands', async () => {
    const [, code] = /<!-- test: library-example -->\s+```js\n(.+?)```/s.exec(readme)!;
    const installed = await PackedPackage.install();
    try {
      const cwd = installed.userDirectory;
      const { stdout } = succeeded(await run(process.execPath, ['--eval', code!], { cwd }));
      const lines = stdout.toString();
      lines.should.match(/^server complete greeting\.txt$/m);
      lines.should.match(/^hello in \d+-byte blocks$/m);
      lines.should.match(/^ENOENT /m);
    } finally {
      installed.remove();
    }
  });

  it('names every flag of the command', () => {
    const flags = COMMANDS.flatMap((command) => command.flags.map(({ name }) => `--${name}`));
    const unnamed = flags.filter((flag) => !new RegExp(`${flag}\\b`).test(readme));
    unnamed.should.eql([]);
  });

  it('links to headings and files that exist', () => {
    const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      title!
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    const targets = [...readme.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target]) => target!);
    targets.should.not.be.empty();
    for (const target of targets) {
      if (target.startsWith('#')) headings.should.containEql(target.slice(1));
      else readFileSync(path.join(ROOT, target)).should.not.be.empty();
    }
  });
});
