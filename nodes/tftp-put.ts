import { ClientNode } from '../src/node-red/client-node';
import { closeNode } from '../src/node-red/close-node';
import { afterFlowsStarted } from '../src/node-red/flows-started';
import { PutWork } from '../src/node-red/put-work';
import { parsePutConfig } from '../src/node-red/node-config';
import { usableConfig } from '../src/node-red/report-error';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Saved, TFTP_PUT_DEFAULTS } from '../src/node-red/node-config';

type TftpPutDef = NodeDef & Saved<typeof TFTP_PUT_DEFAULTS>;

export = function (RED: NodeAPI): void {
  RED.nodes.registerType('tftp-put', function (this: Node, saved: TftpPutDef): void {
    RED.nodes.createNode(this, saved);
    const config = usableConfig(RED, this, saved, () => parsePutConfig(saved));
    if (config === undefined) return;
    const work = new PutWork(RED, this, config);
    const client = new ClientNode(RED, this, config, work);
    this.on('input', (msg, send, done) => client.handleInput(msg, send, done));
    const forget = afterFlowsStarted(RED.events, () => client.catchUp());
    this.on('close', (removed: boolean, done: () => void) => {
      forget();
      closeNode(() => client.close(removed), done);
    });
  });
};
