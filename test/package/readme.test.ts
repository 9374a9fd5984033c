import 'should';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { COMMANDS } from '../../src/cli/command-table';
import { ROOT, run, succeeded } from '../helpers/program';
import { missing } from '../helpers/requirements';
import { PackedPackage } from './packed-package';

/** What users read, by its path from the root. */
const PAGES = [
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  ...readdirSync(path.join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];
/** The longest that somebody reads to find out what it is. */
const MAX_LINES = 300;

describe('README', () => {
  const readme = read('README.md');

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

  it(`takes no more than ${MAX_LINES} lines`, () => {
    readme.split('\n').length.should.be.belowOrEqual(MAX_LINES);
  });

  it('leads to every page', () => {
    const linked = new Set(linksOf(readme).map((target) => target.split('#')[0]));
    PAGES.filter((page) => page !== 'README.md' && !linked.has(page)).should.eql([]);
  });
});

describe('the pages for users', () => {
  for (const page of PAGES) {
    it(`${page} links to headings and files that exist`, () => {
      linksOf(read(page))
        .filter((target) => !isPicture(target) && !leadsSomewhere(page, target))
        .should.eql([]);
    });
  }

  it('show pictures that exist', function () {
    if (!existsSync(path.join(ROOT, 'docs/pictures')))
      missing(this, 'nobody has made docs/pictures');
    for (const page of PAGES) {
      const pictures = linksOf(read(page)).filter(isPicture);
      pictures.filter((target) => !leadsSomewhere(page, target)).should.eql([]);
    }
  });

  it('name every flag of the command', () => {
    const flags = COMMANDS.flatMap((command) => command.flags.map(({ name }) => `--${name}`));
    const page = read('docs/command.md');
    flags.filter((flag) => !new RegExp(`${flag}\\b`).test(page)).should.eql([]);
  });
});

/** The targets of links and pictures, those on the web left out. */
function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown).replaceAll(/`[^`\n]+`/g, '');
  return [...text.matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, target]) => target!);
}

function isPicture(target: string): boolean {
  return target.endsWith('.png');
}

function leadsSomewhere(page: string, target: string): boolean {
  const [file, heading] = target.split('#');
  const there = file === '' ? page : path.posix.join(path.posix.dirname(page), file!);
  if (!existsSync(path.join(ROOT, there))) return false;
  return heading === undefined || anchorsOf(read(there)).includes(heading);
}

/** The anchors of GitHub: a heading in lower case, and a number if there was the same one before. */
function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)].map(([, title]) => {
    const anchor = title!
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-');
    const times = seen.get(anchor) ?? 0;
    seen.set(anchor, times + 1);
    return times === 0 ? anchor : `${anchor}-${times}`;
  });
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^ *```.*?^ *```$/gms, '');
}

function read(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}
