import { ClientNode } from '../src/node-red/client-node';
import { closeNode } from '../src/node-red/close-node';
import { afterFlowsStarted } from '../src/node-red/flows-started';
import { GetWork } from '../src/node-red/get-work';
import { parseGetConfig } from '../src/node-red/node-config';
import { usableConfig } from '../src/node-red/report-error';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Saved, TFTP_GET_DEFAULTS } from '../src/node-red/node-config';

type TftpGetDef = NodeDef & Saved<typeof TFTP_GET_DEFAULTS>;

export = function (RED: NodeAPI): void {
  RED.nodes.registerType('tftp-get', function (this: Node, saved: TftpGetDef): void {
    RED.nodes.createNode(this, saved);
    const config = usableConfig(RED, this, saved, () => parseGetConfig(saved));
    if (config === undefined) return;
    const work = new GetWork(RED, this, config);
    const client = new ClientNode(RED, this, config, work);
    this.on('input', (msg, send, done) => client.handleInput(msg, send, done));
    const forget = afterFlowsStarted(RED.events, () => client.catchUp());
    this.on('close', (removed: boolean, done: () => void) => {
      forget();
      closeNode(() => client.close(removed), done);
    });
  });
};
