/** How a node tells that its settings cannot be used. */

import { afterFlowsStarted } from './flows-started';
import {
  catchError,
  failedMessage,
  failurePayload,
  failureRecords,
  sendEvent,
  toTftpError,
  withoutPayload,
} from './messages';
import { startFailureStatus, statusTexts } from './status';
import type { Node, NodeAPI } from 'node-red';
import type { TftpError } from '../protocol/errors';
import type { EventsChoice, Saved } from './node-config';

/**
 * Parses the settings of a node. If they cannot be used, the node says so once, and every message
 * that it gets ends with the same error; nothing is returned.
 */
export function usableConfig<Config>(
  RED: NodeAPI,
  node: Node,
  saved: Saved<{ events: string }>,
  parse: () => Config,
): Config | undefined {
  try {
    return parse();
  } catch (thrown) {
    refuseMessages(RED, node, saved, toTftpError(thrown));
    return undefined;
  }
}

function refuseMessages(
  RED: NodeAPI,
  node: Node,
  saved: Saved<{ events: string }>,
  error: TftpError,
): void {
  // Catch and Status nodes hear of a node only once the whole flow stands.
  const forget = afterFlowsStarted(RED.events, () => {
    node.status(startFailureStatus(statusTexts(RED), error, 0));
    node.error(catchError(error), { payload: failurePayload(error) });
  });
  node.on('close', forget);
  node.on('input', (msg, send, done) => {
    const nothing = { operation: 'read', host: '', port: 0, filename: '' } as const;
    const records = failureRecords(nothing, error);
    for (const record of records) {
      const properties = RED.util.cloneMessage(withoutPayload(msg));
      sendEvent(send, eventsChoice(saved), properties, record);
    }
    failedMessage(msg, records[1]);
    done(catchError(error));
  });
}

function eventsChoice({ events }: Saved<{ events: string }>): EventsChoice {
  return events === 'separate' || events === 'none' ? events : 'one';
}
