import { registerAdminRoutes } from '../src/node-red/admin-routes';
import { closeNode } from '../src/node-red/close-node';
import { afterFlowsStarted } from '../src/node-red/flows-started';
import { parseServerConfig } from '../src/node-red/node-config';
import { ServerPlaces } from '../src/node-red/port-check';
import { usableConfig } from '../src/node-red/report-error';
import { ServerNode } from '../src/node-red/server-node';
import { describeNode } from '../src/node-red/transfer-monitor';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Saved, TFTP_SERVER_DEFAULTS } from '../src/node-red/node-config';

type TftpServerDef = NodeDef & Saved<typeof TFTP_SERVER_DEFAULTS>;

export = function (RED: NodeAPI): void {
  const places = new ServerPlaces();
  registerAdminRoutes(RED, places);
  RED.nodes.registerType('tftp-server', function (this: Node, saved: TftpServerDef): void {
    RED.nodes.createNode(this, saved);
    const config = usableConfig(RED, this, saved, () => parseServerConfig(saved));
    if (config === undefined) return;
    const server = new ServerNode(RED, this, config);
    const { reveal: id, name } = describeNode(this);
    const forget = places.add({ id, name, server });
    server.start();
    const forgetStart = afterFlowsStarted(RED.events, () => server.catchUp());
    if (config.control) this.on('input', (msg, send, done) => server.handleInput(msg, send, done));
    this.on('close', (removed: boolean, done: () => void) => {
      forget();
      forgetStart();
      closeNode(() => server.close(removed), done);
    });
  });
};
