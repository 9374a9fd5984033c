/** What a TypedInput field stands for, once a message has come. */

import { LocalError } from '../protocol/errors';
import type { Node, NodeAPI, NodeMessage } from 'node-red';
import type { TypedValue } from './node-config';

/**
 * Evaluates a field: text, number, JSON, Buffer, environment variable, message property, context
 * of any store, JSONata.
 *
 * @throws {LocalError} EINVAL, naming the field, if it cannot be evaluated.
 */
export async function evaluate(
  RED: NodeAPI,
  node: Node,
  field: string,
  input: TypedValue,
  msg: NodeMessage,
): Promise<unknown> {
  try {
    return await evaluateProperty(RED, node, input, msg);
  } catch (cause) {
    throw new LocalError('EINVAL', `${field} cannot be evaluated: ${reasonOf(cause)}`, { cause });
  }
}

/** JSONata throws objects that are no errors, with the text in `message`. */
function reasonOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return String(cause);
  const { message }: { message?: unknown } = cause;
  return typeof message === 'string' && message !== '' ? message : JSON.stringify(cause);
}

/** The callback form is the only one that serves context stores and JSONata alike. */
function evaluateProperty(
  RED: NodeAPI,
  node: Node,
  { value, type }: TypedValue,
  msg: NodeMessage,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    RED.util.evaluateNodeProperty(value, type, node, msg, (error, result: unknown) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}
