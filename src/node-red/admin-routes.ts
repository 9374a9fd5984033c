/** What the editor asks of the runtime. */

import { isIP } from 'node:net';
import { invalidSetting } from '../net/check-setting';
import { NameRules } from '../server/names/name-rules';
import { toTftpError } from './messages';
import { isBlank, textSetting } from './setting';
import type { NodeAPI } from 'node-red';
import type { NameRequest, NameStep } from '../server/names/name-rules';

/** Characters. */
const MAX_RULES_LENGTH = 64 * 1024;
const MAX_NAME_LENGTH = 512;

/** What each rule makes of a name, and what comes of it: a name, or the text that the client gets. */
export interface NameTrial {
  readonly steps: readonly NameStep[];
  readonly name?: string;
  readonly refused?: string;
}

/** What the routes need of Node-RED. */
export type RoutesHost = Pick<NodeAPI, 'httpAdmin' | 'auth'>;

/**
 * Adds the routes to the admin server; to be called once, when the nodes are loaded.
 *
 * `POST tftp/try-name` with `{rules, name, client, write}` answers with a {@link NameTrial}: what the
 * rules of a dialog make of a name. For `E` any file exists. What cannot be tried is answered with
 * 400 and `{code, message}`. It wants the permission `tftp.read`.
 */
export function registerAdminRoutes({ httpAdmin, auth }: RoutesHost): void {
  // Where the editor is switched off there is nobody to ask.
  if (isBlank(httpAdmin)) return;
  httpAdmin.post('/tftp/try-name', auth.needsPermission('tftp.read'), (request, response) => {
    tryName(request.body).then(
      (trial) => response.json(trial),
      (error: unknown) => {
        const { code, message } = toTftpError(error);
        response.status(400).json({ code, message });
      },
    );
  });
}

/** @throws {LocalError} EINVAL for wrong rules, with their lines, and for what is no request. */
async function tryName(body: unknown): Promise<NameTrial> {
  const asked: Record<string, unknown> = { ...Object(body) };
  const rules = NameRules.parse(boundedText('rules', asked['rules'], MAX_RULES_LENGTH));
  const { steps, outcome } = await rules.explain(parseRequest(asked));
  if ('name' in outcome) return { steps, name: outcome.name };
  return { steps, refused: outcome.refused.peerMessage };
}

function parseRequest(asked: Record<string, unknown>): NameRequest {
  const client = textSetting(asked['client']) || '127.0.0.1';
  if (isIP(client) === 0) {
    throw invalidSetting('The client must be an IP address, such as 192.0.2.1');
  }
  return {
    name: boundedText('name', asked['name'], MAX_NAME_LENGTH),
    client,
    operation: asked['write'] === true ? 'write' : 'read',
  };
}

function boundedText(what: string, value: unknown, most: number): string {
  if (typeof value === 'string' && value.length <= most) return value;
  throw invalidSetting(`The ${what} must be text of ${most} characters at most`);
}
