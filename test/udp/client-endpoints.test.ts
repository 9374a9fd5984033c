import should = require('should');
import { ClientEndpoints } from '../../src/udp/client-endpoints';
import { Endpoint } from '../../src/udp/endpoint';
import type { Flow } from '../../src/udp/flow';
import { failureOf } from '../helpers/engine';
import { ScriptedPeer, closePeersAfterEach } from '../helpers/scripted-peer';
import { ack, error } from '../helpers/wire';

const SILENT = { message: () => undefined, unreachable: () => undefined, failed: () => undefined };

describe('ClientEndpoints', () => {
  closePeersAfterEach();
  let endpoints: ClientEndpoints;
  let bound: Endpoint[];
  const open: Flow[] = [];

  beforeEach(() => {
    bound = [];
    endpoints = new ClientEndpoints(async (at) => {
      const endpoint = await Endpoint.bind({ ...at, port: 0 });
      bound.push(endpoint);
      return endpoint;
    });
  });
  afterEach(() => {
    for (const flow of open.splice(0)) flow.close();
  });

  async function flowTo({ address, port }: ScriptedPeer): Promise<Flow> {
    const flow = await endpoints.open('127.0.0.1', { address, port });
    flow.subscribe(SILENT);
    open.push(flow);
    return flow;
  }

  const peersAt = (address: string, length: number): Promise<ScriptedPeer[]> =>
    Promise.all(Array.from({ length }, () => ScriptedPeer.bind({ address })));

  it('lets the transfers of one client share a port, 64 of them at most', async () => {
    const ports = new Map<number, number>();
    for (const peer of await peersAt('127.0.0.1', 130)) {
      const { port } = (await flowTo(peer)).local;
      ports.set(port, (ports.get(port) ?? 0) + 1);
    }
    should([...ports.values()]).eql([64, 64, 2]);
  });

  it('opens one port for the transfers of a client that come at once', async () => {
    const flows = await Promise.all((await peersAt('127.0.0.1', 30)).map((peer) => flowTo(peer)));
    should(new Set(flows.map(({ local }) => local.port)).size).equal(1);
    should(bound.length).equal(1);
  });

  it('never lets two clients share a port, so that none can know that of another', async () => {
    const [first] = await peersAt('127.0.0.1', 1);
    const ports = [(await flowTo(first!)).local.port];
    for (const host of [2, 3, 4, 5]) {
      const [peer] = await peersAt(`127.0.0.${host}`, 1);
      ports.push((await flowTo(peer!)).local.port);
    }
    should(new Set(ports).size).equal(5);
  });

  it('never serves the same address and port of a client from one port twice', async () => {
    const [peer, other] = await peersAt('127.0.0.1', 2);
    const busy = await flowTo(other!);
    const first = await flowTo(peer!);
    should(first.local).eql(busy.local);
    first.close();
    should((await flowTo(peer!)).local.port).not.equal(busy.local.port);
  });

  it('closes a port with its last transfer', async () => {
    const [peer, other] = await peersAt('127.0.0.1', 2);
    const flows = [await flowTo(peer!), await flowTo(other!)];
    const { port } = flows[0]!.local;
    for (const flow of flows) flow.close();
    await ScriptedPeer.bind({ port });
  });

  it('goes on after a port that cannot be opened', async () => {
    const [peer] = await peersAt('127.0.0.1', 1);
    const at = { address: peer!.address, port: peer!.port };
    const failures = [endpoints.open('192.0.2.1', at), endpoints.open('192.0.2.1', at)];
    for (const { code } of await Promise.all(failures.map(failureOf))) {
      should(code).equal('EADDRNOTAVAIL');
    }
    should((await flowTo(peer!)).local.address).equal('127.0.0.1');
  });

  it('tells a stranger once that it is unknown, and never answers an ERROR', async () => {
    const [peer, stranger, witness] = await peersAt('127.0.0.1', 3);
    const { local } = await flowTo(peer!);
    stranger!.send(error(0, 'no'), local);
    stranger!.send(Buffer.from('junk'), local);
    should(await stranger!.ask(ack(1), local)).equal('ERROR 5 Unknown transfer ID');
    stranger!.send(ack(2), local);
    should(await witness!.ask(ack(1), local)).equal('ERROR 5 Unknown transfer ID');
    await stranger!.expectSilence();
  });

  it('says nothing to a client whose transfer has ended', async () => {
    const [peer, other, witness] = await peersAt('127.0.0.1', 3);
    const flow = await flowTo(peer!);
    await flowTo(other!);
    flow.close();
    peer!.send(ack(1), flow.local);
    should(await witness!.ask(ack(1), flow.local)).equal('ERROR 5 Unknown transfer ID');
    await peer!.expectSilence();
  });
});
