import should = require('should');
import { FlowNews, UntoldNews } from '../../src/node-red/flow-news';
import { clientProperties, failureRecords } from '../../src/node-red/messages';
import { CancelError } from '../../src/protocol/errors';
import type { NodeMessage } from 'node-red';
import type { News, NewsOutlet } from '../../src/node-red/flow-news';
import type { TransferRecord } from '../../src/net/transfer-record';

const REQUEST = { operation: 'read', host: '192.0.2.1', port: 69, filename: 'f' } as const;

function ending(): TransferRecord {
  return failureRecords(REQUEST, new CancelError())[1];
}

/** A node that keeps what it is told to tell. */
function outlet(id = 'n'): { node: NewsOutlet; told: unknown[][]; log: string[] } {
  const told: unknown[][] = [];
  const log: string[] = [];
  const node: NewsOutlet = {
    id,
    send: (messages) => void told.push(messages as unknown[]),
    error: (error, message) => void told.push([error, message]),
    log: (text) => void log.push(`log: ${text}`),
    warn: (text) => void log.push(`warn: ${text}`),
  };
  return { node, told, log };
}

const event = (record = ending()): News => ({ record, properties: clientProperties(record) });

describe('FlowNews', () => {
  it('are told at once while the node is open', () => {
    const { node, told } = outlet();
    const news = new FlowNews(node, 'one', new UntoldNews());
    const record = ending();
    news.tell(event(record));
    news.tell({ result: { payload: 'content' } });
    const failure = new Error('no');
    const message: NodeMessage = { payload: record };
    news.tell({ failure, message });
    should(told).eql([
      [
        null,
        {
          topic: 'f',
          filename: 'f',
          ip: '192.0.2.1',
          clientPort: 69,
          payload: record,
          event: 'error',
        },
      ],
      [{ payload: 'content' }],
      [failure, message],
    ]);
  });

  it('of a node that starts again are told then, once, as its new settings say', () => {
    const untold = new UntoldNews();
    const before = outlet();
    const old = new FlowNews(before.node, 'one', untold);
    old.hold(false);
    should(old.holds).be.true();
    old.tell(event());
    old.tell({ result: { payload: 'late' } });
    should(before.told).be.empty();

    const other = outlet('another');
    new FlowNews(other.node, 'one', untold).catchUp();
    const after = outlet();
    const next = new FlowNews(after.node, 'separate', untold);
    should(after.told).be.empty();
    next.catchUp();
    should(after.told.map((message) => message.length)).eql([5, 1]);
    next.hold(false);
    new FlowNews(after.node, 'one', untold).catchUp();
    should(after.told).have.length(2);
    should(other.told).be.empty();
  });

  it('that come after the node runs again are told by the new one', () => {
    const untold = new UntoldNews();
    const before = outlet();
    const after = outlet();
    const old = new FlowNews(before.node, 'one', untold);
    old.hold(false);
    new FlowNews(after.node, 'one', untold).catchUp();
    old.tell(event());
    should([before.told.length, after.told.length]).eql([0, 1]);
  });

  it('of a node that was removed are told at once', () => {
    const untold = new UntoldNews();
    const { node, told, log } = outlet();
    const news = new FlowNews(node, 'one', untold);
    news.hold(true);
    should(news.holds).be.false();
    news.tell(event());
    should(told).have.length(1);
    news.logCut();
    should(log).eql([
      'warn: Transfers that ended because the node was stopped: 1 ("f" with 192.0.2.1)',
    ]);
  });

  it('stand in the log, some of many by name, and nothing if there was none', () => {
    const { node, log } = outlet();
    const news = new FlowNews(node, 'one', new UntoldNews());
    news.tell(event());
    news.hold(false);
    news.logCut();
    should(log).be.empty();
    for (let count = 0; count < 7; count += 1) news.tell(event());
    news.logCut();
    should(log).have.length(1);
    should(log[0]).match(/^log: .*stopped: 7 \(("f" with 192\.0\.2\.1, ){5}…\)$/);
  });

  it('are bounded, and the log says how many are lost', () => {
    const untold = new UntoldNews();
    const { node, log } = outlet();
    const news = new FlowNews(node, 'one', untold);
    news.hold(false);
    for (let count = 0; count < 5003; count += 1) news.tell(event());
    news.logCut();
    should(log[0]).match(/messages that are lost: 3$/);
    const after = outlet();
    new FlowNews(after.node, 'one', untold).catchUp();
    should(after.told).have.length(5000);
    should(untold.keep('n2', event())).be.true();
  });
});
