import should = require('should');
import { ChunkMemory, FileChunks } from '../../src/storage/file-chunks';

const KIB = 1024;

describe('FileChunks', () => {
  /** A file of random length in which each KiB holds its number, and a list of what is read of it. */
  function file(size: number, memory = new ChunkMemory()) {
    const reads: [position: number, length: number][] = [];
    const content = Buffer.alloc(size);
    for (let at = 0; at < size; at += 1) content[at] = Math.floor(at / KIB) % 251;
    const readAt = async (position: number, length: number): Promise<Uint8Array> => {
      reads.push([position, length]);
      return Buffer.from(content.subarray(position, position + length));
    };
    return { chunks: new FileChunks(size, readAt, memory), content, reads, memory };
  }

  async function readWhole(chunks: FileChunks, size: number, wanted: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for (let at = 0; at < size;) {
      const part = await chunks.read(at, wanted);
      should(part.length).be.within(1, wanted);
      parts.push(part);
      at += part.length;
    }
    return Buffer.concat(parts);
  }

  it('reads 16 KiB, then 256 KiB at a time, and the rest', async () => {
    const size = 600 * KIB + 7;
    const { chunks, content, reads } = file(size);
    should((await readWhole(chunks, size, 100_000)).equals(content)).be.true();
    should(reads).deepEqual([
      [0, 16 * KIB],
      [16 * KIB, 256 * KIB],
      [272 * KIB, 256 * KIB],
      [528 * KIB, 72 * KIB + 7],
    ]);
  });

  it('reads each chunk once for all readers', async () => {
    const size = 300 * KIB;
    const { chunks, content, reads } = file(size);
    const readers = Array.from({ length: 20 }, (_, i) => readWhole(chunks, size, 1000 + 999 * i));
    for (const whole of await Promise.all(readers)) should(whole.equals(content)).be.true();
    should(reads).have.length(3);
  });

  it('gives views, not copies', async () => {
    const { chunks } = file(1000);
    const [one, two] = await Promise.all([chunks.read(0, 500), chunks.read(500, 9999)]);
    should(one).have.length(500);
    should(two).have.length(500);
    should(one.buffer).equal(two.buffer);
  });

  it('forgets the chunk that was not used for longest, of whatever file', async () => {
    const memory = new ChunkMemory(40 * KIB);
    const one = file(16 * KIB, memory);
    const two = file(16 * KIB, memory);
    const three = file(16 * KIB, memory);
    await one.chunks.read(0, 1);
    await two.chunks.read(0, 1);
    await one.chunks.read(0, 1);
    await three.chunks.read(0, 1);
    should(memory.held).equal(32 * KIB);
    await one.chunks.read(0, 1);
    should(one.reads).have.length(1);
    await two.chunks.read(0, 1);
    should(two.reads).have.length(2);
    two.chunks.forgetAll();
    three.chunks.forgetAll();
    one.chunks.forgetAll();
    should(memory.held).equal(0);
  });

  it('gives a chunk that is larger than its memory', async () => {
    const { chunks, content, memory } = file(100 * KIB, new ChunkMemory(10));
    should((await readWhole(chunks, 100 * KIB, 4000)).equals(content)).be.true();
    should(memory.held).equal(0);
  });

  it('does not keep what could not be read', async () => {
    const memory = new ChunkMemory();
    let reads = 0;
    const readAt = async (_: number, length: number): Promise<Uint8Array> => {
      reads += 1;
      if (reads === 1) throw new Error('bad sector');
      return Buffer.alloc(length);
    };
    const chunks = new FileChunks(10, readAt, memory);
    const both = await Promise.allSettled([chunks.read(0, 10), chunks.read(0, 10)]);
    should(both.map(({ status }) => status)).deepEqual(['rejected', 'rejected']);
    should(reads).equal(1);
    should(memory.held).equal(0);
    should(await chunks.read(0, 10)).have.length(10);
  });

  it('gives nothing beyond the end of a file that became shorter', async () => {
    const chunks = new FileChunks(10, async () => Buffer.from('abc'), new ChunkMemory());
    should((await chunks.read(1, 10)).toString()).equal('bc');
    should(await chunks.read(3, 7)).have.length(0);
  });
});
