import 'should';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { run, succeeded } from '../helpers/program';
import { missing } from '../helpers/requirements';
import { NODE_RED_RELEASES, NodeRedRuntime, nodeFor } from './node-red-runtime';
import { PACKAGE, PackedPackage, npm } from './packed-package';

/** What a user needs, and nothing else. */
const EXPECTED_FILES: readonly RegExp[] = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/,
  /^dist\/bin\/red-tftp(-more)?\.js$/,
  /^dist\/src\/.+\.(js|d\.ts)$/,
  /^dist\/nodes\/[\w-]+\.(js|d\.ts|html)$/,
  /^dist\/nodes\/locales\/[\w-]+\/[\w-]+\.(json|html)$/,
  /^dist\/nodes\/icons\/[\w-]+\.svg$/,
  /^examples\/.+\.json$/,
];
const REQUIRED_FILES: readonly string[] = [
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'SECURITY.md',
  'dist/src/index.js',
  'dist/src/index.d.ts',
  'dist/bin/red-tftp.js',
];

/** Bytes: a third more than it takes, so that nothing large gets in unnoticed. */
const MAX_SIZE = 900_000;
const MAX_UNPACKED_SIZE = 3_200_000;

/** The part of package.json that is looked at. */
interface Manifest {
  readonly version: string;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly 'node-red': { readonly nodes: Record<string, string> };
}

/** One set of nodes as Node-RED lists it. */
interface NodeSet {
  readonly id: string;
  readonly types: readonly string[];
  readonly enabled: boolean;
  readonly err?: unknown;
}

