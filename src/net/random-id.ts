/** Names for what is neither secret nor long-lived. */

/**
 * A UUID of version 4 (RFC 9562 section 5.4). It tells transfers apart and grants nothing, so
 * `Math.random` will do: Node's crypto takes up to five milliseconds to load, of the thirty that a
 * small get of `red-tftp` takes beyond the start of Node.js itself.
 */
export function randomId(): string {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replaceAll(/[xy]/g, (place) => {
    const digit = Math.floor(Math.random() * 16);
    return (place === 'x' ? digit : (digit & 0x3) | 0x8).toString(16);
  });
}
