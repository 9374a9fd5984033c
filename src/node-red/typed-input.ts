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
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LocalError('EINVAL', `${field} cannot be evaluated: ${reason}`, { cause });
  }
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
