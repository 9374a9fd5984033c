import should = require('should');
import { runScript } from '../helpers/child';
import { NetworkNamespace } from '../helpers/network-namespace';
import { BackgroundProgram, RED_TFTP, run } from '../helpers/program';
import { skipUnless } from '../helpers/skip';
import { TestFolders, content } from './test-files';

const CLIENTS = 30;
const LENGTH = 200_000;
/** A link on which thirty clients with windows meet a full queue and a full socket. */
const NARROW = ['rate', '50mbit', 'burst', '32k', 'latency', '200ms'];

const ADDRESSES = { IPv4: '10.1.0.1', IPv6: 'fd00::1' } as const;
const PORTS = { any: [], 'a range': ['--port-range', '21000:21200'], single: ['--single-port'] };

/** What thirty clients got: how many files, and how many of them were not what is served. */
interface Got {
  readonly complete: number;
  readonly wrong: number;
  readonly failed: readonly string[];
}

/** Of many clients at once: every transfer that ends well must have brought every byte. */
describe('a link that is too narrow for all that is sent', () => {
  const bytes = content(LENGTH);
  const networks: NetworkNamespace[] = [];
  let folders: TestFolders | undefined;
  let served: string;
  let server: BackgroundProgram | undefined;

  before(async function () {
    const [here, there] = [await NetworkNamespace.create(), await NetworkNamespace.create()];
    networks.push(...[here, there].filter((network) => network !== undefined));
    skipUnless(this, networks.length === 2, 'only root on Linux can make a network');
    await here!.connect(there!);
    await here!.ip('address', 'add', '10.1.0.1/24', 'dev', 'eth0');
    await there!.ip('address', 'add', '10.1.0.2/24', 'dev', 'eth0');
    await here!.ip('address', 'add', 'fd00::1/64', 'dev', 'eth0', 'nodad');
    await there!.ip('address', 'add', 'fd00::2/64', 'dev', 'eth0', 'nodad');
    const [ip, ...words] = here!.through;
    const queue = ['tc', 'qdisc', 'add', 'dev', 'eth0', 'root', 'tbf', ...NARROW];
    const { code, stderr } = await run(ip!, [...words, ...queue]);
    skipUnless(this, code === 0, `this machine cannot make a link narrow: ${stderr}`);
    folders = new TestFolders();
    served = folders.serve('file', bytes);
  });

  after(async () => {
    for (const network of networks) await network.remove();
    folders?.remove();
  });

  afterEach(() => server?.stop());

  async function serve(address: string, flags: readonly string[], env: NodeJS.ProcessEnv) {
    const serving = ['serve', '--root', folders!.server, '--address', address, '--port', '6969'];
    const [ip, ...words] = networks[0]!.through;
    const args = [...words, process.execPath, RED_TFTP, ...serving, ...flags];
    server = new BackgroundProgram(ip!, args, { env: { ...process.env, ...env } });
    await server.printed(/listening on/);
  }

  /** Thirty clients at once, with blocks and windows of all sorts. */
  async function fetchAll(host: string, env: NodeJS.ProcessEnv): Promise<Got> {
    const script = `
      const { TftpClient } = engine('client/client');
      const { readFileSync } = require('node:fs');
      const bytes = readFileSync(${JSON.stringify(served)});
      const got = { complete: 0, wrong: 0, failed: [] };
      const one = async (i) => {
        const options = { blksize: i % 2 ? 512 : 1400, windowsize: [1, 2, 8, 16, 64][i % 5] };
        try {
          const { data } = await new TftpClient({ host: ${JSON.stringify(host)}, port: 6969, retries: 9, ...options }).get('file');
          got.complete += 1;
          if (!data.equals(bytes)) got.wrong += 1;
        } catch (error) {
          got.failed.push(error.message);
        }
      };
      Promise.all(Array.from({ length: ${CLIENTS} }, (_, i) => one(i))).then(() => {
        console.log(JSON.stringify(got));
        process.exit();
      });
    `;
    const { through } = networks[1]!;
    const { stdout, stderr } = await runScript(script, { timeout: 60_000, env, through });
    should(stderr).equal('');
    return JSON.parse(stdout);
  }

  for (const [family, address] of Object.entries(ADDRESSES)) {
    for (const [ports, flags] of Object.entries(PORTS)) {
      for (const offload of ['on', 'off']) {
        it(`loses no byte of what is complete: ${family}, transfer ports ${ports}, offload ${offload}`, async () => {
          const env = { TFTP_OFFLOAD: offload };
          await serve(address, flags, env);
          const { wrong, complete, failed } = await fetchAll(address, env);
          should({ wrong, failed }).eql({ wrong: 0, failed: [] });
          should(complete).equal(CLIENTS);
        });
      }
    }
  }
});
