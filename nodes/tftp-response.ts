import { parseResponseConfig } from '../src/node-red/node-config';
import { usableConfig } from '../src/node-red/report-error';
import { ResponseNode } from '../src/node-red/response-node';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Saved, TFTP_RESPONSE_DEFAULTS } from '../src/node-red/node-config';

type TftpResponseDef = NodeDef & Saved<typeof TFTP_RESPONSE_DEFAULTS>;

export = function (RED: NodeAPI): void {
  RED.nodes.registerType('tftp-response', function (this: Node, saved: TftpResponseDef): void {
    RED.nodes.createNode(this, saved);
    const config = usableConfig(RED, this, { events: 'none' }, () => parseResponseConfig(saved));
    if (config === undefined) return;
    const response = new ResponseNode(RED, this, config);
    this.on('input', (msg, _send, done) => response.handleInput(msg, done));
    this.on('close', () => response.close());
  });
};
