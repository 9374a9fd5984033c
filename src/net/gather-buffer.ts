/** Small pieces of bytes, put end to end until they are worth a write. */

/** Bytes to begin with: most files are small. */
const FIRST_SIZE = 4 * 1024;

export class GatherBuffer {
  #bytes = new Uint8Array(0);
  #length = 0;
  /** What was taken last tells how much there may be next. */
  #nextSize = FIRST_SIZE;

  /** Bytes that are gathered. */
  get length(): number {
    return this.#length;
  }

  /** Takes bytes. They are copied. */
  push(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) this.#grow(length);
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** Everything that is gathered; then nothing is. The memory is the caller's: a stream may hold it for long. */
  take(): Uint8Array {
    const chunk = this.#bytes.subarray(0, this.#length);
    this.#nextSize = chunk.length;
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return chunk;
  }

  #grow(needed: number): void {
    const larger = allocate(Math.max(this.#nextSize, 2 * this.#bytes.length, needed));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Without zeros, as every byte is written before it is read. */
function allocate(size: number): Uint8Array<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(size);
}
