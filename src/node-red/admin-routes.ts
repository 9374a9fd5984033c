/** What the editor asks of the runtime. */

import { isIP } from 'node:net';
import { checkNumber, invalidSetting } from '../net/check-setting';
import { NameRules } from '../server/names/name-rules';
import { toTftpError } from './messages';
import { choiceSetting, isBlank, textSetting } from './setting';
import type { NodeAPI } from 'node-red';
import type { NameRequest, NameStep } from '../server/names/name-rules';
import type { AddressFamily } from '../server/server-options';
import type { Place, PortAnswer, ServerPlaces } from './port-check';

/** Characters. */
const MAX_RULES_LENGTH = 64 * 1024;
const MAX_NAME_LENGTH = 512;
/** Lines of rules that are tried. */
const MAX_RULES = 1000;
/** Steps that are told: more, nobody reads. */
const MAX_STEPS = 200;

/** What each rule makes of a name, and what comes of it: a name, or the text that the client gets. */
export interface NameTrial {
  /** The first 200. */
  readonly steps: readonly NameStep[];
  /** How many more there were. */
  readonly moreSteps?: number;
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
 * 400 and `{code, message}`: rules of more than 1000 lines or 65536 characters, a rule of more than
 * 2048, a name of more than 512. It wants the permission `tftp.write`, as it makes Node-RED work.
 *
 * `GET tftp/port?port=&address=&family=&node=` answers with a {@link PortAnswer}: whether the node
 * with this id could listen there. What is no port or address is answered in the same way. It wants
 * the permission `tftp.read`.
 */
export function registerAdminRoutes({ httpAdmin, auth }: RoutesHost, places: ServerPlaces): void {
  // Where the editor is switched off there is nobody to ask.
  if (isBlank(httpAdmin)) return;
  const readers = auth.needsPermission('tftp.read');
  const writers = auth.needsPermission('tftp.write');
  httpAdmin.post('/tftp/try-name', writers, (request, response) => {
    answer(response, tryName(request.body));
  });
  httpAdmin.get('/tftp/port', readers, (request, response) => {
    answer(response, checkPort(request.query, places));
  });
}

/** What is used of a response of Express. */
interface JsonResponse {
  status(code: number): JsonResponse;
  json(body: unknown): unknown;
}

function answer(response: JsonResponse, outcome: Promise<unknown>): void {
  outcome.then(
    (body) => response.json(body),
    (error: unknown) => {
      const { code, message } = toTftpError(error);
      response.status(400).json({ code, message });
    },
  );
}

/** @throws {LocalError} EINVAL for what is no place. */
async function checkPort(
  query: Readonly<Record<string, unknown>>,
  places: ServerPlaces,
): Promise<PortAnswer> {
  return places.check(parsePlace(query), textSetting(query['node']));
}

function parsePlace(query: Readonly<Record<string, unknown>>): Place {
  const port = Number(query['port']);
  checkNumber('port', port, 1, 65535);
  const address = textSetting(query['address']);
  if (address !== '' && isIP(address) === 0) {
    throw invalidSetting('The address must be an IP address, such as 192.0.2.1, or blank');
  }
  const families = ['both', 'ipv4', 'ipv6'] as const;
  const family = choiceSetting<AddressFamily>('family', query['family'] ?? 'both', families);
  return { port, address, family };
}

/** @throws {LocalError} EINVAL for wrong rules, with their lines, and for what is no request. */
async function tryName(body: unknown): Promise<NameTrial> {
  const asked: Record<string, unknown> = { ...Object(body) };
  const text = boundedText('rules', asked['rules'], MAX_RULES_LENGTH);
  if (text.split('\n').length > MAX_RULES) {
    throw invalidSetting(`The rules have more than ${MAX_RULES} lines: test a part of them`);
  }
  const request = parseRequest(asked);
  const { steps, outcome } = await NameRules.parse(text).explain(request);
  const told = {
    steps: steps.slice(0, MAX_STEPS),
    ...(steps.length > MAX_STEPS && { moreSteps: steps.length - MAX_STEPS }),
  };
  if ('name' in outcome) return { ...told, name: outcome.name };
  return { ...told, refused: outcome.refused.peerMessage };
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
