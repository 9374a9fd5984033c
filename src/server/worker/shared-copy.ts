/** Bytes that several threads read. */

/** The last shared copy of each content that is still in use somewhere. */
const copies = new WeakMap<Uint8Array, WeakRef<SharedArrayBuffer>>();

/**
 * A copy in memory that all threads share. While the content stays as it is, many clients that read
 * it at once share one copy.
 */
export function sharedCopy(bytes: Uint8Array): Uint8Array {
  const known = copies.get(bytes)?.deref();
  if (known && known.byteLength === bytes.length) {
    const shared = new Uint8Array(known);
    if (Buffer.compare(shared, bytes) === 0) return shared;
  }
  const memory = new SharedArrayBuffer(bytes.length);
  const shared = new Uint8Array(memory);
  shared.set(bytes);
  copies.set(bytes, new WeakRef(memory));
  return shared;
}
