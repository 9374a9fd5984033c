import should = require('should');
import { PAUSE } from '../../src/node-red/monitor-feed';
import { registerSidebarRoutes } from '../../src/node-red/sidebar-routes';
import { TransferMonitor } from '../../src/node-red/transfer-monitor';
import { recordOf } from '../helpers/records';
import { VirtualClock } from '../helpers/virtual-clock';
import type { SidebarHost } from '../../src/node-red/sidebar-routes';
import type { MonitoredSource } from '../../src/node-red/transfer-monitor';

type Handler = (request: object, response: object) => void;

/** What a route has answered. */
interface Answered {
  status: number;
  body?: unknown;
}

describe('the routes of the sidebar', () => {
  const NODE = { id: 'n', reveal: 'n', type: 'tftp-get', name: '' };
  let clock: VirtualClock;
  let monitor: TransferMonitor;
  let source: MonitoredSource;
  let routes: Map<string, readonly [permission: unknown, handler: Handler]>;
  let published: unknown[][];
  beforeEach(() => {
    clock = new VirtualClock();
    monitor = new TransferMonitor(clock);
    source = monitor.add({ node: NODE, cancel: (id) => id === 'a' });
    routes = new Map();
    published = [];
    const route =
      (method: string) =>
      (path: string, permission: unknown, handler: Handler): void =>
        void routes.set(`${method} ${path}`, [permission, handler]);
    register({ get: route('GET'), post: route('POST'), delete: route('DELETE') });
  });

  function register(httpAdmin: object | null): void {
    const host = {
      httpAdmin,
      auth: { needsPermission: (permission: string) => permission },
      comms: { publish: (...args: unknown[]) => published.push(args) },
    };
    registerSidebarRoutes(host as unknown as SidebarHost, monitor, clock);
  }

  function ask(route: string, id?: string): Answered {
    const answered: Answered = { status: 200 };
    const response = {
      status(code: number) {
        answered.status = code;
        return response;
      },
      json: (body: object) => (answered.body = JSON.parse(JSON.stringify(body))),
      end: () => undefined,
    };
    routes.get(route)![1]({ params: { id } }, response);
    return answered;
  }

  it('want the permission to read, and to cancel that to write', () => {
    should([...routes].map(([route, [permission]]) => [route, permission])).eql([
      ['GET /tftp/transfers', 'tftp.read'],
      ['POST /tftp/watch', 'tftp.read'],
      ['GET /tftp/transfers/:id', 'tftp.read'],
      ['DELETE /tftp/transfers/:id', 'tftp.write'],
    ]);
  });

  it('are none where the editor is switched off', () => {
    routes.clear();
    register(null);
    should(routes.size).equal(0);
  });

  it('publish what changes, to be kept for nobody who comes later', () => {
    should(ask('GET /tftp/transfers').body).have.properties({ sequence: 1, live: [] });
    source.tell(recordOf());
    clock.pass(PAUSE);
    should(ask('POST /tftp/watch').body).eql({ sequence: 2 });
    should(published.map(([topic, , retained]) => [topic, retained])).eql([
      ['tftp/transfers', false],
    ]);
    should(published[0]![1]).have.properties({ sequence: 2, liveCount: 1 });
  });

  it('tell all of one transfer', () => {
    const error = { code: 'ENOENT', tftpCode: 1, message: 'File not found' };
    const record = recordOf({ event: 'error', error, trace: ['+0.0 ms <- ERROR 1'] });
    source.tell(recordOf());
    source.tell(record);
    const { status, body } = ask('GET /tftp/transfers/:id', 'a');
    should(status).equal(200);
    should(body).have.properties({ record, node: NODE });
    should(body).have.property('diagnosis').which.is.an.Array().and.is.not.empty();
  });

  it('cancel one that runs', () => {
    source.tell(recordOf());
    should(ask('DELETE /tftp/transfers/:id', 'a')).eql({ status: 204 });
  });

  for (const route of ['GET /tftp/transfers/:id', 'DELETE /tftp/transfers/:id']) {
    it(`answer ${route} with 404 if there is no such transfer`, () => {
      const { status, body } = ask(route, 'none');
      should(status).equal(404);
      should(body).have.property('code', 'ENOENT');
      should(body).have.property('message').which.is.a.String();
    });
  }

  it('answer with 500 when something throws', () => {
    const failing = monitor.add({
      node: NODE,
      cancel: () => {
        throw new Error('no');
      },
    });
    failing.tell(recordOf());
    should(ask('DELETE /tftp/transfers/:id', 'a')).eql({
      status: 500,
      body: { code: 'EIO', message: 'no' },
    });
  });
});
