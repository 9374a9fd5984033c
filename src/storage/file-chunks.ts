/** The content of open files that several transfers read, a chunk at a time. */

/** The first chunk of a file is small: many ask for a file only to see whether it is there. */
export const FIRST_CHUNK = 16 * 1024;
const CHUNK = 256 * 1024;

/** Bytes that all chunks together may take. */
const CAPACITY = 8 * 1024 * 1024;

/** Part of a file. */
interface Chunk {
  readonly owner: FileChunks;
  /** Where it begins in the file. */
  readonly start: number;
  readonly length: number;
  readonly bytes: Promise<Uint8Array>;
}

/** Holds the chunks that were used last, of all files together. */
export class ChunkMemory {
  readonly #capacity: number;
  /** The one that was not used for longest comes first. */
  readonly #chunks = new Set<Chunk>();
  #held = 0;

  /** @param capacity In bytes. @default 8 MiB */
  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#held;
  }

  use(chunk: Chunk): void {
    if (!this.#chunks.delete(chunk)) this.#held += chunk.length;
    this.#chunks.add(chunk);
    for (const oldest of this.#chunks) {
      if (this.#held <= this.#capacity) return;
      oldest.owner.forget(oldest);
    }
  }

  drop(chunk: Chunk): void {
    if (this.#chunks.delete(chunk)) this.#held -= chunk.length;
  }
}

/** Reads bytes of a file; fewer only if it ends before. */
export type ReadAt = (position: number, length: number) => Promise<Uint8Array>;

/** The chunks of one file. What one reader has read is there for all; nobody may change it. */
export class FileChunks {
  readonly #size: number;
  readonly #readAt: ReadAt;
  readonly #memory: ChunkMemory;
  readonly #chunks = new Map<number, Chunk>();

  constructor(size: number, readAt: ReadAt, memory: ChunkMemory) {
    this.#size = size;
    this.#readAt = readAt;
    this.#memory = memory;
  }

  /**
   * The bytes from `position` to the end of their chunk, at most `wanted`. Readers that want the same
   * chunk at once wait for one reading of it.
   *
   * @returns nothing at all if the file is not so long any more.
   */
  async read(position: number, wanted: number): Promise<Uint8Array> {
    const chunk = this.#chunkAt(position);
    this.#memory.use(chunk);
    try {
      const bytes = await chunk.bytes;
      const offset = position - chunk.start;
      return bytes.subarray(offset, offset + wanted);
    } catch (error) {
      this.forget(chunk);
      throw error;
    }
  }

  forget(chunk: Chunk): void {
    this.#memory.drop(chunk);
    if (this.#chunks.get(chunk.start) === chunk) this.#chunks.delete(chunk.start);
  }

  forgetAll(): void {
    for (const chunk of this.#chunks.values()) this.forget(chunk);
  }

  #chunkAt(position: number): Chunk {
    const start = position < FIRST_CHUNK ? 0 : position - ((position - FIRST_CHUNK) % CHUNK);
    const known = this.#chunks.get(start);
    if (known !== undefined) return known;
    const length = Math.min(start === 0 ? FIRST_CHUNK : CHUNK, this.#size - start);
    const chunk = { owner: this, start, length, bytes: this.#readAt(start, length) };
    this.#chunks.set(start, chunk);
    return chunk;
  }
}
