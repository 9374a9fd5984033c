// Files of bytes that are random, and the same in every run. They are kept in memory where that is
// possible, so that no disk is measured.
import { createCipheriv, createHash } from 'node:crypto';
import { accessSync, constants, createReadStream, existsSync } from 'node:fs';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

const MEMORY = '/dev/shm';
const CHUNK = 1 << 20;

/** A temporary folder: `root` is what the servers serve, `local` is the clients' own. */
export class Files {
  constructor() {
    this.folder = mkdtempSync(path.join(memoryFolder(), 'red-tftp-bench-'));
    this.root = path.join(this.folder, 'root');
    this.local = path.join(this.folder, 'local');
    for (const folder of [this.root, this.local]) mkdirSync(folder);
    // Some servers give up their rights.
    for (const folder of [this.folder, this.root, this.local]) chmodSync(folder, 0o777);
  }

  /** The name, below `root`, of a file of so many bytes. */
  ofSize(bytes) {
    const name = `${bytes}.bin`;
    const file = path.join(this.root, name);
    if (!existsSync(file)) writeRandom(file, bytes);
    return name;
  }

  remove() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function writeRandom(file, bytes) {
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32), Buffer.alloc(16));
  const zeros = Buffer.alloc(CHUNK);
  const target = openSync(file, 'w', 0o644);
  for (let at = 0; at < bytes; at += CHUNK) {
    writeSync(target, stream.update(zeros.subarray(0, Math.min(CHUNK, bytes - at))));
  }
  closeSync(target);
}

function memoryFolder() {
  try {
    accessSync(MEMORY, constants.W_OK);
    return MEMORY;
  } catch {
    return tmpdir();
  }
}
