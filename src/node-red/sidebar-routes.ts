/** What the TFTP sidebar asks of the runtime, and hears from it. */

import { systemClock } from '../net/clock';
import { diagnose } from '../net/diagnosis';
import { toTftpError } from './messages';
import { MonitorFeed } from './monitor-feed';
import { isBlank } from './setting';
import { transferMonitor } from './transfer-monitor';
import type { NodeAPI } from 'node-red';
import type { Clock } from '../net/clock';
import type { Diagnosis } from '../net/diagnosis';
import type { TransferRecord } from '../net/transfer-record';
import type { MonitoredNode } from './monitored-transfer';
import type { TransferMonitor } from './transfer-monitor';

/** The topic of the deltas. */
const TOPIC = 'tftp/transfers';

/** What the routes need of Node-RED. */
export type SidebarHost = Pick<NodeAPI, 'httpAdmin' | 'auth' | 'comms'>;

/** All that is known of one transfer. */
export interface TransferDetails {
  readonly record: TransferRecord;
  readonly node: MonitoredNode;
  /** What happened, the most important first. */
  readonly diagnosis: readonly Diagnosis[];
}

/** What an answer needs of express. */
interface Answer {
  status(code: number): Answer;
  json(body: object): unknown;
  end(): unknown;
}

/**
 * Adds the routes to the admin server; to be called once, when the plugin is loaded.
 *
 * - `GET tftp/transfers`: a `Snapshot`. From then on changes are published for thirty seconds.
 * - `POST tftp/watch`: for thirty more. Answers with `{sequence}`, the number of the last change.
 * - `GET tftp/transfers/ID`: its {@link TransferDetails}.
 * - `DELETE tftp/transfers/ID`: cancels it.
 *
 * The first three want the permission `tftp.read`, the last one `tftp.write`. What cannot be done is
 * answered with 404 and `{code, message}`.
 */
export function registerSidebarRoutes(
  { httpAdmin, auth, comms }: SidebarHost,
  monitor: TransferMonitor = transferMonitor,
  clock: Clock = systemClock,
): void {
  // Where the editor is switched off there is nobody to ask.
  if (isBlank(httpAdmin)) return;
  const feed = new MonitorFeed(monitor, (delta) => comms.publish(TOPIC, delta, false), clock);
  const mayRead = auth.needsPermission('tftp.read');
  const mayWrite = auth.needsPermission('tftp.write');
  httpAdmin.get('/tftp/transfers', mayRead, (_request, response) => {
    answer(response, () => feed.snapshot());
  });
  httpAdmin.post('/tftp/watch', mayRead, (_request, response) => {
    answer(response, () => ({ sequence: feed.watch() }));
  });
  httpAdmin.get('/tftp/transfers/:id', mayRead, ({ params }, response) => {
    answer(response, () => details(monitor, String(params['id'])));
  });
  httpAdmin.delete('/tftp/transfers/:id', mayWrite, ({ params }, response) => {
    answer(response, () => (monitor.cancel(String(params['id'])) ? 'done' : undefined));
  });
}

function details(monitor: TransferMonitor, id: string): TransferDetails | undefined {
  const found = monitor.find(id);
  if (found === undefined) return undefined;
  const { node, record } = found;
  return { record, node, diagnosis: diagnose(record) };
}

/** Answers with what `find` returns, or tells why it cannot. */
function answer(response: Answer, find: () => object | 'done' | undefined): void {
  try {
    const found = find();
    if (found === 'done') response.status(204).end();
    else if (found === undefined) response.status(404).json(NOT_FOUND);
    else response.json(found);
  } catch (thrown) {
    const { code, message } = toTftpError(thrown);
    response.status(500).json({ code, message });
  }
}

const NOT_FOUND = {
  code: 'ENOENT',
  message: 'There is no such transfer: it has ended, or is forgotten by now',
};
