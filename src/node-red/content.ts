/** The bytes that a value of a message stands for. */

import { invalidSetting } from '../net/check-setting';

/**
 * The bytes of a value: Buffers as they are, text as UTF-8, numbers and booleans as text, objects
 * and arrays as JSON.
 *
 * @throws {LocalError} EINVAL for nothing, and for what JSON cannot express.
 */
export function contentOf(value: unknown): Uint8Array | string {
  if (typeof value === 'string' || value instanceof Uint8Array) return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const json = typeof value === 'object' && value !== null ? toJson(value) : undefined;
  if (json !== undefined) return json;
  throw invalidSetting('nothing to send: the source has no value, set msg.payload for example');
}

function toJson(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw invalidSetting(`the source cannot be sent as JSON: ${String(cause)}`);
  }
}
