/**
 * The temporary file of an upload. It lies in the folder of its target, so that a rename can put it
 * in place, and its name tells who wrote it: `.<target>.<process id>-<random>.tftp-part`.
 */

import type { Stats } from 'node:fs';
import { open, unlink, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from './file-error';

/** Small blocks are gathered to this many bytes, to spare calls; 500 uploads then take 32 MB. */
const BUFFER_SIZE = 64 * 1024;

/** A file name may have 255 bytes; the target's name is cut to at most 200 of them. */
const NAME_START = /^.{0,50}/su;

/** No transfer is silent for so long. */
const STALE_AFTER_MS = 10 * 60 * 1000;

const PART_NAME = /^\..*\.(\d+)-[0-9a-f]{16}\.tftp-part$/i;

const liveParts = new Set<string>();

/** True for a name that only our temporary files have: clients may neither read nor write one. */
export function isPartName(name: string): boolean {
  return PART_NAME.test(name);
}

/**
 * True if nobody writes a temporary file any more: its process is gone, or has not touched it for
 * ten minutes. With our own process id it is a leftover if it is older than this process.
 *
 * @param now Milliseconds since 1970.
 */
export function isLeftover(file: string, stats: Stats, now: number): boolean {
  const writer = Number(PART_NAME.exec(path.basename(file))?.[1]);
  if (!stats.isFile() || Number.isNaN(writer) || liveParts.has(file)) return false;
  if (writer === process.pid) return stats.mtimeMs < performance.timeOrigin;
  return !isRunning(writer) || now - stats.mtimeMs > STALE_AFTER_MS;
}

/** A new file that only its owner knows of. Calls must not overlap, but for `remove`. */
export class PartFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #buffer: Buffer | undefined;
  #buffered = 0;

  private constructor(file: string, handle: FileHandle) {
    this.path = file;
    this.#handle = handle;
  }

  /**
   * Creates the file beside `target`.
   *
   * @param mode Its permissions, exactly; left out, the process's default.
   */
  static async create(target: string, mode?: number): Promise<PartFile> {
    const file = path.join(path.dirname(target), partName(path.basename(target)));
    liveParts.add(file);
    try {
      const part = new PartFile(file, await open(file, 'wx', mode));
      // File systems without permissions (FAT, SMB) refuse this, and have nothing to lose.
      if (mode !== undefined) await part.#handle.chmod(mode).catch(() => undefined);
      return part;
    } catch (error) {
      liveParts.delete(file);
      throw error;
    }
  }

  /** Takes bytes; they are on their way to the disk once there are enough of them. */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#buffered + chunk.length > BUFFER_SIZE) await this.#flush();
    if (chunk.length >= BUFFER_SIZE) return this.#writeOut(chunk);
    this.#buffer ??= Buffer.allocUnsafeSlow(BUFFER_SIZE);
    this.#buffer.set(chunk, this.#buffered);
    this.#buffered += chunk.length;
  }

  /** Everything is on the disk after this, and the file is closed. */
  async finish(): Promise<void> {
    await this.#flush();
    await this.#handle.sync().catch(ignoreUnsupported);
    await this.#handle.close();
  }

  /** The file has another name now, or none: it is not ours any more. */
  release(): void {
    liveParts.delete(this.path);
  }

  /** Closes and deletes the file. Never rejects. */
  async remove(): Promise<void> {
    // Both may have happened already, and what cannot be deleted now is a leftover for the next start.
    await this.#handle.close().catch(() => undefined);
    await unlink(this.path).catch(() => undefined);
    this.release();
  }

  async #flush(): Promise<void> {
    if (this.#buffer === undefined || this.#buffered === 0) return;
    const full = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    await this.#writeOut(full);
  }

  async #writeOut(bytes: Uint8Array): Promise<void> {
    // One call may take only a part, and says why at the next.
    for (let written = 0; written < bytes.length;) {
      written += (await this.#handle.write(bytes, written)).bytesWritten;
    }
  }
}

function partName(target: string): string {
  const start = NAME_START.exec(target)?.[0] ?? '';
  return `.${start}.${process.pid}-${randomDigits()}${randomDigits()}.tftp-part`;
}

/** Eight hexadecimal digits. A name that exists is never opened, so nothing is lost if somebody guesses one. */
function randomDigits(): string {
  const digits = Math.floor(Math.random() * 2 ** 32).toString(16);
  return digits.padStart(8, '0');
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process may not be signalled, but it is there.
    return systemCode(error) === 'EPERM';
  }
}

/** Some network and user-space file systems cannot sync, and do what they do without it. */
function ignoreUnsupported(error: unknown): void {
  if (!['EINVAL', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP'].includes(systemCode(error) ?? '')) throw error;
}
