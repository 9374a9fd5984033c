/** What the dialog of a server hears of a port: GET tftp/port. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import should = require('should');
import {
  adminRequest,
  closeAfterTest,
  freePort,
  loadFlow,
  nodeOf,
  redeploy,
  useNodeRed,
} from '../helpers/node-red';

const LOOPBACK = '127.0.0.1';

describe('GET tftp/port', () => {
  useNodeRed();

  async function ask(query: Record<string, string>): Promise<{ status: number; body: unknown }> {
    const { status, body } = await adminRequest().get('/tftp/port').query(query);
    return { status, body };
  }

  async function state(query: Record<string, string>): Promise<unknown> {
    const { body } = await ask(query);
    return body;
  }

  /** A server node; resolves when it has listened, or has failed to. */
  async function serving(port: string, more: object = {}): Promise<void> {
    const server = { id: 'server', type: 'tftp-server', name: 'phones', port, reads: 'flow' };
    await loadFlow([{ ...server, outputs: 3, address: LOOPBACK, ...more }]);
    await once(nodeOf('server'), 'call:status');
  }

  /** Another program that holds a port. */
  async function holder(): Promise<string> {
    const socket = createSocket('udp4');
    socket.bind(0, LOOPBACK);
    await once(socket, 'listening');
    closeAfterTest(() => new Promise((resolve) => socket.close(() => resolve())));
    return String(socket.address().port);
  }

  it('says that a port is free, and leaves it so', async () => {
    await loadFlow([]);
    const port = await freePort();
    should(await state({ port })).eql({ state: 'free' });
    should(await state({ port, address: LOOPBACK })).eql({ state: 'free' });
    should(await state({ port, family: 'ipv4' })).eql({ state: 'free' });
  });

  it('names the server node that has the port, whatever it is asked for by others', async () => {
    const port = await freePort();
    await serving(port);
    const node = { id: 'server', name: 'phones' };
    should(await state({ port, address: LOOPBACK })).eql({ state: 'node', node });
    should(await state({ port, node: 'other' })).eql({ state: 'node', node });
    should(await state({ port, family: 'ipv4' })).eql({ state: 'node', node });
  });

  it('takes 0.0.0.0 for all addresses', async () => {
    const port = await freePort();
    await serving(port, { address: '0.0.0.0' });
    const node = { id: 'server', name: 'phones' };
    should(await state({ port, address: LOOPBACK })).eql({ state: 'node', node });
    should(await state({ port, family: 'ipv6' })).eql({ state: 'free' });
  });

  it('finds addresses and families apart that do not meet', async () => {
    const port = await freePort();
    await serving(port);
    should(await state({ port, family: 'ipv6' })).eql({ state: 'free' });
    should(await state({ port, address: '127.0.0.2' })).eql({ state: 'free' });
  });

  it('finds the port of a node free for the node itself', async () => {
    const port = await freePort();
    await serving(port);
    should(await state({ port, node: 'server' })).eql({ state: 'free' });
  });

  it('forgets a node that is gone', async () => {
    const port = await freePort();
    await serving(port);
    await redeploy([]);
    should(await state({ port, address: LOOPBACK })).eql({ state: 'free' });
  });

  it('tells of another program', async () => {
    await loadFlow([]);
    const port = await holder();
    should(await state({ port, address: LOOPBACK })).eql({ state: 'program' });
    should(await state({ port })).eql({ state: 'program' });
  });

  it('tells the node itself what is in its way', async () => {
    const port = await holder();
    await serving(port);
    should(await state({ port, address: LOOPBACK, node: 'server' })).eql({ state: 'program' });
  });

  it('finds the port free for a node once its address is mended', async () => {
    const port = await freePort();
    await serving(port, { address: '192.0.2.1' });
    const node = 'server';
    should(await state({ port, address: '192.0.2.1', node })).eql({ state: 'address' });
    should(await state({ port, node })).eql({ state: 'free' });
  });

  it('knows an address of another machine', async () => {
    await loadFlow([]);
    const port = await freePort();
    should(await state({ port, address: '192.0.2.1' })).eql({ state: 'address' });
  });

  const wrong: [what: string, query: Record<string, string>, says: RegExp][] = [
    ['no port', {}, /^port is NaN: it must be a whole number from 1 to 65535$/],
    ['a port that is none', { port: '65536' }, /^port is 65536/],
    ['a name', { port: '69', address: 'localhost' }, /^The address must be an IP address/],
    ['another family', { port: '69', family: 'ipx' }, /^family is "ipx"/],
  ];
  for (const [what, query, says] of wrong) {
    it(`answers ${what} with 400`, async () => {
      await loadFlow([]);
      const { status, body } = await ask(query);
      should(status).equal(400);
      should(body).have.property('code', 'EINVAL');
      should(body).have.property('message').which.match(says);
    });
  }
});
