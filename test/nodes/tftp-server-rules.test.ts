import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import should = require('should');
import { TftpClient } from '../../src/client/client';
import { registerAdminRoutes } from '../../src/node-red/admin-routes';
import { ServerPlaces } from '../../src/node-red/port-check';
import type { RoutesHost } from '../../src/node-red/admin-routes';
import {
  adminRequest,
  asRecord,
  bench,
  closeAfterTest,
  freePort,
  isFree,
  loadFlow,
  useNodeRed,
  useSettings,
} from '../helpers/node-red';
import type { Bench } from '../helpers/node-red';

describe('tftp-server, its name rules', () => {
  useNodeRed();
  let root: string;
  let port: string;
  let client: TftpClient;

  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'tftp-rules-'));
    for (const name of ['a', 'b']) {
      await mkdir(path.join(root, name));
      await writeFile(path.join(root, name, 'phone.cfg'), name);
    }
    port = await freePort();
    // Rules count their hits: on a busy machine it must not ask twice.
    client = new TftpClient({ host: '127.0.0.1', port: Number(port), timeout: 10_000 });
    closeAfterTest(() => rm(root, { recursive: true, force: true }));
    closeAfterTest(() => Promise.resolve(client.close()));
  });

  function start(more: Record<string, unknown>, outputs = 2): Promise<Bench> {
    const place = { address: '127.0.0.1', port, root };
    return bench({ type: 'tftp-server', inputs: 1, ...place, ...more }, outputs);
  }

  async function listening(more: Record<string, unknown>, outputs = 2): Promise<Bench> {
    const flow = await start(more, outputs);
    await flow.statuses.until(({ status }) => status?.text === `:${port}`);
    return flow;
  }

  const control = (action: string) => ({ action, topic: action });
  const got = async (): Promise<string> => (await client.get('PHONE.CFG')).data.toString();

  it('maps names by the rules of the dialog, and tells both names', async () => {
    const flow = await listening({ mapRules: 'r (.*) \\L\\1\nr ^ a/\n' });
    should(await got()).equal('a');
    const complete = await flow.outputs[1]!.until(({ event }) => event === 'complete');
    should(asRecord(complete.payload)).have.properties({
      filename: 'PHONE.CFG',
      servedAs: 'a/phone.cfg',
    });
  });

  it('answers status with the hits of each rule', async () => {
    const flow = await listening({ mapRules: 'r ^.* a/phone.cfg\nr x y' });
    await got();
    flow.send(control('status'));
    const { payload } = await flow.outputs[1]!.until(({ event }) => event === 'status');
    should(payload).have.property('rules', [
      { line: 1, rule: 'r ^.* a/phone.cfg', hits: 1 },
      { line: 2, rule: 'r x y', hits: 0 },
    ]);
  });

  it('takes the rules of a file, in the working directory of the settings', async () => {
    useSettings({ fileWorkingDirectory: root });
    closeAfterTest(() => Promise.resolve(useSettings({ fileWorkingDirectory: '' })));
    await writeFile(path.join(root, 'map'), 'r ^.* b/phone.cfg');
    await listening({ mapFile: 'map', mapRules: 'r ^.* a/phone.cfg' });
    should(await got()).equal('b');
  });

  it('reads the file again on reload, and keeps the old rules if that fails', async () => {
    const mapFile = path.join(root, 'map');
    await writeFile(mapFile, 'r ^.* a/phone.cfg');
    const flow = await listening({ mapFile });
    should(await got()).equal('a');
    await writeFile(mapFile, 'r ^.* b/phone.cfg');
    flow.send(control('reload'));
    await flow.completed.until();
    should(await got()).equal('b');
    await writeFile(mapFile, 'q');
    flow.send(control('reload'));
    const { error } = await flow.caught.until();
    should(error?.message).match(/map: The name rules cannot be used: line 1: "q" is no operation/);
    should(await got()).equal('b');
  });

  for (const from of ['dialog', 'file']) {
    it(`does not start with wrong rules from a ${from}, and tells all lines`, async () => {
      const rules = 'r (\n\nra x y';
      const mapFile = path.join(root, 'map');
      await writeFile(mapFile, rules);
      const flow = await start(from === 'file' ? { mapFile } : { mapRules: rules });
      const { error } = await flow.caught.until();
      should(error).have.property('code', 'EINVAL');
      should(error?.message).match(/line 1: .*; line 3: r and a cannot be combined$/);
      const { status } = await flow.statuses.until(({ status: shown }) => shown?.fill === 'red');
      should(status).have.property('shape', 'ring');
      should(await isFree(port)).be.true();
    });
  }

  it('says that a map file is missing', async () => {
    const flow = await start({ mapFile: path.join(root, 'none') });
    const { error } = await flow.caught.until();
    should(error).have.property('code', 'ENOFILE');
    should(error?.message).match(/There is no map file .*none: create it, or name another one$/);
  });

  it('tries names in the folder, and asks the flow once', async () => {
    const mapRules = 'rE ^.* a/none\nr ^ last/';
    const flow = await listening({ mapRules, reads: 'both' }, 3);
    const failure = client.get('phone.cfg').catch((error: unknown) => error);
    const { filename } = await flow.outputs[2]!.until();
    should(filename).equal('last/phone.cfg');
    client.close();
    should(await failure).be.an.Error();
    should(flow.outputs[2]!.messages).have.length(1);
  });

  it('takes the first name if only the flow knows the files', async () => {
    const flow = await listening({ mapRules: 'rE ^ first/\nr ^ last/', reads: 'flow' }, 3);
    const failure = client.get('phone.cfg').catch((error: unknown) => error);
    const { filename } = await flow.outputs[2]!.until();
    should(filename).equal('first/phone.cfg');
    client.close();
    should(await failure).be.an.Error();
  });

  describe('POST tftp/try-name', () => {
    async function ask(body: object): Promise<{ status: number; body: unknown }> {
      await loadFlow([]);
      const { status, body: answer } = await adminRequest().post('/tftp/try-name').send(body);
      return { status, body: answer };
    }

    it('tells what each rule makes of a name', async () => {
      const rules = 'r x y\nrP ^ \\x/';
      const asked = { rules, name: 'a', client: '192.0.2.1', write: true };
      (await ask(asked)).should.eql({
        status: 200,
        body: {
          steps: [
            { line: 1, rule: 'r x y', matched: false, name: 'a', action: 'no match' },
            { line: 2, rule: 'rP ^ \\x/', matched: true, name: 'C0000201/a', action: 'replace' },
          ],
          name: 'C0000201/a',
        },
      });
    });

    it('tells the text of a refusal, to a read from here if nothing else is said', async () => {
      const { status, body } = await ask({ rules: 'aG ^ No\\ \\i', name: 'a' });
      should(status).equal(200);
      should(body).have.properties({ refused: 'No 127.0.0.1' });
    });

    it('tells the first steps of many', async () => {
      const { body } = await ask({ rules: 'rs . a', name: 'x' });
      should(body).have.property('steps').with.length(200);
      should(body).have.property('moreSteps', 4096 + 1 - 200);
      JSON.stringify(body).length.should.be.below(50_000);
    });

    const wrong: [what: string, body: object, says: RegExp][] = [
      ['wrong rules', { rules: 'r (\nq', name: 'a' }, /line 1: .*; line 2: /],
      ['no rules', { name: 'a' }, /The rules must be text/],
      ['no name', { rules: '' }, /The name must be text/],
      ['no address', { rules: '', name: 'a', client: 'b' }, /The client must be an IP address/],
      ['rules that are too long', { rules: '#'.repeat(65537), name: 'a' }, /65536 characters/],
      ['too many rules', { rules: 'r a b\n'.repeat(1000), name: 'a' }, /1000 lines/],
      [
        'a rule that is too long',
        { rules: `r a ${'b'.repeat(2050)}`, name: 'a' },
        /2048 characters/,
      ],
      ['a name that is too long', { rules: '', name: 'a'.repeat(513) }, /512 characters/],
      ['something else', [], /The rules must be text/],
    ];
    for (const [what, body, says] of wrong) {
      it(`answers ${what} with 400`, async () => {
        const answer = await ask(body);
        should(answer.status).equal(400);
        should(answer.body).have.property('code', 'EINVAL');
        should(answer.body).have.property('message').which.match(says);
      });
    }

    it('wants the permission to write, and the port check the one to read', () => {
      const routes: unknown[][] = [];
      const host = {
        httpAdmin: {
          post: (...route: unknown[]) => routes.push(route),
          get: (...route: unknown[]) => routes.push(route),
        },
        auth: { needsPermission: (permission: string) => permission },
      };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is used of it
      registerAdminRoutes(host as unknown as RoutesHost, new ServerPlaces());
      should(routes.map(([name, first]) => [name, first])).eql([
        ['/tftp/try-name', 'tftp.write'],
        ['/tftp/port', 'tftp.read'],
      ]);
    });

    it('adds nothing where the editor is switched off', () => {
      const off = { httpAdmin: null, auth: { needsPermission: () => undefined } };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Node-RED does then
      registerAdminRoutes(off as unknown as RoutesHost, new ServerPlaces());
    });
  });
});
