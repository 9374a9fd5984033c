/** How a node tells that its settings cannot be used. */

import { failureRecords, sendEvent, toTftpError } from './messages';
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
  const report = setImmediate(() => {
    node.status(startFailureStatus(statusTexts(RED), error.code, 0));
    node.error(error, { payload: error.message });
  });
  node.on('close', () => clearImmediate(report));
  node.on('input', (msg, send, done) => {
    const nothing = { operation: 'read', host: '', port: 0, filename: '' } as const;
    for (const record of failureRecords(nothing, error)) {
      sendEvent(RED, send, eventsChoice(saved), msg, record);
    }
    done(error);
  });
}

function eventsChoice({ events }: Saved<{ events: string }>): EventsChoice {
  return events === 'separate' || events === 'none' ? events : 'one';
}