describe('the packed package', () => {
  let installed: PackedPackage;
  let manifest: Manifest;

  before(async () => {
    installed = await PackedPackage.install();
    manifest = JSON.parse(installed.read('package.json').toString());
  });

  after(() => installed?.remove());

  const nodeNames = (): string[] => Object.keys(manifest['node-red'].nodes);

  it('holds what users need, and nothing else', () => {
    installed.files.should.containDeep(REQUIRED_FILES);
    const needless = installed.files.filter(
      (file) => !EXPECTED_FILES.some((one) => one.test(file)),
    );
    needless.should.eql([]);
  });

  it(`takes at most ${MAX_SIZE / 1000} kB to download and ${MAX_UNPACKED_SIZE / 1000} kB on the disk`, () => {
    const { size, unpackedSize } = installed;
    console.log(`        ${Math.round(size / 1000)} kB, ${Math.round(unpackedSize / 1000)} kB`);
    size.should.be.belowOrEqual(MAX_SIZE);
    unpackedSize.should.be.belowOrEqual(MAX_UNPACKED_SIZE);
  });

  it('brings no other package along but koffi, which may be missing', () => {
    Object.keys(manifest.dependencies ?? {}).should.eql([]);
    Object.keys(manifest.optionalDependencies ?? {}).should.eql(['koffi']);
    const needless = installed.others.filter((name) => !['koffi', '@koromix'].includes(name));
    needless.should.eql([]);
  });

  it('moves a file where koffi is missing', async () => {
    const alone = await PackedPackage.install('--omit=optional');
    try {
      alone.others.should.eql([]);
      const code = `
        const { MemoryStorage, TftpClient, TftpServer } = require('${PACKAGE}');
        const content = Buffer.alloc(300_000, 'content');
        const storage = new MemoryStorage([['f', content]]);
        const server = new TftpServer({ address: '127.0.0.1', port: 0, storage });
        server.listen().then(async ([{ port }]) => {
          const client = new TftpClient({ host: '127.0.0.1', port });
          const { data, record } = await client.get('f');
          console.log(data.equals(content), record.event, 'offload' in record);
          client.close();
          await server.close();
        });
      `;
      const outcome = await run(process.execPath, ['--eval', code], { cwd: alone.userDirectory });
      succeeded(outcome).stdout.toString().trim().should.equal('true complete false');
    } finally {
      alone.remove();
    }
  });

  it('gives the client and the server to require and to import', async () => {
    const check = 'console.log(typeof tftp.TftpClient, typeof tftp.TftpServer)';
    const forms = {
      commonjs: `const tftp = require('${PACKAGE}'); ${check}`,
      module: `import * as tftp from '${PACKAGE}'; ${check}`,
      'named module': `import { TftpClient, TftpServer } from '${PACKAGE}'; console.log(typeof TftpClient, typeof TftpServer)`,
    };
    for (const [form, code] of Object.entries(forms)) {
      const type = `--input-type=${form.split(' ').at(-1)!}`;
      const outcome = await run(process.execPath, [type, '--eval', code], {
        cwd: installed.userDirectory,
      });
      succeeded(outcome).stdout.toString().trim().should.equal('function function');
    }
  });

  it('gives the command to npx', async () => {
    const command = ['exec', '--offline', '--', 'red-tftp', '--version'];
    const { stdout } = succeeded(await npm(command, installed.userDirectory));
    stdout.toString().should.containEql(manifest.version);
  });

  for (const release of NODE_RED_RELEASES) {
    describe(`in ${release.title}`, () => {
      let ownInstallation: PackedPackage | undefined;
      let runtime: NodeRedRuntime | undefined;

      before(async function () {
        const node = nodeFor(release);
        if (node === undefined) {
          missing(
            this,
            `${release.title} needs Node.js ${release.node.join('.')}: name one in TFTP_NODE_24`,
          );
        }
        ownInstallation = await PackedPackage.install();
        runtime = await NodeRedRuntime.start(release, node, ownInstallation.userDirectory);
      });

      after(async () => {
        await runtime?.stop();
        ownInstallation?.remove();
      });

      it('loads every node without an error', async () => {
        const sets = await runtime!.json<NodeSet[]>('/nodes');
        for (const name of nodeNames()) {
          const set = sets.find(({ id }) => id === `${PACKAGE}/${name}`);
          set!.should.have.properties({ enabled: true, types: [name] });
          set!.should.not.have.property('err');
        }
        runtime!.log.should.not.match(/\[error\]|not loaded|Missing node modules/i);
      });

      it('loads the sidebar, and answers what it asks', async () => {
        const plugins = await runtime!.json<Pick<NodeSet, 'id' | 'err'>[]>('/plugins');
        const plugin = plugins.find(({ id }) => id === `${PACKAGE}/tftp-sidebar`);
        plugin!.should.have.properties({ enabled: true, runtime: true });
        plugin!.should.not.have.property('err');
        const snapshot = await runtime!.json<object>('/tftp/transfers');
        snapshot.should.have.properties({ live: [], liveCount: 0, finished: [] });
      });

      it('serves the editor part and the help of every node', async () => {
        const html = await runtime!.text('/nodes', 'text/html');
        const marks = nodeNames().flatMap((name) => [
          `registerType('${name}'`,
          `data-template-name="${name}"`,
          `data-help-name="${name}"`,
        ]);
        marks.filter((mark) => !html.includes(mark)).should.eql([]);
      });

      it('serves every icon', async () => {
        const icons = readdirSync(path.join(installed.folder, 'dist/nodes/icons'));
        icons.should.not.be.empty();
        const listed = await runtime!.json<Record<string, string[]>>('/icons');
        listed[PACKAGE]!.toSorted().should.eql(icons.toSorted());
        for (const icon of icons) {
          const response = await runtime!.get(`/icons/${PACKAGE}/${icon}`);
          response.headers.get('content-type')!.should.match(/^image\/svg\+xml/);
          // For an icon that it does not find Node-RED serves another one.
          const served = Buffer.from(await response.arrayBuffer());
          served.equals(installed.read(`dist/nodes/icons/${icon}`)).should.be.true();
        }
      });

      it('serves the catalogue of every node', async () => {
        const catalogues = await runtime!.json<Record<string, object>>('/nodes/messages?lng=en-US');
        for (const name of nodeNames()) {
          const catalogue: object = JSON.parse(
            installed.read(`dist/nodes/locales/en-US/${name}.json`).toString(),
          );
          catalogues[`${PACKAGE}/${name}`]!.should.eql(catalogue);
          const route = `/nodes/${PACKAGE}/${name}/messages?lng=en-US`;
          (await runtime!.json<object>(route)).should.eql(catalogue);
        }
      });

      it('serves every example', async () => {
        const files = installed.files.filter((file) => file.startsWith('examples/'));
        files.should.not.be.empty();
        for (const file of files) {
          const name = file.slice('examples/'.length, -'.json'.length);
          const flow = await runtime!.json<object[]>(
            `/library/examples/flows/${PACKAGE}/${encodeURI(name)}`,
          );
          flow.should.eql(JSON.parse(installed.read(file).toString()));
        }
      });
    });
  }
});
